/** Credentials and idempotency keys in memory, judged by the clock that it is given. */
import type { Instant } from "@regent/contract";
import type { AccessStore, Credential } from "../../ports/access-store.ts";
import type { Clock } from "../../ports/clock.ts";

interface IdempotencyRow {
  readonly digest: string;
  readonly begunAt: Instant;
  readonly answer: { readonly httpStatus: number; readonly body: unknown } | null;
}

export const createMemoryAccessStore = ({ clock }: { readonly clock: Pick<Clock, "now"> }): AccessStore => {
  const credentialByHash = new Map<string, Credential>();
  const idempotencyByKey = new Map<string, IdempotencyRow>();

  const find = (hash: string): Credential | null => {
    const found = credentialByHash.get(hash);
    return found !== undefined && (found.expiresAt === null || found.expiresAt > clock.now()) ? found : null;
  };

  return {
    find: async (hash) => find(hash),
    put: async (credential) => {
      credentialByHash.set(credential.hash, credential);
    },
    consume: async (hash) => {
      const found = find(hash);
      if (found?.kind !== "code") return null;
      credentialByHash.delete(hash);
      return found;
    },
    remove: async (hash) => {
      credentialByHash.delete(hash);
    },
    begin: async (key, digest, staleAfterMs) => {
      const known = idempotencyByKey.get(key);
      const fresh = (): { kind: "fresh" } => {
        idempotencyByKey.set(key, { digest, begunAt: clock.now(), answer: null });
        return { kind: "fresh" };
      };
      if (known === undefined) return fresh();
      if (known.digest !== digest) return { kind: "mismatch" };
      if (known.answer !== null) return { kind: "answered", ...known.answer };
      return known.begunAt < clock.now() - staleAfterMs ? fresh() : { kind: "under-way" };
    },
    finish: async (key, digest, answer) => {
      const known = idempotencyByKey.get(key);
      if (known === undefined || known.digest !== digest || known.answer !== null) return;
      if (answer === null) idempotencyByKey.delete(key);
      else idempotencyByKey.set(key, { ...known, answer: { ...answer, body: answer.body ?? null } });
    },
  };
};
