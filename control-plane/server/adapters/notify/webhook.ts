/** A webhook as Standard Webhooks frames it, about an incident. */
import type { WebhookNotifier } from "@regent/contract";
import type { Notice, SendResult } from "../../ports/notifier.ts";
import type { PostJson } from "./post-json.ts";
import { toResult } from "./results.ts";
import type { ReadSecret } from "./secrets.ts";
import { toWebhookHeaders } from "./standard-webhook.ts";

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
  const headers = toWebhookHeaders({ id: notice.id, body, secret: await readSecret(secret), now: now() });
  return toResult(await postJson({ url: new URL(where), headers, body }, signal));
};

/** Type, time and what it is about, as the convention asks. */
const toBody = ({ action, at, owner, incident }: Notice): object => ({
  type: action === "test" ? "notifier.test" : `incident.${action}`,
  timestamp: new Date(at).toISOString(),
  data: { owner, incident },
});
