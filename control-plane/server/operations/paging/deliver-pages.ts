/**
 * Empties each notifier's outbox: in order, one at a time, each notifier by itself, so that a slow one holds up nobody else. What a receiver
 * didn't take is tried again with growing pauses, or when the receiver says; what it will never take, or didn't in a day, becomes a dead letter.
 */
import type { Instant, Notify } from "@regent/contract";
import type { Logger } from "pino";
import {
  PAGE_AGE_MS_MAX,
  PAGE_DELIVERIES_EACH,
  PAGE_RETRY_AFTER_MS_MAX,
  PAGE_RETRY_MS,
  PAGE_RETRY_MS_MAX,
  PAGES_WAITING_MAX,
} from "../../limits.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Messenger, Notifier } from "../../ports/notifier.ts";
import type { Delivery, Pages } from "../../ports/pages.ts";
import type { KeepDeadLetter } from "../memory/keep-dead-letter.ts";
import { DEAD_LETTERS } from "./classify-entry.ts";

export interface DeliverDeps {
  readonly pages: Pick<Pages, "waiting" | "settle">;
  readonly messenger: Messenger;
  readonly clock: Pick<Clock, "now" | "monotonic">;
  readonly log: Logger;
  readonly notify: () => Notify | undefined;
  readonly keepDeadLetter: KeepDeadLetter;
  readonly mayDeliver: () => boolean;
  /** 0 to 1. */
  readonly random?: () => number;
}

/** Where a notifier stands in its trying. */
interface Turn {
  readonly declared: string;
  readonly notifier: Notifier;
  isBusy: boolean;
  /** Which of all drains its last one was. */
  begunAs: number;
  failures: number;
  /** Monotonic. */
  notBefore: number;
}

export interface PageDelivery {
  /** One look at all outboxes; starts what may be started and doesn't wait for it. */
  readonly look: () => Promise<void>;
  /** Since when each notifier's oldest due message waits, as the last look had it. */
  readonly waitSince: () => ReadonlyMap<string, Instant>;
  /** Resolves when nothing is under way. */
  readonly idle: () => Promise<void>;
}

