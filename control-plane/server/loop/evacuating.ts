/**
 * Keeps evacuations going while this process leads: step by step, the next one when Route 53 accepted the one before. A commit wakes it, and so does
 * time; a lost wake-up costs a second and never a service. Whatever is done is written down before the next step, and found again in the ledger where
 * it couldn't be, so that another leader goes on and does nothing twice.
 */
import type { Evacuation } from "@regent/contract";
import type { Logger } from "pino";
import { EVACUATIONS_EARLIER_MAX, EVACUATIONS_KEPT } from "../limits.ts";
import { type AskDeps, type AskedEach, askServices } from "../operations/evacuation/ask-services.ts";
import { draftServices, servicesOf } from "../operations/evacuation/draft-evacuation.ts";
import { begunText, endedText, stoppedText, toEntry } from "../operations/evacuation/evacuation-words.ts";
import type {
  EvacuationOrder,
  EvacuationResult,
  StopEvacuationOrder,
  StopEvacuationResult,
} from "../operations/evacuation/orders.ts";
import { previewEvacuation } from "../operations/evacuation/preview-evacuation.ts";
import {
  afterAsking,
  followMoving,
  hasState,
  leaveAlone,
  nextServices,
  type Remembered,
  withServices,
} from "../operations/evacuation/step-evacuation.ts";
import { createTries } from "../operations/evacuation/tries.ts";
import { AUTOMATION, operator } from "../operations/memory/actors.ts";
import { LeadershipLost, type Ledger } from "../operations/memory/ledger.ts";
import type { Clock, Ids } from "../ports/clock.ts";
import type { HistoryEntry } from "../ports/decision-store.ts";
import type { Evacuations, StoredEvacuation } from "../ports/evacuations.ts";

export interface EvacuatingDeps extends AskDeps {
  readonly holder: string;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Logger;
  readonly ledger: Ledger;
  readonly evacuations: Evacuations;
  readonly isLeading: () => boolean;
  /** Agents have spoken of it since this process leads: before, every region would look unfit. */
  readonly isHeard: (service: string) => boolean;
  /** Something stands in history. */
  readonly onTold: () => void;
  /** These were asked for. */
  readonly onAsked: (services: readonly string[]) => void;
  readonly onFenced: (term: number) => void;
}

export interface Evacuating {
  readonly begin: (order: EvacuationOrder) => Promise<EvacuationResult>;
  readonly stop: (order: StopEvacuationOrder) => Promise<StopEvacuationResult>;
  /** Something was committed: soon, and once for all that is committed until then. */
  readonly wake: () => void;
  /** Another leader may have written: what stands in the database counts. */
  readonly gained: () => Promise<void>;
  readonly lost: () => void;
  /** One look at each that is open; never throws. */
  readonly round: () => Promise<void>;
}

/** What one batch commits comes within moments. */
const GATHER_MS = 20;

