/**
 * One service inside its zone's turn: decided on DNS as just read, and written ahead. Nothing is sent here. A batch that was written ahead before
 * and still says the right thing is sent again as it stands.
 */
import type { Instant, RegionVerdict } from "@regent/contract";
import { type Decision, decide, type Observed, type OperatorRequest, type ServiceSpec, type Situation } from "@regent/engine";
import { toCanonicalText } from "@regent/engine/plan/record-sets.ts";
import { PROPOSAL_AGE_MAX_MS } from "@regent/engine/safety/a12-fresh-change.ts";
import { isApproved } from "@regent/engine/safety/evaluate.ts";
import type { Logger } from "pino";
import type { Clock, Ids } from "../../ports/clock.ts";
import type { StoredApproval, StoredOutboxRow } from "../../ports/decision-store.ts";
import { askApproval } from "../approval/ask-approval.ts";
import { declaredNow } from "../memory/declared.ts";
import { withDeparture } from "../memory/departed.ts";
import type { Draft, Ledger } from "../memory/ledger.ts";
import { expectedMembers, modeWritten, toApproved, toSituation } from "../memory/situation.ts";
import { type Asker, agreedBy, BY_ITSELF, draftTransfer } from "../transfer/begin-transfer.ts";
import type { DatabaseBook } from "../transfer/database-book.ts";
import { awaitedRegions } from "../verdict/await-reports.ts";
import { type DraftedChange, draftChange, writeAhead } from "./draft-change.ts";
import { holdsDeletes } from "./read-zone.ts";
import { tellStandstill, tellViolations } from "./tell-standstill.ts";
import { isRelease } from "./written-record.ts";

export interface DecideDeps {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly ledger: Ledger;
  readonly log: Logger;
  readonly configurationVersion: () => number;
  readonly verdictsOf: (service: string) => readonly RegionVerdict[];
  readonly leadingSince: () => Instant;
  /** When an agent's build last changed, as far as this leader knows; never when absent. */
  readonly agentsReleasedAt?: () => Instant | null;
  /** What is seen of a stateful service's databases; nothing when absent. */
  readonly databasesOf?: DatabaseBook["see"];
}

export interface OneService {
  readonly spec: ServiceSpec;
  readonly observed: Observed;
  readonly open: readonly StoredOutboxRow[];
}

/** The row to send, or null when nothing is to be written or may be. */
export const draftService = (deps: DecideDeps, draft: Draft, one: OneService): StoredOutboxRow | null => {
  const moment = { leadingSince: deps.leadingSince(), now: deps.clock.now() };
  if (awaitedRegions(one.spec, deps.verdictsOf(one.spec.id), moment).length > 0) return null;
  noteDeclared(draft, one.spec, { version: deps.configurationVersion(), now: moment.now });
  const first = decideNow(deps, draft, one.spec, null);
  const reviewed = askApproval(deps, draft, one.spec, first);
  // Nobody answered in time, and it is declared to proceed then.
  const wanted = reviewed?.approval.state === "approved" ? decideNow(deps, draft, one.spec, null) : first;
  const decision = wanted.proposal === null && isFenceDue(deps, one) ? decideFence(deps, draft, one) : wanted;
  if (draftTransfer(deps, draft, one.spec, decision, toAsker(deps, draft, one.spec, decision))) {
    // It is told by its transfer.
    keepTraffic(draft, one.spec, decision);
    return null;
  }
  if (!decision.proposal || !decision.isAllowed) {
    // A fence that may not be written is no news, and doesn't end what was told before.
    tellStandstill(deps, draft, one.spec, wanted);
    return null;
  }
  const planned = draftNow(deps, draft, one, decision);
  const again = findSame(deps, one, planned.row);
  if (again) {
    draft.updateOutbox({ ulid: again.ulid, state: again.state, sentAt: deps.clock.now() });
    // It was forgotten when it was refused.
    if (again.state === "intent")
      draft.update(one.spec.id, (record) => withDeparture(record, deps.ledger.change(again.changeId), again.createdAt));
    return again;
  }
  if (planned.violations.length > 0) {
    tellViolations(deps, draft, planned);
    return null;
  }
  writeAhead(deps.ids, draft, planned);
  return planned.row;
};

