/**
 * A leader that can't reach Route 53 is of no use, and another replica may well reach it. So it gives the lease up after a while of failing
 * reads. Where nobody else takes it, or nobody else gets any further, it is patient for twice as long the next time: no ping-pong.
 */
import { UNREACHED_MS, UNREACHED_MS_MAX } from "../limits.ts";
import type { DnsProvider, ReadResult } from "../ports/dns-provider.ts";

export interface ReachDeps {
  readonly provider: DnsProvider;
  readonly monotonic: () => number;
  readonly isLeading: () => boolean;
  readonly giveUp: (why: string) => void;
}

/** The same provider; its reads are watched. Being throttled or denied is an answer: Route 53 was reached. */
export const withReach = ({ provider, monotonic, isLeading, giveUp }: ReachDeps): DnsProvider => {
  let failingSince: number | null = null;
  let patienceMs = UNREACHED_MS;

  const note = (startedAt: number, result: ReadResult): void => {
    if (result.kind !== "failed") {
      failingSince = null;
      patienceMs = UNREACHED_MS;
      return;
    }
    failingSince ??= startedAt;
    const failedMs = monotonic() - failingSince;
    if (failedMs < patienceMs || !isLeading()) return;
    failingSince = null;
    patienceMs = Math.min(2 * patienceMs, UNREACHED_MS_MAX);
    giveUp(`Route 53 was not reached for ${Math.round(failedMs / 1000)} s: ${result.why}`);
  };
  const watched = async (read: () => Promise<ReadResult>): Promise<ReadResult> => {
    const startedAt = monotonic();
    const result = await read();
    note(startedAt, result);
    return result;
  };
  return {
    ...provider,
    readNames: (zoneId, names) => watched(() => provider.readNames(zoneId, names)),
    readZone: (zoneId) => watched(() => provider.readZone(zoneId)),
  };
};
