/**
 * The one writer of a zone in this process: reads DNS, settles what is open, decides on what is true now, writes ahead, sends. One at a time per
 * zone; what comes meanwhile waits and is decided on what it finds then.
 */

import type { MoveAnswer, RegionVerdict } from "@regent/contract";
import { type Decision, decide, type Observed, type OperatorRequest, type ServiceSpec } from "@regent/engine";
import { toBatchLines } from "@regent/engine/plan/batch.ts";
import { toCanonicalText } from "@regent/engine/plan/record-sets.ts";
import { PROPOSAL_AGE_MAX_MS } from "@regent/engine/safety/a12-fresh-change.ts";
import type { Logger } from "pino";
import { ZONE_QUEUE_MAX } from "../limits.ts";
import type { Clock, Ids } from "../ports/clock.ts";
import type { StoredOutboxRow } from "../ports/decision-store.ts";
import { AUTOMATION, operator } from "./actors.ts";
import type { Deliver } from "./deliver-batches.ts";
import { type PlannedChange, planChange } from "./draft-change.ts";
import { type Draft, type Ledger, LedgerConflict } from "./ledger.ts";
import { holdsDeletes, type ReadSets, type ZoneReader } from "./read-zone.ts";
import { expectedMembers, modeWritten, toSituation } from "./situation.ts";

export interface MoveOrder {
  readonly service: string;
  readonly request: OperatorRequest;
  readonly dryRun: boolean;
  readonly expectedRevision: number | null;
}

export type MoveResult =
  | { readonly kind: "answered"; readonly answer: MoveAnswer }
  | { readonly kind: "stale-revision"; readonly revision: number }
  | { readonly kind: "refused-by-rule"; readonly answer: MoveAnswer }
  | { readonly kind: "change-in-flight" }
  | { readonly kind: "dns-away"; readonly why: string }
  | { readonly kind: "name-taken"; readonly why: string }
  | { readonly kind: "too-many" }
  | { readonly kind: "broken-invariant"; readonly violations: readonly string[] };

export interface ZoneWriter {
  /** Decides and writes these services; answers in how many ms they want another look because something stood in the way, null when not. */
  readonly reconcile: (services: readonly string[]) => Promise<{ readonly retryMs: number | null }>;
  /** Answers when the intent is committed; the send goes on. */
  readonly move: (order: MoveOrder) => Promise<MoveResult>;
  /** Reads DNS for drift, decides nothing. */
  readonly scan: (services: readonly string[]) => Promise<ReadonlyMap<string, Observed> | null>;
  /** Resolves when nothing is under way. */
  readonly idle: () => Promise<void>;
}

export interface WriteDeps {
  readonly zoneId: string;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly ledger: Ledger;
  readonly reader: ZoneReader;
  readonly deliver: Deliver;
  readonly log: Logger;
  readonly specs: () => ReadonlyMap<string, ServiceSpec>;
  readonly configurationVersion: () => number;
  readonly verdictsOf: (service: string) => readonly RegionVerdict[];
  readonly mayWrite: () => boolean;
  readonly onAccepted: (changeId: string) => void;
  readonly onDnsTerm: (term: number) => void;
}

export const createZoneWriter = (deps: WriteDeps): ZoneWriter => {
  let tail: Promise<unknown> = Promise.resolve();
  let waiting = 0;

  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    waiting += 1;
    const turn = tail.then(work, work).finally(() => {
      waiting -= 1;
    });
    tail = turn.catch(() => undefined);
    return turn;
  };

  const reconcile = (services: readonly string[]) =>
    inTurn(async () => {
      if (!deps.mayWrite()) return { retryMs: null };
      const read = await deps.reader.read(deps.zoneId, services);
      if (read.kind === "unread") {
        deps.log.warn({ zone: deps.zoneId, why: read.why }, "zone could not be read");
        return { retryMs: read.isTransient ? UNREAD_AGAIN_MS : DENIED_AGAIN_MS };
      }
      const drafted = await deps.ledger.commit((draft) => draftAll(deps, draft, read));
      for (const changeId of drafted.accepted) deps.onAccepted(changeId);
      return deps.deliver(drafted.rows);
    });

  const move = (order: MoveOrder): Promise<MoveResult> => {
    if (waiting > ZONE_QUEUE_MAX) return Promise.resolve({ kind: "too-many" });
    return new Promise((answer, fail) => {
      inTurn(async () => {
        const moved = await moveOne(deps, order).catch((error: unknown) => {
          // What was remembered was old: once more, on what is read now.
          if (error instanceof LedgerConflict) return moveOne(deps, order);
          throw error;
        });
        answer(moved.result);
        for (const changeId of moved.accepted) deps.onAccepted(changeId);
        await deps.deliver(moved.rows);
      }).catch((error: unknown) => {
        // After the answer an error can only be told in the log: the row stays, and its fate is read off DNS.
        deps.log.error({ err: error, service: order.service }, "manual move failed");
        fail(error);
      });
    });
  };

  const scan = (services: readonly string[]) =>
    inTurn(async () => {
      const settled = await deps.reader.settle(deps.zoneId, services);
      if (settled.kind === "unread") return null;
      for (const changeId of settled.accepted) deps.onAccepted(changeId);
      for (const [service, observed] of settled.observed) noteTerm(deps, deps.specs().get(service), observed);
      return settled.observed;
    });

  return { reconcile, move, scan, idle: () => tail.then(() => undefined) };
};