/** A person who approved the move has their name on the transfer that it needs first. */
const toAsker = ({ clock }: DecideDeps, draft: Draft, spec: ServiceSpec, decision: Decision): Asker => {
  const approval = approvalOf(decision, draft.record(spec.id).approval, spec, clock.now());
  return approval?.by == null ? BY_ITSELF : agreedBy(approval.by, approval.reason ?? "");
};

const keepTraffic = (draft: Draft, spec: ServiceSpec, { trafficNow }: Decision): void => {
  if (JSON.stringify(trafficNow) !== JSON.stringify(draft.record(spec.id).traffic))
    draft.update(spec.id, (record) => ({ ...record, traffic: trafficNow }));
};

const noteDeclared = (draft: Draft, spec: ServiceSpec, at: { readonly version: number; readonly now: Instant }): void => {
  const record = draft.record(spec.id);
  const declared = declaredNow(record, spec, at);
  if (declared !== record.declared) draft.update(spec.id, (known) => ({ ...known, declared }));
};

/** Decided on what is true at this moment; an open row doesn't stand in the way, because a new batch expects the same epoch record. */
export const decideNow = (
  { ledger, clock, configurationVersion, verdictsOf, agentsReleasedAt, databasesOf }: DecideDeps,
  draft: Draft,
  spec: ServiceSpec,
  request: OperatorRequest | null,
  more: Partial<Situation> = {},
): Decision => {
  const record = draft.record(spec.id);
  const now = clock.now();
  const situation = toSituation({
    spec,
    configurationVersion: configurationVersion(),
    record,
    verdicts: verdictsOf(spec.id),
    ledger,
    agentsReleasedAt: agentsReleasedAt?.() ?? null,
    databases: databasesOf?.(spec, record, now) ?? [],
    now,
  });
  return decide({ ...situation, isChangeInFlight: false, ...more }, request);
};

/**
 * A batch that may have left, that DNS doesn't show, and that nobody wants any more: it could still arrive for minutes, and traffic would move
 * for a reason that is long gone.
 */
const isFenceDue = ({ clock }: DecideDeps, { open }: OneService): boolean =>
  open.length > 0 &&
  !open.some(isRelease) &&
  open.every(({ sentAt, createdAt }) => clock.now() - (sentAt ?? createdAt) > PROPOSAL_AGE_MAX_MS);

/** What stands is written again with a new epoch record, so that Route 53 refuses whatever expects the old one. */
const decideFence = (deps: DecideDeps, draft: Draft, { spec, open }: OneService): Decision => {
  const decision = decideNow(deps, draft, spec, null, { areRecordsOutdated: true });
  if (!decision.proposal) return decision;
  const revisions = open.map(({ revision }) => revision).join(", ");
  const why = `revision ${revisions} was written ahead, never seen in DNS, and is not wanted any more: from here on it can't arrive; traffic stays as it is`;
  return { ...decision, proposal: { ...decision.proposal, why } };
};

/**
 * After a crash, or after Route 53 refused it: the same batch is sent again as it stands, so that it stays one change with one history entry.
 * Whether a copy of it is under way isn't known then, except where Route 53 itself refused it.
 */
const findSame = (
  { clock, ledger }: DecideDeps,
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

export const draftNow = (
  deps: DecideDeps,
  draft: Draft,
  { spec, observed }: OneService,
  decision: Decision,
  approval: StoredApproval | null = draft.record(spec.id).approval,
): DraftedChange => {
  if (!decision.proposal) throw new Error("nothing is proposed");
  return draftChange({
    spec,
    record: draft.record(spec.id),
    observed,
    decision,
    proposal: decision.proposal,
    approval: approvalOf(decision, approval, spec, deps.clock.now()),
    isApprovalMade: approval !== null && deps.ledger.change(approval.id) !== null,
    verdicts: deps.verdictsOf(spec.id),
    term: deps.ledger.term(),
    ids: deps.ids,
    now: deps.clock.now(),
  });
};

/** The approval that lets this through. */
const approvalOf = (
  { proposal }: Decision,
  approval: StoredApproval | null,
  spec: ServiceSpec,
  now: Instant,
): StoredApproval | null => (proposal && approval && isApproved(proposal, toApproved({ approval }, spec, now)) ? approval : null);
