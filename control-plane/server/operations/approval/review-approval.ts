/**
 * What becomes of a service's approval when it is decided anew: asked, kept, stale or lapsed. Pure. The loop calls it to learn whether anything
 * is due, the zone's turn to write it down.
 */
import { createHash } from "node:crypto";
import type { Approval, Instant, Weights } from "@regent/contract";
import type { Decision, Proposal, ServiceSpec } from "@regent/engine";
import type { FormerApproval, StoredApproval } from "../../ports/decision-store.ts";
import { askedText, lapsedText, NOBODY, proceedsText, staleText } from "./approval-words.ts";

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

/** An approval of no time would be asked and lapse at every look. */
const APPROVAL_MS_MIN = 500;
/** Former approvals that are remembered by their ids. */
export const FORMER_MAX = 20;

/** Null when all stays as it is. */
export const reviewApproval = (input: ReviewInput, ulid: () => string): Reviewed | null => {
  const { approval, decision } = input;
  const asked = askedBy(decision);
  if (approval?.state === "waiting") return reviewWaiting({ ...input, approval }, asked, ulid);
  if (asked && !isAnswered(input, asked)) return ask(input, asked, ulid);
  return approval && isBygone(approval, decision) ? { approval: { ...approval, isOver: true }, told: [] } : null;
};

/** When time alone could change something; null when never. */
export const approvalLookAt = ({ spec, approval, now }: Omit<ReviewInput, "decision">): Instant | null => {
  if (!approval) return null;
  const at = approval.state === "waiting" ? approval.lapsesAt : isPending(approval) ? againAt(spec, approval) : null;
  // What is overdue is due now, and is tried again as everything is.
  return at !== null && at > now ? at : null;
};

const isPending = ({ state, isOver }: StoredApproval): boolean => state === "lapsed" && !isOver;

interface Asked {
  readonly proposal: Proposal;
  readonly digest: string;
}

const askedBy = ({ proposal, isAllowed, asks }: Decision): Asked | null =>
  proposal && !isAllowed && asks.length > 0 ? { proposal, digest: digestOf(proposal) } : null;

/** 16 hex digits over what would be done and everything that it rests on. */
const digestOf = ({ question, weightsAfter }: Proposal): string =>
  createHash("sha256")
    .update(JSON.stringify([question, canonical(weightsAfter)]))
    .digest("hex")
    .slice(0, 16);

const canonical = (weights: Weights) =>
  sorted(weights).map(([family, byRegion]) => [family, sorted(byRegion).filter(([, weight]) => weight > 0)] as const);

const sorted = <T>(record: Readonly<Record<string, T>>): [string, T][] =>
  Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1));

// ------------------------------------------------------------------------------------------------ one that waits

type Waiting = ReviewInput & { readonly approval: StoredApproval };

const reviewWaiting = (input: Waiting, asked: Asked | null, ulid: () => string): Reviewed | null => {
  const { approval, now } = input;
  if (asked?.digest === approval.digest) return now < approval.lapsesAt ? null : lapse(input);
  const stale: StoredApproval = { ...approval, state: "stale" };
  const instead = asked ? ask({ ...input, approval: stale }, asked, ulid) : null;
  const told = { approval: shown(stale), why: staleText(stale, instead?.approval.id ?? null), page: false };
  return { approval: instead?.approval ?? stale, told: [told, ...(instead?.told ?? [])] };
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

const approvalMs = ({ safety }: ServiceSpec): number => Math.max(safety.approvalMs, APPROVAL_MS_MIN);

const againAt = (spec: ServiceSpec, { lapsesAt }: Approval): Instant => lapsesAt + approvalMs(spec);

// ------------------------------------------------------------------------------------------------ none that waits

/** The same question has its answer: no for as long as it stands, and silence for a while. */
const isAnswered = ({ spec, approval, now }: ReviewInput, { digest }: Asked): boolean =>
  approval !== null &&
  !approval.isOver &&
  approval.digest === digest &&
  (approval.state === "refused" || (approval.state === "lapsed" && now < againAt(spec, approval)));

/**
 * Its answer belongs to a past that may come again looking the same: a refusal ends when nothing is wanted, so that the next fault asks; what was
 * approved ends when that isn't what is wanted any more.
 */
const isBygone = (approval: StoredApproval, { proposal }: Decision): boolean =>
  !approval.isOver &&
  approval.state !== "stale" &&
  (proposal === null || (approval.state === "approved" && approval.digest !== digestOf(proposal)));

const ask = (
  { spec, approval: before, decision, now }: ReviewInput,
  { proposal, digest }: Asked,
  ulid: () => string,
): Reviewed => {
  const approval: StoredApproval = {
    id: ulid(),
    service: spec.id,
    kind: proposal.kind,
    state: "waiting",
    digest,
    why: proposal.why,
    rules: [...decision.rules],
    asks: [...decision.asks],
    sharesBefore: proposal.sharesBefore,
    sharesAfter: proposal.sharesAfter,
    weightsBefore: proposal.weightsBefore,
    weightsAfter: proposal.weightsAfter,
    askedAt: now,
    lapsesAt: now + approvalMs(spec),
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
