/**
 * The leader's loop: woken by transitions as well as by time, it judges what was touched, decides, and sets the zone writers to work. Level-based:
 * forgetting a wake-up costs a second, never a decision.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { RegionVerdict } from "@regent/contract";
import { type Decision, decide, type ServiceSpec } from "@regent/engine";
import { inOrder, isRescue, type Move, rankOf } from "@regent/engine/plan/order.ts";
import type { Logger } from "pino";
import { POLL_MS } from "../limits.ts";
import { isHeard } from "../operations/approval/ask-approval.ts";
import { approvalLookAt, reviewApproval } from "../operations/approval/review-approval.ts";
import type { EvidenceCache } from "../operations/evidence/evidence-cache.ts";
import { AUTOMATION } from "../operations/memory/actors.ts";
import { declaredNow } from "../operations/memory/declared.ts";
import { LeadershipLost, type Ledger, LedgerConflict } from "../operations/memory/ledger.ts";
import { isUnsettled, toSituation } from "../operations/memory/situation.ts";
import { createSlices } from "../operations/memory/slices.ts";
import { isUnderWay } from "../operations/transfer/begin-transfer.ts";
import { awaitedRegions, awaitedUntil } from "../operations/verdict/await-reports.ts";
import type { JudgedService } from "../operations/verdict/judge-services.ts";
import { isToldUndecided, standstillKey, tellUndecided } from "../operations/zone/tell-standstill.ts";
import type { ZoneWriter } from "../operations/zone/write-zone.ts";
import type { Clock, Ids } from "../ports/clock.ts";
import type { Stateful } from "./stateful.ts";

export interface ReconcileLoop {
  /** Look at these services now; without any, at all of them. */
  readonly wake: (services?: Iterable<string>) => void;
  readonly verdictsOf: (service: string) => readonly RegionVerdict[];
  readonly decisionOf: (service: string) => Decision | null;
  readonly nextLookAt: (service: string) => number | null;
  readonly start: () => void;
  readonly stop: () => Promise<void>;
  /** What was judged and decided here is somebody else's to say now. */
  readonly forget: () => void;
}

export interface LoopDeps {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly ledger: Ledger;
  readonly cache: EvidenceCache;
  readonly log: Logger;
  readonly specs: () => ReadonlyMap<string, ServiceSpec>;
  readonly configurationVersion: () => number;
  readonly judge: (
    services: Iterable<string>,
    now: number,
    believe: (judged: ReadonlyMap<string, JudgedService>) => void,
  ) => Promise<ReadonlyMap<string, JudgedService>>;
  readonly writerOf: (zoneId: string) => ZoneWriter;
  readonly isLeading: () => boolean;
  readonly leadingSince: () => number;
  readonly agentsReleasedAt: () => number | null;
  /** Stateful services; none where absent. */
  readonly stateful?: Pick<Stateful, "see" | "look">;
  /** The database says that this term doesn't lead any more. */
  readonly onFenced: (term: number) => void;
  /** `decided`: so many of them, the others failed. */
  readonly onLooked: (measured: { services: number; decided: number; ms: number }) => void;
}

/** A rest after a long look adds to the time to a decision; never more than this. */
const REST_MS_MAX = 100;
/** After a zone could not be read. */
const RETRY_MS = 1_000;

const UNDECIDED = "undecided";

/** A service that the writer of its zone has to look at. */
interface Wish {
  readonly service: string;
  readonly zoneId: string;
  /** See engine/plan/order.ts. */
  readonly rank: number;
}

const errandOf = ({ zoneId, rank }: Wish): string => `${zoneId} ${isRescue(rank) ? "rescue" : "rest"}`;

/** Nothing is to be moved; a row's fate or a memory is to be written down. */
const SETTLING: Move = { kind: "configure", actor: AUTOMATION };

