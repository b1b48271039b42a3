/** Makes and compares the secrets that people hold. Only their hashes are ever kept. */
import { createHash, createHmac, randomBytes, timingSafeEqual } from "node:crypto";

/** Each kind has its own prefix, so that a secret scanner finds it and one kind never passes for another. */
const PREFIX = { token: "rgt_", session: "rgs_", code: "rgc_" } as const;
export type SecretKind = keyof typeof PREFIX;

const SECRET_BYTES = 32;
const SECRET_BODY = /^[A-Za-z0-9_-]{43}$/;

/** 256 random bits after the prefix, base64url: `rgt_` and 43 characters. */
export const createSecret = (kind: SecretKind): string => PREFIX[kind] + randomBytes(SECRET_BYTES).toString("base64url");

/** Tells a malformed secret without asking the store. */
export const isSecretOf = (kind: SecretKind, secret: string): boolean =>
  secret.startsWith(PREFIX[kind]) && SECRET_BODY.test(secret.slice(PREFIX[kind].length));

/** SHA-256, hex. A slow hash would add nothing: the secrets are random, not chosen by people. */
export const hashSecret = (secret: string): string => createHash("sha256").update(secret).digest("hex");

/** The CSRF token of a session: only who can read our own answers knows it, and nothing more needs to be kept. */
export const toCsrfToken = (sessionSecret: string): string =>
  createHmac("sha256", sessionSecret).update("regent-csrf").digest("base64url");

export const isSameSecret = (left: string, right: string): boolean => {
  const [a, b] = [Buffer.from(left), Buffer.from(right)];
  return a.length === b.length && timingSafeEqual(a, b);
};
