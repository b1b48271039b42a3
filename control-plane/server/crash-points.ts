/**
 * Lets a test end or stop this very process between two effects of a write (research: crash points C1 to C7). Armed by REGENT_CRASH_AT alone;
 * without it no port is wrapped and nothing of this runs. Wraps ports, so that the code that ships is the code that is killed.
 */
import type { Commit, DecisionStore } from "./ports/decision-store.ts";
import type { DnsProvider } from "./ports/dns-provider.ts";
import type { Lease } from "./ports/lease.ts";

/**
 * Where, in the order of one write:
 * - `before-intent`: DNS is read, the change is decided, nothing is committed (C1)
 * - `intent`: the write-ahead row is committed (C2)
 * - `before-send`: the local lease was asked a last time, the request has not left (C2, and the pause that only DNS can fence)
 * - `in-flight`: the request left 300 ms ago and has no answer (C3 when Route 53 has not applied it yet, C4 when it has)
 * - `answered`: Route 53 accepted it, and nobody has written that down (C5)
 * - `accepted`: that is committed (C6)
 * - `renewed`: the lease was extended, and this process hasn't heard it (C7)
 */
export const CRASH_POINTS = ["before-intent", "intent", "before-send", "in-flight", "answered", "accepted", "renewed"] as const;
export type CrashPoint = (typeof CRASH_POINTS)[number];

export interface CrashOrder {
  readonly point: CrashPoint;
  /** Which time it is reached, from 1. */
  readonly nth: number;
  /** `pause` stops the process until somebody continues it, as a machine that is frozen. */
  readonly how: "kill" | "pause";
}

export interface CrashPorts {
  readonly decisions: DecisionStore;
  readonly lease: Lease;
  readonly provider: DnsProvider;
}

/** A request of ours is on the wire by then, on any machine. */
const IN_FLIGHT_MS = 300;

export const withCrashPoint = ({ decisions, lease, provider }: CrashPorts, { point, nth, how }: CrashOrder): CrashPorts => {
  let reached = 0;
  const reach = (here: CrashPoint): void => {
    if (here !== point || ++reached !== nth) return;
    // The signal is there before this call returns.
    process.kill(process.pid, how === "kill" ? "SIGKILL" : "SIGSTOP");
  };
  return {
    decisions: {
      ...decisions,
      commit: async (commit) => {
        if (commit.outboxInserts.length > 0) reach("before-intent");
        const result = await decisions.commit(commit);
        if (commit.outboxInserts.length > 0) reach("intent");
        if (isAcceptance(commit)) reach("accepted");
        return result;
      },
    },
    lease: {
      ...lease,
      renew: async (...args) => {
        const view = await lease.renew(...args);
        reach("renewed");
        return view;
      },
    },
    provider: {
      ...provider,
      send: async (zoneId, batch) => {
        let timer: NodeJS.Timeout | undefined;
        const mayLeave = (): boolean => {
          if (batch.mayLeave?.() === false) return false;
          reach("before-send");
          timer = setTimeout(() => reach("in-flight"), IN_FLIGHT_MS);
          return true;
        };
        const result = await provider.send(zoneId, { ...batch, mayLeave });
        clearTimeout(timer);
        reach("answered");
        return result;
      },
    },
  };
};

const isAcceptance = ({ outboxUpdates }: Commit): boolean => outboxUpdates.some(({ state }) => state === "accepted");
