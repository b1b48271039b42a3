/** What every probe is given by its runtime. */
import type { DialRules } from "./dial.ts";

/** A database login that only this agent holds, and the hosts it may be shown to, as `host` or `host:port`. */
export interface Secret {
  readonly user: string;
  readonly password: string;
  readonly hosts: readonly string[];
}

export interface ProbeDeps {
  readonly dial: DialRules;
  readonly secrets: ReadonlyMap<string, Secret>;
  /** Further certificate authorities, PEM; the runtime's own are always trusted. */
  readonly ca: readonly string[];
}
