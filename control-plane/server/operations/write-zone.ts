/**
 * The one writer of a zone in this process: reads DNS, settles what is open, decides on what is true now, writes ahead, sends. One at a time per
 * zone; what comes meanwhile waits and is decided on what it finds then.
 */

import type { MoveAnswer, RegionVerdict } from "@regent/contract";
import { type Decision, decide, type Observed, type OperatorRequest, type ServiceSpec } from "@regent/engine";
import { toBatchLines } from "@regent/engine/plan/batch.ts";
import { PROPOSAL_AGE_MAX_MS } from "@regent/engine/safety/a12-fresh-change.ts";
import type { Logger } from "pino";
import { ZONE_QUEUE_MAX } from "../limits.ts";
import type { Clock, Ids } from "../ports/clock.ts";
import type { StoredOutboxRow } from "../ports/decision-store.ts";
import { AUTOMATION } from "./actors.ts";
import type { Deliver } from "./deliver-batches.ts";
import { type PlannedChange, planChange } from "./draft-change.ts";
import type { Draft, Ledger } from "./ledger.ts";
import type { ZoneReader } from "./read-zone.ts";
import { toSituation } from "./situation.ts";

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
  /** Decides and writes these services; answers the ones that want another look soon because DNS could not be read. */
  readonly reconcile: (services: readonly string[]) => Promise<{ readonly retry: boolean }>;
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
      if (!deps.mayWrite()) return { retry: false };
      const read = await deps.reader.read(deps.zoneId, services);
      if (read.kind === "unread") {
        deps.log.warn({ zone: deps.zoneId, why: read.why }, "zone could not be read");
        return { retry: read.isTransient };
      }
      const rows = await deps.ledger.commit((draft) => draftAll(deps, draft, read.observed));
      await deps.deliver(rows);
      return { retry: false };
    });

  const move = (order: MoveOrder): Promise<MoveResult> => {
    if (waiting > ZONE_QUEUE_MAX) return Promise.resolve({ kind: "too-many" });
    return new Promise((answer, fail) => {
      inTurn(async () => {
        const moved = await moveOne(deps, order);
        answer(moved.result);
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
      for (const observed of settled.observed.values()) if (observed.epoch) deps.onDnsTerm(observed.epoch.term);
      return settled.observed;
    });

  return { reconcile, move, scan, idle: () => tail.then(() => undefined) };
};

// ------------------------------------------------------------------------------------------------ automation

const draftAll = (deps: WriteDeps, draft: Draft, observed: ReadonlyMap<string, Observed>): readonly StoredOutboxRow[] => {
  const settled = deps.reader.settleInto(draft, observed);
  const rows: StoredOutboxRow[] = [];
  for (const [service, { open, observed: seen, accepted }] of settled) {
    for (const changeId of accepted) deps.onAccepted(changeId);
    if (seen.epoch) deps.onDnsTerm(seen.epoch.term);
    const spec = deps.specs().get(service);
    if (!spec) continue;
    const row = draftOne(deps, draft, { spec, observed: seen, open });
    if (row) rows.push(row);
  }
  return rows;
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
  const resent = findResendable(deps, one, decision);
  if (resent) return resent;
  const planned = plan(deps, draft, one, decision);
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

/** After a crash: an intent that nothing contradicts is sent as it stands, so that it stays one change with one history entry. */
const findResendable = ({ clock }: WriteDeps, { open }: OneService, decision: Decision): StoredOutboxRow | null => {
  const row = open.at(-1);
  if (!row || clock.now() - row.createdAt > PROPOSAL_AGE_MAX_MS) return null;
  return JSON.stringify(row.weights) === JSON.stringify(decision.proposal?.weightsAfter) ? row : null;
};

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
  const standing = rules.filter(({ answer, skipped }) => answer !== "allow" && !skipped);
  return `${proposal.kind} ${proposal.leaves.join(",")} ${standing.map(({ rule, answer }) => `${rule}:${answer}`).join(",")}`;
};

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

interface Moved {
  readonly result: MoveResult;
  readonly rows: readonly StoredOutboxRow[];
}

const moveOne = async (deps: WriteDeps, order: MoveOrder): Promise<Moved> => {
  const spec = deps.specs().get(order.service);
  if (!spec) throw new Error(`no service ${order.service}`);
  const done = (result: MoveResult): Moved => ({ result, rows: [] });
  const read = await deps.reader.read(deps.zoneId, [order.service]);
  if (read.kind === "unread") return done({ kind: "dns-away", why: read.why });
  return deps.ledger.commit((draft) => {
    const settled = deps.reader.settleInto(draft, read.observed).get(order.service);
    if (!settled) throw new Error(`no service ${order.service}`);
    const record = draft.record(order.service);
    if (record.blockedBy !== null) return done({ kind: "name-taken", why: record.blockedBy });
    if (order.expectedRevision !== null && order.expectedRevision !== record.revision)
      return done({ kind: "stale-revision", revision: record.revision });
    const decision = decideNow(deps, draft, spec, order.request);
    return decision.proposal
      ? moveTraffic(deps, draft, order, { spec, observed: settled.observed, open: settled.open }, decision)
      : keepOnly(deps, draft, order, decision);
  });
};

const moveTraffic = (deps: WriteDeps, draft: Draft, order: MoveOrder, one: OneService, decision: Decision): Moved => {
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
const keepOnly = (deps: WriteDeps, draft: Draft, order: MoveOrder, decision: Decision): Moved => {
  const { frozenGlobally: _global, ...controls } = decision.controlsAfter;
  if (!order.dryRun) {
    draft.update(order.service, (record) => ({ ...record, controls, traffic: decision.trafficNow }));
    deps.log.info({ service: order.service, move: order.request.move }, "standing decision kept, no write needed");
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