export const createPageDelivery = (deps: DeliverDeps): PageDelivery => {
  const { pages, clock, log, random = Math.random } = deps;
  const turns = new Map<string, Turn>();
  const underWay = new Set<Promise<void>>();
  let begun = 0;
  let waitSince: ReadonlyMap<string, Instant> = new Map();

  /** A notifier that is declared otherwise than before is another one, and begins anew. */
  const turnOf = (id: string): Turn | null => {
    const declaration = deps.notify()?.notifiers.find((each) => each.id === id);
    if (!declaration) {
      turns.delete(id);
      return null;
    }
    const declared = JSON.stringify(declaration);
    const known = turns.get(id);
    if (known && (known.declared === declared || known.isBusy)) return known;
    const turn = { declared, notifier: deps.messenger.open(declaration), isBusy: false, begunAs: 0, failures: 0, notBefore: 0 };
    turns.set(id, turn);
    return turn;
  };

  const bury = async (delivery: Delivery, why: string): Promise<void> => {
    // A message about dead letters would be the next one, and be told to the next who refuses it, for ever.
    if (delivery.notice.incident.cause === DEAD_LETTERS)
      log.error({ notifier: delivery.notifier, why }, "a page about dead letters was not taken and is dropped");
    else await deps.keepDeadLetter({ kind: "page", subject: delivery.notifier, payload: delivery }, new Error(why));
    await pages.settle({ done: [delivery.notice.id], tried: [] });
  };

  /** True when the next one may follow. */
  const deliverOne = async (turn: Turn, delivery: Delivery): Promise<boolean> => {
    const result = await turn.notifier.send(delivery.notice);
    switch (result.kind) {
      case "taken":
        turn.failures = 0;
        await pages.settle({ done: [delivery.notice.id], tried: [] });
        return true;
      case "refused":
        await bury(delivery, `${delivery.notifier} refused it: ${result.why}`);
        return true;
      case "later": {
        if (turn.failures === 0)
          log.warn({ notifier: delivery.notifier, why: result.why }, "a page wasn't taken; it is tried again");
        turn.failures += 1;
        turn.notBefore = clock.monotonic() + pauseMs(turn.failures, result.retryAfterMs, random);
        if (clock.now() - delivery.createdAt >= PAGE_AGE_MS_MAX) {
          await bury(delivery, `${delivery.notifier} didn't take it within a day: ${result.why}`);
          return false;
        }
        await pages.settle({ done: [], tried: [delivery.notice.id] });
        return false;
      }
    }
  };

  const drain = async (turn: Turn, deliveries: readonly Delivery[], surplus: readonly Delivery[]): Promise<void> => {
    for (const delivery of surplus) {
      if (!deps.mayDeliver()) return;
      await bury(delivery, `more than ${PAGES_WAITING_MAX} messages waited for ${delivery.notifier}`);
    }
    for (const delivery of deliveries) {
      if (!deps.mayDeliver()) return;
      if (!(await deliverOne(turn, delivery))) return;
    }
  };

  const start = (turn: Turn, work: Promise<void>): void => {
    turn.isBusy = true;
    begun += 1;
    turn.begunAs = begun;
    const ended = work
      .catch((error: unknown) => log.warn({ err: error }, "pages not settled; they are sent again"))
      .finally(() => {
        turn.isBusy = false;
        underWay.delete(ended);
      });
    underWay.add(ended);
  };

  return {
    look: async () => {
      const now = clock.monotonic();
      // What is read while a notifier is being told may be taken before the answer is here: it waits for the next look.
      const wasBusy = new Set([...turns].filter(([, { isBusy }]) => isBusy).map(([id]) => id));
      const begunBefore = begun;
      const { deliveries, surplus } = await pages.waiting({
        now: clock.now(),
        each: PAGE_DELIVERIES_EACH,
        most: PAGES_WAITING_MAX,
      });
      waitSince = oldestOf([...deliveries, ...surplus]);
      const ids = new Set([...deliveries, ...surplus].map(({ notifier }) => notifier));
      for (const id of ids) {
        const own = deliveries.filter(({ notifier }) => notifier === id);
        const tooMany = surplus.filter(({ notifier }) => notifier === id);
        const turn = turnOf(id);
        if (turn === null) {
          const gone = [...own, ...tooMany];
          log.info({ notifier: id, deliveries: gone.length }, "messages for a notifier that isn't declared any more are dropped");
          await pages.settle({ done: gone.map(({ notice }) => notice.id), tried: [] });
          continue;
        }
        if (wasBusy.has(id) || turn.isBusy || turn.begunAs > begunBefore || turn.notBefore > now) continue;
        start(turn, drain(turn, own, tooMany));
      }
    },
    waitSince: () => waitSince,
    idle: async () => {
      while (underWay.size > 0) await Promise.all(underWay);
    },
  };
};

/** One that waited for the end of quiet hours was late for nobody until then. */
const oldestOf = (deliveries: readonly Delivery[]): ReadonlyMap<string, Instant> => {
  const oldest = new Map<string, Instant>();
  for (const { notifier, createdAt, dueAt } of deliveries)
    oldest.set(notifier, Math.min(Math.max(createdAt, dueAt), oldest.get(notifier) ?? Number.POSITIVE_INFINITY));
  return oldest;
};

/** Doubled at each failure, and drawn from its upper half, so that many don't come back at the same moment. What the receiver asks for counts more. */
const pauseMs = (failures: number, retryAfterMs: number | undefined, random: () => number): number => {
  const most = Math.min(PAGE_RETRY_MS_MAX, PAGE_RETRY_MS * 2 ** Math.min(failures - 1, 10));
  const own = most * (0.5 + random() / 2);
  return Math.max(own, Math.min(retryAfterMs ?? 0, PAGE_RETRY_AFTER_MS_MAX));
};
