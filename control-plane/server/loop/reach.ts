/**
 * A leader that can't reach Route 53 is of no use, and another replica may well reach it. So it gives the lease up after a while of failing
 * reads. Where nobody else takes it, or nobody else gets any further, it is patient for twice as long the next time: no ping-pong.
 */
import { UNREACHED_MS, UNREACHED_MS_MAX } from "../limits.ts";
import type { DnsProvider, ReadResult } from "../ports/dns-provider.ts";

export interface ReachDeps {
  readonly provider: DnsProvider;
  readonly monotonic: () => number;
  /** The term that is led now; 0 when none is. */
  readonly term: () => number;
  readonly giveUp: (why: string) => void;
}

/** The same provider; its reads are watched. Being throttled or denied is an answer: Route 53 was reached. */
export const withReach = ({ provider, monotonic, term, giveUp }: ReachDeps): DnsProvider => {
  let failing: { readonly since: number; readonly term: number } | null = null;
  let reachedAt = Number.NEGATIVE_INFINITY;
  let patienceMs = UNREACHED_MS;

  const note = (startedAt: number, startedIn: number, result: ReadResult): void => {
    if (result.kind !== "failed") {
      failing = null;
      reachedAt = monotonic();
      patienceMs = UNREACHED_MS;
      return;
    }
    const now = term();
    // What failed or began under another term, minutes ago perhaps, says nothing of this one.
    if (now === 0 || now !== startedIn) return;
    if (failing?.term !== now) failing = { since: Math.max(startedAt, reachedAt), term: now };
    const failedMs = monotonic() - failing.since;
    if (failedMs < patienceMs) return;
    failing = null;
    patienceMs = Math.min(2 * patienceMs, UNREACHED_MS_MAX);
    giveUp(`Route 53 was not reached for ${Math.round(failedMs / 1000)} s: ${result.why}`);
  };
  const watched = async (read: () => Promise<ReadResult>): Promise<ReadResult> => {
    const startedAt = monotonic();
    const startedIn = term();
    const result = await read();
    note(startedAt, startedIn, result);
    return result;
  };
  return {
    ...provider,
    readNames: (zoneId, names, turn) => watched(() => provider.readNames(zoneId, names, turn)),
    readZone: (zoneId, turn) => watched(() => provider.readZone(zoneId, turn)),
  };
};
