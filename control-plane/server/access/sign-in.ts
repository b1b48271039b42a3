/** How a browser gets a session from a token without ever seeing the token: token, single-use code, session cookie. */
import type { Instant } from "@regent/contract";
import { CODE_TTL_MS, SESSION_TTL_MS } from "../limits.ts";
import type { AccessStore, Credential } from "../ports/access-store.ts";
import type { Clock } from "../ports/clock.ts";
import { createSecret, hashSecret, isSecretOf } from "./secrets.ts";

export interface SignIn {
  /** A code with the name, role and scope of the token; good once, for 60 s. */
  readonly createCode: (holder: Holder) => Promise<{ readonly code: string; readonly expiresAt: Instant }>;
  /** Null when the code is unknown, used or too old. */
  readonly openSession: (code: string) => Promise<{ readonly secret: string; readonly expiresAt: Instant } | null>;
}

export type Holder = Pick<Credential, "name" | "role" | "scope">;

export const createSignIn = (access: Pick<AccessStore, "put" | "consume">, clock: Pick<Clock, "now">): SignIn => {
  const issue = async (kind: "code" | "session", { name, role, scope }: Holder, ttlMs: number) => {
    const secret = createSecret(kind);
    const expiresAt = clock.now() + ttlMs;
    await access.put({ hash: hashSecret(secret), kind, name, role, scope, expiresAt });
    return { secret, expiresAt };
  };

  return {
    createCode: async (holder) => {
      const { secret, expiresAt } = await issue("code", holder, CODE_TTL_MS);
      return { code: secret, expiresAt };
    },
    openSession: async (code) => {
      const holder = isSecretOf("code", code) ? await access.consume(hashSecret(code)) : null;
      return holder ? issue("session", holder, SESSION_TTL_MS) : null;
    },
  };
};
