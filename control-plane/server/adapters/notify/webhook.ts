/**
 * A webhook as Standard Webhooks frames it: `webhook-id` stays the same at every try, and the signature covers id, time and body, so a
 * receiver can tell doubles, forgeries and old copies.
 */
import { createHmac } from "node:crypto";
import type { WebhookNotifier } from "@regent/contract";
import type { Notice, SendResult } from "../../ports/notifier.ts";
import type { PostJson } from "./post-json.ts";
import { toResult } from "./results.ts";
import { type ReadSecret, SecretMissing } from "./secrets.ts";

export interface WebhookDeps {
  readonly postJson: PostJson;
  readonly readSecret: ReadSecret;
  readonly now: () => number;
}

export const sendWebhook = async (
  { postJson, readSecret, now }: WebhookDeps,
  { where, secret }: WebhookNotifier,
  notice: Notice,
  signal: AbortSignal,
): Promise<SendResult> => {
  const body = JSON.stringify(toBody(notice));
  const timestamp = String(Math.floor(now() / 1_000));
  const signature = sign(toKey(await readSecret(secret)), `${notice.id}.${timestamp}.${body}`);
  const headers = { "webhook-id": notice.id, "webhook-timestamp": timestamp, "webhook-signature": signature };
  return toResult(await postJson({ url: new URL(where), headers, body }, signal));
};

/** Type, time and what it is about, as the convention asks. */
const toBody = ({ action, at, owner, incident }: Notice): object => ({
  type: action === "test" ? "notifier.test" : `incident.${action}`,
  timestamp: new Date(at).toISOString(),
  data: { owner, incident },
});

const sign = (key: Buffer, text: string): string => `v1,${createHmac("sha256", key).update(text).digest("base64")}`;

/** 24 to 64 bytes in base64, behind `whsec_`. */
const toKey = (secret: string): Buffer => {
  const key = Buffer.from(secret.replace(/^whsec_/, ""), "base64");
  if (!secret.startsWith("whsec_") || key.length < 24 || key.length > 64)
    throw new SecretMissing('the secret must be "whsec_" and 24 to 64 bytes in base64');
  return key;
};
