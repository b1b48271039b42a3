/**
 * What becomes of a service's approval when it is decided anew: asked, kept, stale or lapsed. Pure. The loop calls it to learn whether anything
 * is due, the zone's turn to write it down.
 */
import { createHash } from "node:crypto";
import type { Approval, Instant, Weights } from "@regent/contract";
import type { Decision, Proposal, ServiceSpec } from "@regent/engine";
import { gains, leaves, regionsWhere, sameWeights } from "@regent/engine/strategy/parts.ts";
import type { FormerApproval, StoredApproval } from "../../ports/decision-store.ts";
import { approvalMs } from "../memory/situation.ts";
import { askedText, insteadText, lapsedText, NOBODY, proceedsText, staleText } from "./approval-words.ts";

export interface ReviewInput {
  readonly spec: ServiceSpec;
  readonly approval: StoredApproval | null;
  readonly decision: Decision;
  readonly now: Instant;
}

export interface Reviewed {
  readonly approval: StoredApproval;
  /** For history, in this order. */
  readonly told: readonly Told[];
}

export interface Told {
  readonly approval: Approval;
  readonly why: string;
  readonly page: boolean;
}

/** Former approvals that are remembered by their ids. */
export const FORMER_MAX = 20;

/** Null when all stays as it is. */
export const reviewApproval = (input: ReviewInput, ulid: () => string): Reviewed | null => {
  const { approval, decision } = input;
  const asked = askedBy(decision);
  if (approval?.state === "waiting") return reviewWaiting({ ...input, approval }, asked, ulid);
  if (approval && asked && isInterrupted(input, asked)) return replace({ ...input, approval }, asked, ulid);
  if (asked && !isAnswered(input, asked)) return ask(input, asked, ulid);
  return approval && isBygone(approval, decision) ? { approval: { ...approval, isOver: true }, told: [] } : null;
};

/** When time alone could change something; null when never. */
export const approvalLookAt = ({ spec, approval, now }: Omit<ReviewInput, "decision">): Instant | null => {
  const at = approval && endOf(spec, approval);
  // What is overdue is due now, and is tried again as everything is.
  return at !== null && at > now ? at : null;
};

const endOf = (spec: ServiceSpec, approval: StoredApproval): Instant | null => {
  if (approval.state === "waiting") return approval.lapsesAt;
  if (approval.isOver) return null;
  if (approval.state === "lapsed") return againAt(spec, approval);
  return approval.state === "approved" && approval.answeredAt !== null ? approval.answeredAt + approvalMs(spec) : null;
};

interface Asked {
  readonly proposal: Proposal;
  readonly asks: Decision["asks"];
}

const askedBy = ({ proposal, isAllowed, asks }: Decision): Asked | null =>
  proposal && !isAllowed && asks.length > 0 ? { proposal, asks } : null;

/** 16 hex digits over what would be done, everything that it rests on, and what asks. */
const digestOf = ({ proposal: { question, weightsAfter }, asks }: Asked): string =>
  createHash("sha256")
    .update(JSON.stringify([question, canonical(weightsAfter), [...asks].sort()]))
    .digest("hex")
    .slice(0, 16);

const canonical = (weights: Weights) =>
  sorted(weights).map(([family, byRegion]) => [family, sorted(byRegion).filter(([, weight]) => weight > 0)] as const);

const sorted = <T>(record: Readonly<Record<string, T>>): [string, T][] =>
  Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1));

/** What a person saw is what would be done now. */
const isSameMove = ({ question, weightsAfter }: StoredApproval, proposal: Proposal): boolean =>
  question === proposal.question &&
  sameWeights(weightsAfter, proposal.weightsAfter) &&
  sameWeights(proposal.weightsAfter, weightsAfter);

/** Nothing asks that they didn't hear of; something that asks no more doesn't matter. */
const isSameQuestion = (approval: StoredApproval, { proposal, asks }: Asked): boolean =>
  isSameMove(approval, proposal) && asks.every((each) => approval.asks.includes(each));

/** The same for whoever is got up by it: this kind of move, away from these regions and to those, however it is worded or weighed now. */
const isSameSubject = (approval: StoredApproval, proposal: Proposal): boolean =>
  approval.kind === proposal.kind &&
  isSameList(regionsWhere(approval.weightsBefore, approval.weightsAfter, leaves), proposal.leaves) &&
  isSameList(regionsWhere(approval.weightsBefore, approval.weightsAfter, gains), proposal.gains);

const isSameList = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((each) => b.includes(each));

// ------------------------------------------------------------------------------------------------ one that waits

type Waiting = ReviewInput & { readonly approval: StoredApproval };

