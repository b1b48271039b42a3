/**
 * Holds the lease: takes it when it is free, renews it, and knows by its own monotonic clock until when it may act. Losing it, or not being
 * sure, stops every write at once.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Logger } from "pino";
import { GIVEN_UP_MS, LEASE_GUARD_MS, LEASE_RENEW_MS, LEASE_TTL_MS } from "../limits.ts";
import type { Clock } from "../ports/clock.ts";
import type { Lease } from "../ports/lease.ts";

export interface Leadership {
  /** Sure to lead at this moment. */
  readonly isLeading: () => boolean;
  readonly term: () => number;
  /** DNS shows a higher term: ours must be above it before we write. */
  readonly sawTerm: (term: number) => void;
  /** Stop leading now and let somebody else take over. With a term, only if that is still ours: an older one of ours may be told late. */
  readonly stepDown: (of?: number) => Promise<void>;
  /** Let somebody else lead who may get further, and take the lease again only when nobody does. */
  readonly giveUp: (why: string) => Promise<void>;
  /** What is remembered must be read anew: leading ends here, and begins again with the next renewal, which comes at once. */
  readonly startOver: (why: string) => void;
  readonly start: () => void;
  readonly stop: () => Promise<void>;
}

export interface LeadershipDeps {
  readonly holder: string;
  readonly lease: Lease;
  readonly clock: Clock;
  readonly log: Logger;
  /** Called with a new term before anything is written under it; leading begins when it resolves. */
  readonly onGained: (term: number) => Promise<void>;
  readonly onLost: () => void;
  /** A process that can't trust what it sees doesn't take the lease. */
  readonly mayLead: () => boolean;
}

/** How often a follower looks whether the lease is free: one small statement. */
const FOLLOW_MS = 1_000;

export const createLeadership = ({ holder, lease, clock, log, onGained, onLost, mayLead }: LeadershipDeps): Leadership => {
  const stopped = new AbortController();
  let term = 0;
  let sureUntil = 0;
  let isReady = false;
  let termSeen = 0;
  let restsUntil = 0;
  let alarm = new AbortController();
  let running: Promise<void> = Promise.resolve();

  /** Counted from before the call was sent, so that a slow answer makes the local lease shorter, never longer. */
  const noteHeld = (sentAt: number): void => {
    sureUntil = sentAt + LEASE_TTL_MS - LEASE_GUARD_MS;
  };

  const lose = (why: string): void => {
    if (term !== 0) log.warn({ term, why }, "no longer leading");
    term = 0;
    sureUntil = 0;
    if (isReady) {
      isReady = false;
      onLost();
    }
  };

  const gain = async (): Promise<void> => {
    const sentAt = clock.monotonic();
    if (sentAt < restsUntil) return;
    const view = await lease.acquire(holder, LEASE_TTL_MS, termSeen);
    if (!view) return;
    noteHeld(sentAt);
    await begin(view.term);
  };

  /** Held is not yet leading: what is remembered must be read first. When that fails, the next renewal tries again. */
  const begin = async (next: number): Promise<void> => {
    isReady = false;
    term = next;
    await onGained(next);
    if (term !== next) return onLost();
    isReady = true;
    log.info({ term }, "leading");
  };

  const renew = async (): Promise<void> => {
    const sentAt = clock.monotonic();
    const held = term;
    const view = await lease.renew(holder, held, LEASE_TTL_MS, termSeen >= held ? termSeen : undefined);
    // Given back meanwhile: the answer is about a lease that isn't ours any more.
    if (term !== held) return;
    if (!view) return lose("the lease was lost");
    noteHeld(sentAt);
    if (!isReady || view.term !== term) await begin(view.term);
  };

  const run = async (): Promise<void> => {
    while (!stopped.signal.aborted) {
      alarm = new AbortController();
      try {
        if (term !== 0) await renew();
        else if (mayLead()) await gain();
      } catch (error) {
        log.warn({ err: error }, "lease could not be asked for");
        if (clock.monotonic() > sureUntil) lose("the lease could not be renewed in time");
      }
      const pauseMs = term === 0 ? FOLLOW_MS : LEASE_RENEW_MS;
      await sleep(pauseMs, undefined, { signal: AbortSignal.any([stopped.signal, alarm.signal]) }).catch(() => undefined);
    }
  };

  const stepDown = async (of?: number, why = "stepping down"): Promise<void> => {
    if (of !== undefined && of !== term) return;
    const held = term;
    lose(why);
    if (held !== 0)
      await lease
        .release(holder, held)
        .catch((error: unknown) => log.warn({ err: error }, "lease not released; it expires by itself"));
  };

  return {
    isLeading: () => isReady && term !== 0 && clock.monotonic() < sureUntil,
    term: () => term,
    sawTerm: (seen) => {
      // An equal term under another holder's record is as bad as a higher one: ours must be above.
      if (seen > term && seen > termSeen) termSeen = seen;
    },
    stepDown: (of) => stepDown(of),
    giveUp: (why) => {
      restsUntil = clock.monotonic() + GIVEN_UP_MS;
      return stepDown(undefined, why);
    },
    startOver: (why) => {
      if (term === 0) return;
      log.warn({ term, why }, "leading begins anew");
      if (isReady) onLost();
      isReady = false;
      alarm.abort();
    },
    start: () => {
      running = run();
    },
    stop: async () => {
      stopped.abort();
      await running;
      await stepDown();
    },
  };
};
