/**
 * Finds the credential behind a secret. While the database is away the credentials that this process has lately seen to be valid still serve
 * for looking, because that is when a person most needs to look; never for changing anything.
 */

import { KNOWN_CREDENTIAL_MS, KNOWN_CREDENTIALS_MAX } from "../limits.ts";
import type { AccessStore, Credential } from "../ports/access-store.ts";
import type { Clock } from "../ports/clock.ts";
import { DatabaseAway } from "../ports/database-away.ts";

export interface CredentialReader {
  /** Null when unknown or expired. Throws `DatabaseAway` when nothing is known, or `isForReading` is false. */
  readonly find: (hash: string, isForReading: boolean) => Promise<Credential | null>;
  /** Whether this process has seen it to be valid lately; costs nothing. */
  readonly isKnown: (hash: string) => boolean;
  readonly forget: (hash: string) => void;
}

interface Known {
  readonly credential: Credential;
  readonly seenAt: number;
}

export const createCredentialReader = (access: Pick<AccessStore, "find">, clock: Clock): CredentialReader => {
  const knownByHash = new Map<string, Known>();

  const known = (hash: string): Credential | null => {
    const found = knownByHash.get(hash);
    if (!found || clock.monotonic() - found.seenAt > KNOWN_CREDENTIAL_MS) return null;
    const { expiresAt } = found.credential;
    return expiresAt === null || expiresAt > clock.now() ? found.credential : null;
  };

  const remember = (hash: string, credential: Credential | null): void => {
    knownByHash.delete(hash);
    if (!credential) return;
    knownByHash.set(hash, { credential, seenAt: clock.monotonic() });
    const oldest = knownByHash.keys().next().value;
    if (knownByHash.size > KNOWN_CREDENTIALS_MAX && oldest !== undefined) knownByHash.delete(oldest);
  };

  return {
    find: async (hash, isForReading) => {
      try {
        const credential = await access.find(hash);
        remember(hash, credential);
        return credential;
      } catch (error) {
        const credential = isForReading && error instanceof DatabaseAway ? known(hash) : null;
        if (credential) return credential;
        throw error;
      }
    },
    isKnown: (hash) => known(hash) !== null,
    forget: (hash) => {
      knownByHash.delete(hash);
    },
  };
};
