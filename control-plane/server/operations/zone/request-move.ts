/** An operator's move: decided on DNS as just read, answered when the intent is committed. */
import type { MoveAnswer } from "@regent/contract";
import type { Decision, OperatorRequest, Override, ServiceSpec } from "@regent/engine";
import { toBatchLines } from "@regent/engine/plan/batch.ts";
import type { StoredOutboxRow } from "../../ports/decision-store.ts";
import { operator } from "../memory/actors.ts";
import type { Draft } from "../memory/ledger.ts";
import { findContradiction, type Stands, tellOverride } from "../memory/standing-overrides.ts";
import { askedBy, draftTransfer, roleFirst } from "../transfer/begin-transfer.ts";
import { takeBack } from "../transfer/stop-transfer.ts";
import { type DecideDeps, decideNow, draftNow, type OneService } from "./decide-service.ts";
import { writeAhead } from "./draft-change.ts";
import type { ZoneReader } from "./read-zone.ts";

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
  | Stands
  | { readonly kind: "dns-away"; readonly why: string }
  | { readonly kind: "name-taken"; readonly why: string }
  | { readonly kind: "too-many" }
  | { readonly kind: "broken-invariant"; readonly violations: readonly string[] };

export interface MoveDeps extends DecideDeps {
  readonly reader: ZoneReader;
  readonly specs: () => ReadonlyMap<string, ServiceSpec>;
}

export interface Moved<R = MoveResult> {
  readonly result: R;
  /** To be sent now. */
  readonly rows: readonly StoredOutboxRow[];
  /** Changes whose acceptance was found in DNS. */
  readonly accepted: readonly string[];
}

export const requestMove = async (deps: MoveDeps, order: MoveOrder): Promise<Moved> => {
  const spec = deps.specs().get(order.service);
  if (!spec) throw new Error(`no service ${order.service}`);
  const read = await deps.reader.read(spec.zoneId, [order.service], { lane: "read", rank: 0 });
  if (read.kind === "unread") return { result: { kind: "dns-away", why: read.why }, rows: [], accepted: [] };
  return deps.ledger.commit((draft) => {
    const settled = deps.reader.settleInto(draft, read).get(order.service);
    if (!settled)
      return { result: { kind: "dns-away", why: "leadership changed while the zone was read" }, rows: [], accepted: [] };
    return { ...decideMove(deps, draft, order, { spec, ...settled }), accepted: settled.accepted };
  });
};

/** Into the commit that is being built. */
export const decideMove = (deps: MoveDeps, draft: Draft, order: MoveOrder, one: OneService): Omit<Moved, "accepted"> => {
  const done = (result: MoveResult) => ({ result, rows: [] });
  const record = draft.record(order.service);
  if (record.blockedBy !== null) return done({ kind: "name-taken", why: record.blockedBy });
  if (order.expectedRevision !== null && order.expectedRevision !== record.revision)
    return done({ kind: "stale-revision", revision: record.revision });
  const opposed = findContradiction(record, deps.clock.now(), order.request.move);
  if (opposed) return done(opposed);
  // The first write comes first: there is nothing yet that could be moved.
  if (record.written === null) return done({ kind: "change-in-flight" });
  const decision = decideNow(deps, draft, one.spec, order.request);
  return decision.proposal ? moveTraffic(deps, draft, order, one, decision) : keepOnly(deps, draft, order, one.spec, decision);
};

const moveTraffic = (
  deps: MoveDeps,
  draft: Draft,
  order: MoveOrder,
  one: OneService,
  decision: Decision,
): Omit<Moved, "accepted"> => {
  const planned = draftNow(deps, draft, one, decision);
  const answer: MoveAnswer = {
    ...answerBase(draft, order, decision),
    allowed: decision.isAllowed,
    changeId: decision.isAllowed && !order.dryRun ? planned.change.id : null,
    revision: decision.isAllowed && !order.dryRun ? planned.row.revision : draft.record(order.service).revision,
    batch: toBatchLines(planned.batch),
  };
  if (planned.violations.length > 0) return { result: { kind: "broken-invariant", violations: planned.violations }, rows: [] };
  if (order.dryRun) return { result: { kind: "answered", answer }, rows: [] };
  const transfer = draftTransfer(deps, draft, one.spec, decision, askedBy(order.request));
  if (transfer) {
    if (order.request.move.kind === "override") keepOverride(deps, draft, order.service, decision, order.request.move.override);
    return { result: { kind: "answered", answer: { ...answer, allowed: true, why: roleFirst(transfer), batch: [] } }, rows: [] };
  }
  if (!decision.isAllowed) return { result: { kind: "refused-by-rule", answer }, rows: [] };
  if (order.request.move.kind === "override") tellMade(deps, draft, order.service, order.request.move.override);
  writeAhead(deps.ids, draft, planned);
  return { result: { kind: "answered", answer }, rows: [planned.row] };
};

/** It stands from now on, and its traffic comes after the role. */
const keepOverride = (deps: MoveDeps, draft: Draft, service: string, decision: Decision, override: Override): void => {
  const { frozenGlobally: _global, ...controls } = decision.controlsAfter;
  draft.update(service, (record) => ({ ...record, controls }));
  tellMade(deps, draft, service, override);
};

const tellMade = (deps: MoveDeps, draft: Draft, service: string, override: Override): void =>
  draft.tell(tellOverride(deps.ids, deps.clock.now(), service, { step: "made", override }));

/** DNS already looks like what was asked for: only the standing decision is kept. */
const keepOnly = (
  deps: MoveDeps,
  draft: Draft,
  order: MoveOrder,
  spec: ServiceSpec,
  decision: Decision,
): Omit<Moved, "accepted"> => {
  const { frozenGlobally: _global, ...controls } = decision.controlsAfter;
  if (!order.dryRun) {
    takeBack(deps, draft, spec, order.request);
    draft.update(order.service, (record) => ({ ...record, controls, traffic: decision.trafficNow }));
    if (order.request.move.kind === "override") tellMade(deps, draft, order.service, order.request.move.override);
    else
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
