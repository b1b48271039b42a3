/** Who may do what: tokens, browser sessions, single-use sign-in codes, and the answers kept under idempotency keys. Only hashes are kept. */
import type { Instant } from "@regent/contract";

export type Role = "viewer" | "operator" | "approver" | "admin";

export interface Credential {
  /** SHA-256 of the secret, hex. */
  readonly hash: string;
  readonly kind: "token" | "session" | "code";
  readonly name: string;
  readonly role: Role;
  /** Service ids; null: all. */
  readonly scope: readonly string[] | null;
  readonly expiresAt: Instant | null;
}

export interface KeptAnswer {
  readonly httpStatus: number;
  readonly body: unknown;
}

export type IdempotencyBegin =
  | { readonly kind: "fresh" }
  | ({ readonly kind: "answered" } & KeptAnswer)
  | { readonly kind: "mismatch" }
  | { readonly kind: "under-way" };

export interface AccessStore {
  /** Any kind; null when unknown or expired. */
  readonly find: (hash: string) => Promise<Credential | null>;
  /** Replaces one with the same hash. */
  readonly put: (credential: Credential) => Promise<void>;
  /** Deletes and answers a single-use code in one statement; null when unknown, used or expired. */
  readonly consume: (hash: string) => Promise<Credential | null>;
  readonly remove: (hash: string) => Promise<void>;
  /** `digest` covers actor, method, path and body; an unanswered key older than `staleAfterMs` may be begun again. */
  readonly begin: (key: string, digest: string, staleAfterMs: number) => Promise<IdempotencyBegin>;
  /** Keeps the first answer, or with null frees the key again; without effect when the key isn't begun with this digest, or is answered. */
  readonly finish: (key: string, digest: string, answer: KeptAnswer | null) => Promise<void>;
}