export const createReconcileLoop = (deps: LoopDeps): ReconcileLoop => {
  const { clock, cache, log } = deps;
  const judged = new Map<string, JudgedService>();
  const decisions = new Map<string, Decision>();
  const lookAt = new Map<string, number>();
  const touched = new Set<string>();
  /** By errand: what was asked for while it runs. */
  const busy = new Map<string, Map<string, Wish>>();
  let stopped = new AbortController();
  let alarm = new AbortController();
  let running: Promise<void> = Promise.resolve();
  let lookedMs = 0;

  const wake = (services?: Iterable<string>): void => {
    // Services that were taken out of the declaration leave nothing behind.
    if (!services)
      for (const known of [judged, decisions, lookAt]) for (const id of known.keys()) if (!deps.specs().has(id)) known.delete(id);
    for (const service of services ?? deps.specs().keys()) touched.add(service);
    alarm.abort();
  };

  const sooner = (service: string, at: number): void => {
    lookAt.set(service, Math.min(lookAt.get(service) ?? Number.POSITIVE_INFINITY, at));
  };

  const takeDue = (now: number): Set<string> => {
    const due = new Set([...touched].filter((service) => deps.specs().has(service)));
    touched.clear();
    for (const [service, at] of lookAt) if (at <= now) due.add(service);
    for (const service of due) lookAt.delete(service);
    return due;
  };

  const look = async (): Promise<void> => {
    const started = clock.monotonic();
    const now = clock.now();
    const due = takeDue(now);
    lookedMs = 0;
    if (due.size === 0) return;
    const believe = (answers: ReadonlyMap<string, JudgedService>): void => {
      for (const [service, answer] of answers) judged.set(service, answer);
    };
    for (const [service, answer] of await deps.judge(due, now, believe)) {
      if (answer.nextLookAt !== null) sooner(service, Math.max(answer.nextLookAt, now + 1));
    }
    const wishes: Wish[] = [];
    const rest = createSlices();
    let decided = 0;
    for (const service of due) {
      const spec = deps.specs().get(service);
      const rank = spec ? decideSafely(spec, now) : null;
      if (rank !== UNDECIDED) decided += 1;
      if (spec && rank !== null && rank !== UNDECIDED) wishes.push({ service, zoneId: spec.zoneId, rank });
      await rest();
    }
    lookedMs = clock.monotonic() - started;
    deps.onLooked({ services: due.size, decided, ms: lookedMs });
    runErrands(wishes);
  };

  /** A service that can't be decided is a bug of ours; it mustn't hold back the others. */
  const decideSafely = (spec: ServiceSpec, now: number): number | null | typeof UNDECIDED => {
    try {
      return decideOne(spec, now);
    } catch (error) {
      log.error({ err: error, service: spec.id }, "this service could not be decided; its traffic stays");
      if (!isToldUndecided(deps.ledger.record(spec.id)))
        deps.ledger.commit((draft) => tellUndecided(deps, draft, spec.id)).catch((failed: unknown) => fail(failed, [spec.id]));
      return UNDECIDED;
    }
  };

  /** Rank of what the zone's writer has to do or to settle for this service; null when that is nothing. */
  const decideOne = (spec: ServiceSpec, now: number): number | null => {
    const record = deps.ledger.record(spec.id);
    const verdicts = judged.get(spec.id)?.verdicts ?? [];
    const situation = toSituation({
      spec,
      configurationVersion: deps.configurationVersion(),
      record,
      verdicts,
      ledger: deps.ledger,
      agentsReleasedAt: deps.agentsReleasedAt(),
      databases: deps.stateful?.see(spec, record, now) ?? [],
      now,
    });
    const decision = decide(situation, null);
    decisions.set(spec.id, decision);
    if (decision.nextLookAt !== null) sooner(spec.id, Math.max(decision.nextLookAt, now + 1));
    const moment = { leadingSince: deps.leadingSince(), now };
    const isAwaiting = awaitedRegions(spec, verdicts, moment).length > 0;
    if (isAwaiting) sooner(spec.id, awaitedUntil(spec, moment.leadingSince));
    // Who hasn't been heard yet isn't unfit, and a transfer under way has seen more than we have.
    const transferAt = isAwaiting ? null : (deps.stateful?.look(spec, situation, decision) ?? null);
    if (transferAt !== null) sooner(spec.id, Math.max(transferAt, now + 1));
    // A refusal that was told already needs no second look at DNS.
    const wantsWrite =
      !isAwaiting &&
      (decision.isAllowed ||
        // One that is under way needs no look at DNS before the role is there.
        (decision.transfer !== null ? !isUnderWay(record.transfer) : standstillKey(decision) !== record.lastRefusal));
    const isMemoryOld =
      JSON.stringify(decision.trafficNow) !== JSON.stringify(record.traffic) ||
      (!isAwaiting && declaredNow(record, spec, { version: deps.configurationVersion(), now }) !== record.declared) ||
      isApprovalOld(spec, decision, now);
    const unsettled = deps.ledger.outbox(spec.id).filter(isUnsettled);
    if (!wantsWrite && !isMemoryOld && unsettled.length === 0) return null;
    const open = unsettled.flatMap(({ changeId }) => deps.ledger.change(changeId) ?? []);
    const moves: readonly Move[] = [...(decision.proposal ? [decision.proposal] : []), ...open, SETTLING];
    return Math.min(...moves.map((move) => rankOf(move, spec.priority)));
  };

  /** A person has to be asked, or what they were asked is over. Comes back when time alone changes that. */
  const isApprovalOld = (spec: ServiceSpec, decision: Decision, now: number): boolean => {
    const { approval } = deps.ledger.record(spec.id);
    if (decision.asks.length === 0 && approval === null) return false;
    const leadingSince = deps.leadingSince();
    if (!isHeard(spec, { leadingSince, now })) {
      sooner(spec.id, awaitedUntil(spec, leadingSince));
      return false;
    }
    const reviewed = reviewApproval({ spec, approval, decision, now }, () => "");
    const at = approvalLookAt({ spec, approval: reviewed?.approval ?? approval, now });
    if (at !== null) sooner(spec.id, at);
    return reviewed !== null;
  };

  /** Rescues are errands of their own, so that they wait for nothing else of their zone; the most urgent errand begins first. */
  const runErrands = (wishes: Iterable<Wish>): void => {
    const errands = new Map<string, Wish[]>();
    for (const wish of inOrder([...wishes])) {
      const errand = errandOf(wish);
      const known = errands.get(errand);
      if (known) known.push(wish);
      else errands.set(errand, [wish]);
    }
    for (const [errand, ordered] of errands) writeZone(errand, ordered);
  };

  /** One run of an errand at a time; what is asked for meanwhile runs right after it, decided on what is true then. */
  const writeZone = (errand: string, wishes: readonly Wish[]): void => {
    const [first] = wishes;
    const waiting = busy.get(errand);
    if (waiting) for (const wish of wishes) waiting.set(wish.service, wish);
    if (waiting || !first) return;
    busy.set(errand, new Map());
    const services = wishes.map(({ service }) => service);
    const isAnother = (service: string): boolean => !services.includes(service);
    deps
      .writerOf(first.zoneId)
      .reconcile(services, first.rank, () => isRescue(first.rank) && [...(busy.get(errand)?.keys() ?? [])].some(isAnother))
      .then(
        ({ retryMs }) => retryMs !== null && retryLater(services, retryMs),
        (error: unknown) => fail(error, services),
      )
      .finally(() => {
        const next = busy.get(errand);
        busy.delete(errand);
        if (next && deps.isLeading()) runErrands(next.values());
      });
  };

  const retryLater = (services: Iterable<string>, ms = RETRY_MS): void => {
    const at = clock.now() + ms;
    for (const service of services) sooner(service, at);
  };

  const fail = (error: unknown, services: Iterable<string>): void => {
    if (error instanceof LeadershipLost) {
      deps.onFenced(error.term);
      return;
    }
    if (error instanceof LedgerConflict)
      log.warn({ service: error.message }, "written by somebody else; the next commit reads everything again first");
    else log.warn({ err: error }, "a look could not be finished; nothing is lost, it is repeated");
    retryLater(services);
  };

  const run = async (signal: AbortSignal): Promise<void> => {
    let polledAt = Number.NEGATIVE_INFINITY;
    while (!signal.aborted) {
      alarm = new AbortController();
      try {
        if (clock.monotonic() - polledAt >= POLL_MS) {
          polledAt = clock.monotonic();
          for (const service of await cache.refresh()) touched.add(service);
        }
        await look();
      } catch (error) {
        fail(error, deps.specs().keys());
      }
      // Looks may take half of the time, no more: intake goes first, and what it brings meanwhile is looked at together.
      const restMs = Math.min(REST_MS_MAX, lookedMs);
      if (restMs >= 1) await sleep(restMs, undefined, { signal }).catch(() => undefined);
      if (touched.size > 0 && !signal.aborted) continue;
      const next = Math.min(...lookAt.values(), clock.now() + POLL_MS);
      const waitMs = Math.max(1, Math.min(POLL_MS, next - clock.now()));
      await sleep(waitMs, undefined, { signal: AbortSignal.any([signal, alarm.signal]) }).catch(() => undefined);
    }
  };

  const forget = (): void => {
    for (const known of [judged, decisions, lookAt]) known.clear();
    touched.clear();
  };

  return {
    wake,
    verdictsOf: (service) => judged.get(service)?.verdicts ?? [],
    decisionOf: (service) => decisions.get(service) ?? null,
    nextLookAt: (service) => lookAt.get(service) ?? null,
    start: () => {
      stopped = new AbortController();
      forget();
      wake();
      running = run(stopped.signal);
    },
    stop: async () => {
      stopped.abort();
      await running;
    },
    forget,
  };
};