// ------------------------------------------------------------------------------------------------ automation

/** After a transient failure to read the zone. */
const UNREAD_AGAIN_MS = 1_000;
/** Rights are given by a person: no hurry. */
const DENIED_AGAIN_MS = 5_000;

interface DraftedRows {
  readonly rows: readonly StoredOutboxRow[];
  /** Changes whose acceptance was found in DNS. */
  readonly accepted: readonly string[];
}

const draftAll = (deps: WriteDeps, draft: Draft, read: ReadSets): DraftedRows => {
  const settled = deps.reader.settleInto(draft, read);
  const rows: StoredOutboxRow[] = [];
  for (const [service, { open, observed }] of settled) {
    const spec = deps.specs().get(service);
    if (!spec) continue;
    noteTerm(deps, spec, observed);
    const row = draftSafely(deps, draft, { spec, observed, open });
    if (row) rows.push(row);
  }
  return { rows, accepted: [...settled.values()].flatMap(({ accepted }) => accepted) };
};

/** A service that can't be decided is a bug of ours; it mustn't hold back the others of its zone. */
const draftSafely = (deps: WriteDeps, draft: Draft, one: OneService): StoredOutboxRow | null => {
  try {
    return draftOne(deps, draft, one);
  } catch (error) {
    deps.log.error({ err: error, service: one.spec.id }, "this service could not be decided; its traffic stays");
    return null;
  }
};

/** Another owner's terms are nothing to us. */
const noteTerm = (deps: WriteDeps, spec: ServiceSpec | undefined, { epoch }: Observed): void => {
  if (spec && epoch?.owner === spec.owner) deps.onDnsTerm(epoch.term);
};

interface OneService {
  readonly spec: ServiceSpec;
  readonly observed: Observed;
  readonly open: readonly StoredOutboxRow[];
}

const draftOne = (deps: WriteDeps, draft: Draft, one: OneService): StoredOutboxRow | null => {
  const decision = decideNow(deps, draft, one.spec, null);
  const { proposal } = decision;
  if (!proposal || !decision.isAllowed) {
    noteStandstill(deps, draft, one.spec, decision);
    return null;
  }
  const planned = plan(deps, draft, one, decision);
  const again = findSame(deps, one, planned.row);
  if (again) {
    draft.updateOutbox({ ulid: again.ulid, state: again.state, sentAt: deps.clock.now() });
    return again;
  }
  if (planned.violations.length > 0) {
    tellViolations(deps, draft, planned);
    return null;
  }
  draftPlanned(deps, draft, planned);
  return planned.row;
};

/** Decided on what is true at this moment; an open row doesn't stand in the way, because a new batch expects the same epoch record. */
const decideNow = (
  { ledger, clock, configurationVersion, verdictsOf }: WriteDeps,
  draft: Draft,
  spec: ServiceSpec,
  request: OperatorRequest | null,
): Decision => {
  const record = draft.record(spec.id);
  const situation = toSituation({
    spec,
    configurationVersion: configurationVersion(),
    record,
    verdicts: verdictsOf(spec.id),
    ledger,
    now: clock.now(),
  });
  return decide({ ...situation, isChangeInFlight: false }, request);
};

/**
 * After a crash, or after Route 53 refused it: the same batch is sent again as it stands, so that it stays one change with one history entry.
 * Whether a copy of it is under way isn't known then, except where Route 53 itself refused it.
 */
const findSame = (
  { clock, ledger }: WriteDeps,
  { spec, observed, open }: OneService,
  wanted: StoredOutboxRow,
): StoredOutboxRow | null => {
  const row = ledger.outbox(spec.id).at(-1);
  if (!row || row.expects !== wanted.expects || !isSameBatch(spec, row, wanted) || !holdsDeletes(row, observed)) return null;
  const age = clock.now() - row.createdAt;
  if (row.state === "refused") return age <= REFUSED_KEPT_MS ? { ...row, state: "intent" } : null;
  const isOpen = open.some(({ ulid }) => ulid === row.ulid);
  return isOpen && age <= PROPOSAL_AGE_MAX_MS ? { ...row, state: "unknown" } : null;
};

