/** Asks one DNS server one question over UDP, TCP when truncated. */
export type DnsAnswer =
  | {
      readonly kind: "answer";
      readonly values: readonly string[];
      readonly ttlSeconds: number;
      readonly isAuthoritative: boolean;
    }
  /** NXDOMAIN or no data. */
  | { readonly kind: "none"; readonly code: string }
  | {
      readonly kind: "failed";
      readonly why: string;
      /** Nothing came back; else the server said so itself. */
      readonly isSilent?: true;
    };

export interface Resolver {
  /** `server` is `address:port`. TXT values come joined and without quotes. */
  readonly ask: (server: string, name: string, type: "A" | "AAAA" | "CNAME" | "TXT", timeoutMs: number) => Promise<DnsAnswer>;
  /** Addresses (`ip:port`) of a name server given by host name, `ip` or `ip:port`. */
  readonly locate: (nameServer: string) => Promise<readonly string[]>;
}
