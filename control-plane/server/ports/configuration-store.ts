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

export interface SigningKey {
  readonly keyId: string;
  /** PKCS8 PEM, sealed under the master key (AES-256-GCM), base64. */
  readonly sealed: string;
  /** Raw 32 bytes, base64. */
  readonly publicKey: string;
}

export interface ConfigurationStore {
  readonly read: () => Promise<AppliedConfiguration | null>;
  /** Writes version baseVersion + 1 and a `configuration` entry in history; `stale` when somebody was faster. Notifies replicas. */
  readonly apply: (input: {
    baseVersion: number;
    declaration: Declaration;
    text: string;
    author: string;
    lines: readonly string[];
  }) => Promise<{ kind: "applied"; version: number } | { kind: "stale"; version: number }>;
  /** Calls back after another replica (or this one) applied a version, and with the newest one after notifications may have been missed. */
  readonly onApplied: (callback: (version: number) => void) => Promise<() => Promise<void>>;
  readonly readSigningKey: () => Promise<SigningKey | null>;
  /** Keeps the first one when two replicas start at once; answers the one that stands. */
  readonly keepSigningKey: (key: SigningKey) => Promise<SigningKey>;
}