/** A refused batch is the same change for so long; later its evidence is another. */
const REFUSED_KEPT_MS = 900_000;

const isSameBatch = (spec: ServiceSpec, a: StoredOutboxRow, b: StoredOutboxRow): boolean =>
  modeWritten(a.creates) === modeWritten(b.creates) &&
  toCanonicalText(expectedMembers(spec, a.creates)) === toCanonicalText(expectedMembers(spec, b.creates));

const plan = (deps: WriteDeps, draft: Draft, { spec, observed }: OneService, decision: Decision): PlannedChange => {
  if (!decision.proposal) throw new Error("nothing is proposed");
  return planChange({
    spec,
    record: draft.record(spec.id),
    observed,
    decision,
    proposal: decision.proposal,
    verdicts: deps.verdictsOf(spec.id),
    frozenGlobally: deps.ledger.freeze() !== null,
    term: deps.ledger.term(),
    ids: deps.ids,
    now: deps.clock.now(),
  });
};

const draftPlanned = (deps: WriteDeps, draft: Draft, { spec, decision, row, change }: PlannedChange): void => {
  const { frozenGlobally: _global, ...controls } = decision.controlsAfter;
  draft.update(spec.id, (record) => ({
    ...record,
    revision: row.revision,
    traffic: decision.trafficAfter,
    controls,
    lastRefusal: null,
  }));
  draft.insertOutbox(row);
  draft.insertChange(change);
  draft.tell({
    id: deps.ids.ulid(),
    at: change.times.decided,
    service: spec.id,
    kind: "change",
    actor: change.actor,
    why: change.why,
    page: change.kind === "failover",
    changeId: change.id,
    detail: { kind: change.kind, revision: change.revision },
  });
};

/** Nothing is written to DNS: keep the memory that time alone changed, and tell a refusal or a standstill once. */
const noteStandstill = (deps: WriteDeps, draft: Draft, spec: ServiceSpec, decision: Decision): void => {
  const record = draft.record(spec.id);
  const key = standstillKey(decision);
  const traffic = decision.trafficNow;
  const { frozenGlobally: _global, ...controls } = decision.controlsAfter;
  const isPlacementOver = !decision.proposal && record.controls.placement !== null && controls.placement === null;
  const isTrafficSame = JSON.stringify(traffic) === JSON.stringify(record.traffic);
  if (key === record.lastRefusal && isTrafficSame && !isPlacementOver) return;
  draft.update(spec.id, (r) => ({
    ...r,
    traffic,
    lastRefusal: key,
    ...(isPlacementOver ? { controls: { ...r.controls, placement: null } } : {}),
  }));
  if (key === null || key === record.lastRefusal) return;
  draft.tell({
    id: deps.ids.ulid(),
    at: deps.clock.now(),
    service: spec.id,
    kind: decision.failStatic !== null && !decision.proposal ? "fail-static" : "refused",
    actor: AUTOMATION,
    why: decision.sentence,
    page: true,
    detail: { rules: decision.rules, proposal: decision.proposal },
  });
};

/** A deferral of seconds is no news; a denial, a need for approval or a standstill is, until it changes. */
export const standstillKey = ({ proposal, rules, failStatic }: Decision): string | null => {
  if (!proposal) return failStatic === null ? null : "fail-static";
  const standing = rules.filter((rule) => rule.answer !== "allow" && !rule.skipped && !isMoment(rule, proposal.computedAt));
  if (standing.length === 0) return null;
  return `${proposal.kind} ${proposal.leaves.join(",")} ${standing.map(({ rule, answer }) => `${rule}:${answer}`).join(",")}`;
};

/** Waiting for so long asks nobody to get up. */
const DEFERRAL_QUIET_MS = 10_000;

const isMoment = ({ answer, until }: Decision["rules"][number], now: number): boolean =>
  answer === "defer" && until !== undefined && until - now <= DEFERRAL_QUIET_MS;

const tellViolations = (deps: WriteDeps, draft: Draft, { spec, violations, proposal }: PlannedChange): void => {
  deps.log.error({ service: spec.id, violations }, "a batch breaks an invariant and is not sent");
  const key = `invariant ${violations.join(" ")}`;
  if (draft.record(spec.id).lastRefusal === key) return;
  draft.update(spec.id, (record) => ({ ...record, lastRefusal: key }));
  const why = `would move: ${proposal.why}; held back because the batch breaks an invariant: ${violations.join(" ")}`;
  draft.tell({
    id: deps.ids.ulid(),
    at: deps.clock.now(),
    service: spec.id,
    kind: "refused",
    actor: AUTOMATION,
    why,
    page: true,
    detail: { violations },
  });
};

