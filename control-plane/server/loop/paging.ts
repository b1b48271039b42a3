/**
 * Keeps people told while this process leads: follows history, empties the outboxes, and calls the heartbeat. A commit wakes it, and so does
 * time; a lost wake-up costs a second and never a page.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Declaration, Instant } from "@regent/contract";
import type { Logger } from "pino";
import { HEARTBEAT_JUDGED_MS, PAGES_END_MS } from "../limits.ts";
import type { KeepDeadLetter } from "../operations/memory/keep-dead-letter.ts";
import { createPageDelivery } from "../operations/paging/deliver-pages.ts";
import type { DeclaredRegions } from "../operations/paging/draft-deliveries.ts";
import { createPageBook, type PageBook } from "../operations/paging/follow-history.ts";
import type { Clock, Ids } from "../ports/clock.ts";
import type { Messenger } from "../ports/notifier.ts";
import type { Pages } from "../ports/pages.ts";

export interface PagingDeps {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Logger;
  readonly holder: string;
  readonly pages: Pages;
  readonly messenger: Messenger;
  readonly term: () => number;
  readonly isLeading: () => boolean;
  readonly declaration: () => Declaration | null;
  readonly keepDeadLetter: KeepDeadLetter;
  readonly signal: AbortSignal;
}

export interface Paging {
  readonly book: PageBook;
  /** Since when each notifier's oldest due message waits, as last looked. */
  readonly waitSince: () => ReadonlyMap<string, Instant>;
  /** Something was committed: soon, and once for all that is committed until then. */
  readonly wake: () => void;
  /** Another leader may have written: nothing remembered counts. */
  readonly gained: () => void;
  /** Services were looked at. */
  readonly looked: () => void;
  /** One round; never throws. */
  readonly round: () => Promise<void>;
  /** What is under way ended, or has had its time: the next leader sends it again under the same id. */
  readonly end: () => Promise<void>;
}

/** A region that dies is told in several commits: together they are one page. */
const GATHER_MS = 50;
/** Rounds without a rest: 200 services are two, and a flood mustn't starve the outboxes. */
const ROUNDS_MAX = 10;

export const createPaging = (deps: PagingDeps): Paging => {
  const { clock, log } = deps;
  const notify = () => {
    const declaration = deps.declaration();
    return { owner: declaration?.owner ?? "", notify: declaration?.notify, declared: regionsOf(declaration) };
  };
  /** Worked out once for each declaration. */
  let known: { readonly of: Declaration | null; readonly declared: DeclaredRegions | null } = { of: null, declared: null };
  const regionsOf = (declaration: Declaration | null): DeclaredRegions | null => {
    if (known.of !== declaration) {
      const services = declaration?.services.map(
        ({ id, endpoints }) => [id, new Set(endpoints.map(({ region }) => region))] as const,
      );
      known = { of: declaration, declared: services ? new Map(services) : null };
    }
    return known.declared;
  };
  const mayDeliver = (): boolean => deps.isLeading() && !deps.signal.aborted;
  const book = createPageBook({ ...deps, notify });
  const delivery = createPageDelivery({ ...deps, notify: () => notify().notify, mayDeliver });
  let isWoken = false;
  let running: Promise<void> | null = null;
  let isWanted = false;
  let lookedAt = Number.NEGATIVE_INFINITY;
  let beatAt = Number.NEGATIVE_INFINITY;
  let isBeating = false;

  /** Only who leads, has looked at its services lately and just read the database says that all is well. */
  const beat = (): void => {
    const { notify: declared } = notify();
    const heartbeat = declared?.heartbeat;
    const now = clock.monotonic();
    const hasServices = (deps.declaration()?.services.length ?? 0) > 0;
    if (!heartbeat || isBeating || !mayDeliver()) return;
    if (now - beatAt < heartbeat.everySeconds * 1_000) return;
    if (hasServices && now - lookedAt > HEARTBEAT_JUDGED_MS) return;
    beatAt = now;
    isBeating = true;
    void deps.messenger
      .beat(heartbeat)
      .then((result) => {
        if (result.kind !== "taken") log.warn({ why: result.why }, "the heartbeat was not taken");
      })
      .finally(() => {
        isBeating = false;
      });
  };

  const followAll = async (): Promise<void> => {
    for (let rounds = 0; rounds < ROUNDS_MAX; rounds += 1) if ((await book.follow()) !== "written" || !mayDeliver()) return;
  };

  const once = async (): Promise<void> => {
    if (!mayDeliver()) return;
    try {
      await followAll();
      beat();
      await delivery.look();
    } catch (error) {
      book.forget();
      log.warn({ err: error }, "people couldn't be told; the next round does it");
    }
  };

  const round = async (): Promise<void> => {
    if (running) {
      isWanted = true;
      return running;
    }
    running = once().finally(() => {
      running = null;
    });
    await running;
    if (!isWanted) return;
    isWanted = false;
    await round();
  };

  return {
    book,
    waitSince: () => (mayDeliver() ? delivery.waitSince() : new Map()),
    wake: () => {
      if (isWoken || !mayDeliver()) return;
      isWoken = true;
      setTimeout(() => {
        isWoken = false;
        void round();
      }, GATHER_MS).unref();
    },
    gained: () => {
      book.forget();
      void round();
    },
    looked: () => {
      lookedAt = clock.monotonic();
    },
    round,
    end: async () => {
      const ended = Promise.resolve(running).then(delivery.idle);
      await Promise.race([ended, sleep(PAGES_END_MS, undefined, { ref: false })]);
    },
  };
};
