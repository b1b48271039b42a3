/**
 * The frame of Standard Webhooks around whatever is sent: `webhook-id` stays the same at every try, and the signature covers id, time and body,
 * so a receiver can tell doubles, forgeries and old copies.
 */
import { createHmac } from "node:crypto";
import { SecretMissing } from "./secrets.ts";

export interface Framed {
  readonly id: string;
  readonly body: string;
  /** `whsec_` and base64. */
  readonly secret: string;
  readonly now: number;
}

/** Throws SecretMissing, which doesn't name the secret. */
export const toWebhookHeaders = ({ id, body, secret, now }: Framed): Readonly<Record<string, string>> => {
  const timestamp = String(Math.floor(now / 1_000));
  const signature = createHmac("sha256", toKey(secret)).update(`${id}.${timestamp}.${body}`).digest("base64");
  return { "webhook-id": id, "webhook-timestamp": timestamp, "webhook-signature": `v1,${signature}` };
};

/** 24 to 64 bytes in base64, behind `whsec_`. */
const toKey = (secret: string): Buffer => {
  const key = Buffer.from(secret.replace(/^whsec_/, ""), "base64");
  if (!secret.startsWith("whsec_") || key.length < 24 || key.length > 64)
    throw new SecretMissing('the secret must be "whsec_" and 24 to 64 bytes in base64');
  return key;
};