export const createEvacuating = (deps: EvacuatingDeps): Evacuating => {
  const { clock, ids, ledger, log, evacuations } = deps;
  /** Those that run, and stopped ones that still have something moving. */
  const open = new Map<string, StoredEvacuation>();
  const tries = createTries();
  const busy = new Set<string>();
  const wanted = new Set<string>();
  let isWoken = false;
  let queue: Promise<unknown> = Promise.resolve();

  /** Writes are one after the other, so that a stop and a step never overwrite each other. */
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const turn = queue.then(work, work);
    queue = turn.catch(() => undefined);
    return turn;
  };

  const load = async (): Promise<void> => {
    const read = await evacuations.open();
    open.clear();
    for (const each of read) open.set(each.id, each);
  };

  const remembered = (): Remembered => ({
    recordOf: ledger.record,
    change: ledger.change,
    lastChange: ledger.lastChange,
    now: clock.now(),
  });

  /** False when somebody else wrote it: what stands is read again. */
  const save = async (evacuation: StoredEvacuation, history: readonly HistoryEntry[] = []): Promise<boolean> => {
    const term = ledger.term();
    const written = await evacuations.write({ holder: deps.holder, term, evacuation, history, keptMax: EVACUATIONS_KEPT });
    if (written === "fenced") throw new LeadershipLost(term);
    if (written === "conflict") {
      await load();
      return false;
    }
    if (evacuation.state === "running" || hasState(evacuation, "moving"))
      open.set(evacuation.id, { ...evacuation, version: evacuation.version + 1 });
    else {
      open.delete(evacuation.id);
      tries.forget(evacuation.id);
    }
    if (history.length > 0) deps.onTold();
    return true;
  };

  /** On what stands by then; null where nothing is to be changed. */
  const change = (
    id: string,
    next: (evacuation: StoredEvacuation) => StoredEvacuation | null,
    entryOf: (evacuation: StoredEvacuation) => readonly HistoryEntry[] = () => [],
  ): Promise<void> =>
    inTurn(async () => {
      for (let attempt = 0; attempt < 2; attempt += 1) {
        const known = open.get(id);
        const changed = known ? next(known) : null;
        if (!changed || (await save(changed, entryOf(changed)))) return;
      }
    });

  const begin = async (order: EvacuationOrder): Promise<EvacuationResult> => {
    const { dryRun, scope, ...asked } = order;
    if (servicesOf(deps.specs(), order.region).length === 0)
      return { kind: "not-found", what: `service with an endpoint in ${order.region}` };
    const draft = async (): Promise<StoredEvacuation> => {
      const earlier = await evacuations.list({ region: order.region, limit: EVACUATIONS_EARLIER_MAX });
      const known = { ...deps, specs: deps.specs(), recordOf: ledger.record, region: order.region, earlier };
      return {
        ...asked,
        breakGlass: [...order.breakGlass],
        id: ids.ulid(),
        at: clock.now(),
        state: "running",
        endedAt: null,
        stopped: null,
        services: [...draftServices(order.direction, known)],
        version: 0,
      };
    };
    if (dryRun) {
      const drafted = await draft();
      const beyond = beyondScope(scope, drafted);
      if (beyond.length > 0) return { kind: "beyond-scope", services: beyond };
      return { kind: "previewed", preview: await previewEvacuation(deps, drafted) };
    }
    // In turn: one that ended a moment ago has written down what it drained, and a service that was declared meanwhile is asked about, too.
    const begun = await inTurn(async (): Promise<EvacuationResult> => {
      const drafted = await draft();
      const beyond = beyondScope(scope, drafted);
      if (beyond.length > 0) return { kind: "beyond-scope", services: beyond };
      const running = [...open.values()].find(({ region, state }) => region === order.region && state === "running");
      if (running) return { kind: "evacuation-running", running };
      const told = { id: ids.ulid(), at: drafted.at, actor: operator(order.by), step: "begun", why: begunText(drafted) } as const;
      if (await save(drafted, [toEntry(drafted, told)])) return { kind: "begun", evacuation: drafted };
      // Another leader's, or our own write whose answer was lost.
      const standing = [...open.values()].find(({ region, state }) => region === order.region && state === "running");
      if (!standing) throw new Error(`the evacuation of ${order.region} was written by nobody`);
      return standing.id === drafted.id
        ? { kind: "begun", evacuation: standing }
        : { kind: "evacuation-running", running: standing };
    });
    if (begun.kind === "begun") void run(begun.evacuation.id);
    return begun;
  };

  const stop = async ({ id, by, reason, scope }: StopEvacuationOrder): Promise<StopEvacuationResult> => {
    const known = open.get(id) ?? (await evacuations.read(id));
    if (!known) return { kind: "not-found", what: `evacuation ${id}` };
    const beyond = beyondScope(scope, known);
    if (beyond.length > 0) return { kind: "beyond-scope", services: beyond };
    // Begun by the leader before us, and not read yet.
    if (known.state === "running" && !open.has(id)) await inTurn(load);
    const at = clock.now();
    const stopped = { by, reason, at };
    await change(
      id,
      (evacuation) => (evacuation.state === "running" ? { ...evacuation, state: "stopped", endedAt: at, stopped } : null),
      (evacuation) => [
        toEntry(evacuation, { id: ids.ulid(), at, actor: operator(by), step: "stopped", why: stoppedText(evacuation, stopped) }),
      ],
    );
    // Asked for again, or too late: what stands is the answer.
    return { kind: "stopped", evacuation: open.get(id) ?? (await evacuations.read(id)) ?? known };
  };

  const isRunning = (id: string): boolean => deps.isLeading() && open.get(id)?.state === "running";

  /** Answers whether there is more to do at once. */
  const advance = async (id: string): Promise<boolean> => {
    await change(id, (evacuation) => {
      const followed = followMoving(evacuation, remembered());
      return followed.length === 0 ? null : withServices(evacuation, followed);
    });
    const evacuation = open.get(id);
    if (!evacuation || !isRunning(id)) return false;
    if (!hasState(evacuation, "waiting")) {
      if (!hasState(evacuation, "moving")) await finish(id);
      return false;
    }
    const isDue = (service: string): boolean => deps.isHeard(service) && tries.isDue(id, service, clock.monotonic());
    const services = nextServices(evacuation, clock.now(), isDue);
    if (services.length === 0) return false;
    const asked = await askServices(deps, {
      evacuation,
      services,
      dryRun: false,
      leaveAlone: leaveAlone(evacuation, () => isRunning(id)),
    });
    await noteAnswers(id, asked);
    deps.onAsked(services);
    return isRunning(id) && ![...asked.values()].some((each) => each.kind === "later");
  };

  const noteAnswers = (id: string, asked: ReadonlyMap<string, AskedEach>): Promise<void> => {
    const now = clock.monotonic();
    const late = new Set<string>();
    for (const [service, each] of asked) if (each.kind === "later" && tries.note(id, service, now)) late.add(service);
    return change(id, (evacuation) => {
      const changed = evacuation.services.flatMap((known) => {
        const each = asked.get(known.service);
        if (!each || known.state !== "waiting") return [];
        if (each.kind === "later")
          return [{ ...known, why: each.why, ...(late.has(known.service) ? { state: "failed" as const, at: clock.now() } : {}) }];
        return afterAsking(evacuation, known.service, each, remembered()) ?? [];
      });
      return changed.length === 0 ? null : withServices(evacuation, changed);
    });
  };

  const finish = (id: string): Promise<void> => {
    const at = clock.now();
    return change(
      id,
      (evacuation) => (evacuation.state === "running" ? { ...evacuation, state: "done", endedAt: at } : null),
      (evacuation) => [toEntry(evacuation, { id: ids.ulid(), at, actor: AUTOMATION, step: "ended", why: endedText(evacuation) })],
    );
  };

  /** One at a time for each; what comes meanwhile is looked at right after. */
  const run = async (id: string): Promise<void> => {
    wanted.add(id);
    if (busy.has(id)) return;
    busy.add(id);
    try {
      while (wanted.delete(id) && deps.isLeading()) if (await advance(id)) wanted.add(id);
    } catch (error) {
      if (error instanceof LeadershipLost) deps.onFenced(error.term);
      else log.warn({ err: error, evacuation: id }, "an evacuation could not go on; the next look does it");
    } finally {
      busy.delete(id);
    }
  };

  const round = async (): Promise<void> => {
    if (deps.isLeading()) await Promise.all([...open.keys()].map(run));
  };

  return {
    begin,
    stop,
    wake: () => {
      if (isWoken || open.size === 0 || !deps.isLeading()) return;
      isWoken = true;
      setTimeout(() => {
        isWoken = false;
        void round();
      }, GATHER_MS).unref();
    },
    gained: async () => {
      await inTurn(load);
      void round();
    },
    lost: () => open.clear(),
    round,
  };
};

const beyondScope = (scope: readonly string[] | null, { services }: Pick<Evacuation, "services">): readonly string[] =>
  scope === null ? [] : services.flatMap(({ service }) => (scope.includes(service) ? [] : [service]));