const reviewWaiting = (input: Waiting, asked: Asked | null, ulid: () => string): Reviewed | null => {
  const { approval, decision, now } = input;
  if (asked && isSameQuestion(approval, asked)) return now < approval.lapsesAt ? null : lapse(input);
  const stale: StoredApproval = { ...approval, state: "stale", isOver: decision.proposal === null };
  if (asked && isSameSubject(approval, asked.proposal)) return replace({ ...input, approval: stale }, asked, ulid);
  const instead = asked ? ask({ ...input, approval: stale }, asked, ulid) : null;
  const told = { approval: shown(stale), why: staleText(stale, instead?.approval.id ?? null), page: false };
  return { approval: instead?.approval ?? stale, told: [told, ...(instead?.told ?? [])] };
};

/**
 * Whoever was got up for it looks at it by now: they are told in one sentence, and the time runs on. Two entries would end an incident and begin
 * another one.
 */
const replace = (input: Waiting, asked: Asked, ulid: () => string): Reviewed => {
  const { approval } = ask(input, asked, ulid, input.approval.lapsesAt);
  const told = { approval: shown(approval), why: insteadText(approval, input.approval.id), page: false };
  if (input.now < approval.lapsesAt) return { approval, told: [told] };
  const lapsed = lapse({ ...input, approval });
  return { approval: lapsed.approval, told: [told, ...lapsed.told] };
};

const lapse = ({ spec, approval, decision, now }: Waiting): Reviewed => {
  // Something else may ask for a person by now, that isn't declared to proceed.
  if (approval.onLapse === "proceed" && onLapse(spec, decision) === "proceed") {
    const approved: StoredApproval = { ...approval, state: "approved", by: NOBODY, answeredAt: now };
    return { approval: approved, told: [{ approval: shown(approved), why: proceedsText(approved), page: false }] };
  }
  const lapsed: StoredApproval = { ...approval, state: "lapsed" };
  return {
    approval: lapsed,
    told: [{ approval: shown(lapsed), why: lapsedText(lapsed, againAt(spec, lapsed)), page: false }],
  };
};

const onLapse = ({ safety: { onApprovalTimeout } }: ServiceSpec, { asks }: Decision): Approval["onLapse"] =>
  asks.every((each) => onApprovalTimeout[each] === "proceed") ? "proceed" : "stay";

const againAt = (spec: ServiceSpec, { lapsesAt }: Approval): Instant => lapsesAt + approvalMs(spec);

// ------------------------------------------------------------------------------------------------ none that waits

/** It has its answer: no for as long as the same is wanted, and silence for a while. */
const isAnswered = ({ spec, approval, now }: ReviewInput, { proposal }: Asked): boolean =>
  approval !== null &&
  !approval.isOver &&
  isSameSubject(approval, proposal) &&
  (approval.state === "refused" || (approval.state === "lapsed" && now < againAt(spec, approval)));

/** Something else stood in its way for a moment: nobody is got up for the same twice. */
const isInterrupted = ({ approval, now }: ReviewInput, { proposal }: Asked): boolean =>
  approval !== null &&
  approval.state === "stale" &&
  !approval.isOver &&
  now < approval.lapsesAt &&
  isSameSubject(approval, proposal);

/**
 * Its answer belongs to a past that may come again looking the same: a refusal ends when nothing is wanted, so that the next fault asks; what was
 * approved ends when that isn't what is wanted any more.
 */
const isBygone = (approval: StoredApproval, { proposal }: Decision): boolean =>
  !approval.isOver && (proposal === null || (approval.state === "approved" && !isSameMove(approval, proposal)));

const ask = (
  { spec, approval: before, decision, now }: ReviewInput,
  asked: Asked,
  ulid: () => string,
  lapsesAt: Instant = now + approvalMs(spec),
): Reviewed => {
  const { proposal } = asked;
  const approval: StoredApproval = {
    id: ulid(),
    service: spec.id,
    kind: proposal.kind,
    state: "waiting",
    digest: digestOf(asked),
    why: proposal.why,
    rules: [...decision.rules],
    asks: [...decision.asks],
    sharesBefore: proposal.sharesBefore,
    sharesAfter: proposal.sharesAfter,
    weightsBefore: proposal.weightsBefore,
    weightsAfter: proposal.weightsAfter,
    askedAt: now,
    lapsesAt,
    onLapse: onLapse(spec, decision),
    answeredAt: null,
    by: null,
    reason: null,
    question: proposal.question,
    isOver: false,
    former: before ? [...before.former, toFormer(before)].slice(-FORMER_MAX) : [],
  };
  return { approval, told: [{ approval: shown(approval), why: askedText(approval), page: true }] };
};

const toFormer = ({ id, state, by, answeredAt }: StoredApproval): FormerApproval => ({ id, state, by, answeredAt });

/** As people see it: what it rests on is long and for machines. */
export const shown = ({ question: _question, isOver: _isOver, former: _former, ...approval }: StoredApproval): Approval =>
  approval;
