/** Applied configurations, versioned, with author and difference; and the keys that belong to this installation. */
import type { Declaration, Instant } from "@regent/contract";

export interface AppliedConfiguration {
  readonly version: number;
  readonly declaration: Declaration;
  /** As it was applied, for `export` and for line numbers. */
  readonly text: string;
  readonly author: string;
  readonly at: Instant;
  readonly lines: readonly string[];
}

export type ConfigurationVersion = Pick<AppliedConfiguration, "version" | "author" | "at" | "lines">;

export interface SigningKey {
  readonly keyId: string;
  /** PKCS8 PEM, sealed under the master key (AES-256-GCM), base64. */
  readonly sealed: string;
  /** Raw 32 bytes, base64. */
  readonly publicKey: string;
}

/** What history says of an applied version. */
export const appliedWhy = (author: string, version: number, reason?: string): string =>
  `${author} applied configuration version ${version}${reason === undefined ? "." : `: ${reason}`}`;

export interface ConfigurationStore {
  /** The newest, or the one named. */
  readonly read: (version?: number) => Promise<AppliedConfiguration | null>;
  /** Newest first, `before` a version. Every version is kept. */
  readonly list: (query: { limit: number; before?: number }) => Promise<readonly ConfigurationVersion[]>;
  /** Writes version baseVersion + 1 and a `configuration` entry in history; `stale` when somebody was faster. Notifies replicas. */
  readonly apply: (input: {
    baseVersion: number;
    declaration: Declaration;
    text: string;
    author: string;
    lines: readonly string[];
    /** Told in history. */
    reason?: string;
  }) => Promise<{ kind: "applied"; version: number } | { kind: "stale"; version: number }>;
  /** Calls back after another replica (or this one) applied a version, and with the newest one after notifications may have been missed. */
  readonly onApplied: (callback: (version: number) => void) => Promise<() => Promise<void>>;
  readonly readSigningKey: () => Promise<SigningKey | null>;
  /** Keeps the first one when two replicas start at once; answers the one that stands. */
  readonly keepSigningKey: (key: SigningKey) => Promise<SigningKey>;
}