// ------------------------------------------------------------------------------------------------ operators

interface Moved extends DraftedRows {
  readonly result: MoveResult;
}

const moveOne = async (deps: WriteDeps, order: MoveOrder): Promise<Moved> => {
  const spec = deps.specs().get(order.service);
  if (!spec) throw new Error(`no service ${order.service}`);
  const read = await deps.reader.read(deps.zoneId, [order.service]);
  if (read.kind === "unread") return { result: { kind: "dns-away", why: read.why }, rows: [], accepted: [] };
  return deps.ledger.commit((draft) => {
    const settled = deps.reader.settleInto(draft, read).get(order.service);
    if (!settled)
      return { result: { kind: "dns-away", why: "leadership changed while the zone was read" }, rows: [], accepted: [] };
    return { ...decideMove(deps, draft, order, { spec, ...settled }), accepted: settled.accepted };
  });
};

const decideMove = (deps: WriteDeps, draft: Draft, order: MoveOrder, one: OneService): Omit<Moved, "accepted"> => {
  const done = (result: MoveResult) => ({ result, rows: [] });
  const record = draft.record(order.service);
  if (record.blockedBy !== null) return done({ kind: "name-taken", why: record.blockedBy });
  if (order.expectedRevision !== null && order.expectedRevision !== record.revision)
    return done({ kind: "stale-revision", revision: record.revision });
  // The first write comes first: there is nothing yet that could be moved.
  if (record.written === null) return done({ kind: "change-in-flight" });
  const decision = decideNow(deps, draft, one.spec, order.request);
  return decision.proposal ? moveTraffic(deps, draft, order, one, decision) : keepOnly(deps, draft, order, decision);
};

const moveTraffic = (
  deps: WriteDeps,
  draft: Draft,
  order: MoveOrder,
  one: OneService,
  decision: Decision,
): Omit<Moved, "accepted"> => {
  const planned = plan(deps, draft, one, decision);
  const answer: MoveAnswer = {
    ...answerBase(draft, order, decision),
    allowed: decision.isAllowed,
    changeId: decision.isAllowed && !order.dryRun ? planned.change.id : null,
    revision: decision.isAllowed && !order.dryRun ? planned.row.revision : draft.record(order.service).revision,
    batch: toBatchLines(planned.batch),
  };
  if (planned.violations.length > 0) return { result: { kind: "broken-invariant", violations: planned.violations }, rows: [] };
  if (order.dryRun) return { result: { kind: "answered", answer }, rows: [] };
  if (!decision.isAllowed) return { result: { kind: "refused-by-rule", answer }, rows: [] };
  draftPlanned(deps, draft, planned);
  return { result: { kind: "answered", answer }, rows: [planned.row] };
};

/** DNS already looks like what was asked for: only the standing decision is kept. */
const keepOnly = (deps: WriteDeps, draft: Draft, order: MoveOrder, decision: Decision): Omit<Moved, "accepted"> => {
  const { frozenGlobally: _global, ...controls } = decision.controlsAfter;
  if (!order.dryRun) {
    draft.update(order.service, (record) => ({ ...record, controls, traffic: decision.trafficNow }));
    draft.tell({
      id: deps.ids.ulid(),
      at: deps.clock.now(),
      service: order.service,
      kind: "control",
      actor: operator(order.request.by),
      why: `${order.request.by} asked for ${order.request.move.kind}: ${order.request.reason}; nothing to change: ${decision.sentence}`,
      page: false,
      detail: { move: order.request.move },
    });
  }
  const answer: MoveAnswer = {
    ...answerBase(draft, order, decision),
    allowed: false,
    changeId: null,
    revision: draft.record(order.service).revision,
    batch: [],
  };
  return { result: { kind: "answered", answer: { ...answer, why: `nothing to change: ${decision.sentence}` } }, rows: [] };
};

const answerBase = (draft: Draft, { service, dryRun }: MoveOrder, { proposal, sentence, rules }: Decision) => {
  const { traffic, written } = draft.record(service);
  return {
    dryRun,
    why: proposal ? sentence : "nothing to change",
    sharesBefore: proposal?.sharesBefore ?? traffic.shares,
    sharesAfter: proposal?.sharesAfter ?? traffic.shares,
    weightsBefore: proposal?.weightsBefore ?? written ?? {},
    weightsAfter: proposal?.weightsAfter ?? written ?? {},
    rules: [...rules],
  };
};
