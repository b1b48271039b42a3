/**
 * From what the views amount to, to what is believed: a state machine with a memory that survives restarts. Pure and level-based: asked
 * twice at one moment it answers the same. Called by decide once per region and look.
 *
 *   any but maintenance   bad without a break for the hold                     -> unhealthy    penalty 1000 (none if unhealthy before unknown)
 *   healthy               soft without a break for softMs                      -> degraded     penalty 250
 *   degraded              good without a break for healMs                      -> healthy
 *   unhealthy             good views                                           -> recovering   at once: good, not yet trusted with traffic
 *   recovering            good without a break for recoverMs, not suppressed   -> healthy      soft restarts the clock
 *   recovering            bad                                                  -> unhealthy    at once, penalty 1000
 *   any but maintenance   no fresh evidence                                    -> unknown      at once; `before` remembers, factor stays
 *   unknown               good or soft        -> healthy or degraded as before, healthy if never judged, else recovering
 *                                                (unhealthy again while only soft)
 *   any                   maintenance begins  -> maintenance; at its end recovering, by way of unknown
 *
 * The hold may shrink while it runs, as more vantages confirm; it starts anew only when the evidence leaves bad. All clocks run from
 * `evidenceSince`, so a restart never shortens one.
 */
import type { EvidenceKind, Instant, RegionVerdict, Verdict } from "@regent/contract";
import type { Assessment, HealthMemory, Settings } from "../model.ts";
import { addPenalty, isSuppressedNow, PENALTY_DEGRADED, PENALTY_UNHEALTHY, releasedAt } from "./damping.ts";
import { clamp, SCORE_SUPPRESSED_MAX } from "./score.ts";
import { verdictWhy } from "./verdict-why.ts";

export interface JudgeInput {
  readonly assessment: Assessment;
  /** null: never judged. */
  readonly memory: HealthMemory | null;
  readonly settings: Settings;
  /** The window that is in force, in words; null when none is. */
  readonly maintenance: string | null;
  readonly now: Instant;
}

/** A score below this is soft evidence; a degraded region must reach the second one to heal. */
const SCORE_SOFT_BELOW = 80;
const SCORE_HEALED_FROM = 90;

/** Longer than any chain of moves that one moment can hold (maintenance, unknown, recovering, healthy), each with its evidence. */
const MOVES_MAX = 8;

export const judge = (input: JudgeInput): HealthMemory => {
  const { assessment, settings, now } = input;
  let memory = input.memory ?? neverJudged(assessment.region, now);
  for (let move = 0; move < MOVES_MAX; move += 1) {
    const next = advance(followDamping(followEvidence(memory, input), input), input);
    const isSettled = next.verdict === memory.verdict && next.evidence === memory.evidence;
    memory = next;
    if (isSettled) break;
  }
  const endsAt = timerEndsAt(memory, assessment, settings);
  const why = verdictWhy({
    memory,
    assessment,
    endsAt,
    releasedAt: releasedAt(memory, settings),
    maintenance: input.maintenance,
  });
  return { ...memory, factor: factorOf(memory, assessment), why };
};

export interface LookInput {
  readonly assessment: Assessment;
  readonly memory: HealthMemory;
  readonly settings: Settings;
  readonly now: Instant;
}

/** When the verdict or its suppression could change by time alone, with the evidence as it is; null if never. Always after `now`. */
export const nextVerdictLookAt = ({ assessment, memory, settings, now }: LookInput): Instant | null => {
  const moments = [timerEndsAt(memory, assessment, settings), releasedAt(memory, settings)];
  const next = Math.min(...moments.filter((at) => at !== null).filter((at) => at > now));
  return Number.isFinite(next) ? next : null;
};

/** What the world is shown. While suppressed the score is at most 40; the engine itself goes on with the real one. */
export const toRegionVerdict = (memory: HealthMemory, assessment: Assessment): RegionVerdict => {
  const flags = assessment.flags.filter((flag) => flag !== "suppressed");
  const { score } = assessment;
  return {
    region: memory.region,
    verdict: memory.verdict,
    since: memory.since,
    why: memory.why,
    score: score !== null && memory.isSuppressed ? Math.min(score, SCORE_SUPPRESSED_MAX) : score,
    evidence: memory.evidence,
    inside: assessment.inside,
    outside: assessment.outside,
    flags: memory.isSuppressed ? [...flags, "suppressed"] : flags,
    votes: [...assessment.votes],
  };
};

const neverJudged = (region: string, now: Instant): HealthMemory => ({
  region,
  verdict: "unknown",
  since: now,
  why: "",
  evidence: "unknown",
  evidenceSince: now,
  before: null,
  detectedAt: null,
  penalty: 0,
  penaltyAt: now,
  isSuppressed: false,
  factor: 1,
});

// ------------------------------------------------------------------------------------------------ evidence

const followEvidence = (memory: HealthMemory, { assessment, now }: JudgeInput): HealthMemory => {
  const evidence = evidenceOf(memory, assessment);
  const evidenceSince = evidence === memory.evidence ? memory.evidenceSince : now;
  const detectedAt =
    evidence === "bad"
      ? (memory.detectedAt ?? assessment.failingSince ?? evidenceSince)
      : assessment.kind === "good"
        ? null
        : memory.detectedAt;
  const isSame = evidence === memory.evidence && detectedAt === memory.detectedAt;
  return isSame ? memory : { ...memory, evidence, evidenceSince, detectedAt };
};

/** Good views with a low score, or with a finding that two networks share, are soft evidence. */
const evidenceOf = ({ verdict, before }: HealthMemory, { kind, score, isDegradedHard }: Assessment): EvidenceKind => {
  if (kind !== "good") return kind;
  const isDegraded = verdict === "degraded" || (verdict === "unknown" && before === "degraded");
  const scoreMin = isDegraded ? SCORE_HEALED_FROM : SCORE_SOFT_BELOW;
  return isDegradedHard || (score !== null && score < scoreMin) ? "soft" : "good";
};

const followDamping = (memory: HealthMemory, { settings, now }: JudgeInput): HealthMemory => {
  const isSuppressed = isSuppressedNow(memory, settings, now);
  return isSuppressed === memory.isSuppressed ? memory : { ...memory, isSuppressed };
};

// ------------------------------------------------------------------------------------------------ moves

/** At most one move. */
const advance = (memory: HealthMemory, input: JudgeInput): HealthMemory => {
  const { verdict } = memory;
  if (input.maintenance !== null) return verdict === "maintenance" ? memory : moveTo("maintenance", memory, input);
  // Good evidence leads on to recovering, never straight back to traffic: whoever maintained it may have left it half done. What was seen
  // meanwhile counts for nothing.
  if (verdict === "maintenance") return { ...moveTo("unknown", memory, input), before: "recovering", evidenceSince: input.now };
  const endsAt = timerEndsAt(memory, input.assessment, input.settings);
  const isDue = endsAt !== null && input.now >= endsAt;
  switch (memory.evidence) {
    case "unknown":
      return verdict === "unknown" ? memory : moveTo("unknown", memory, input);
    case "bad":
      return isDue || verdict === "recovering" ? moveTo("unhealthy", memory, input) : memory;
    case "soft":
    case "good":
      return advanceFit(memory, input, { isDue });
  }
};

const advanceFit = (memory: HealthMemory, input: JudgeInput, { isDue }: { readonly isDue: boolean }): HealthMemory => {
  switch (memory.verdict) {
    case "healthy":
      return isDue ? moveTo("degraded", memory, input) : memory;
    case "degraded":
      return isDue ? moveTo("healthy", memory, input) : memory;
    case "unhealthy":
      return input.assessment.kind === "good" ? moveTo("recovering", memory, input) : memory;
    case "recovering":
      return isDue && !memory.isSuppressed ? moveTo("healthy", memory, input) : memory;
    case "unknown":
      return moveTo(memory.before ?? "healthy", memory, input);
    case "maintenance":
      return memory;
  }
};

/** End of the one clock that runs in this verdict with this evidence; null when none does. */
const timerEndsAt = (
  { verdict, evidence, evidenceSince }: HealthMemory,
  { holdMs }: Assessment,
  settings: Settings,
): Instant | null => {
  switch (verdict) {
    case "healthy":
      if (evidence === "soft") return evidenceSince + settings.softMs;
      return evidence === "bad" ? evidenceSince + holdMs : null;
    case "degraded":
      if (evidence === "good") return evidenceSince + settings.healMs;
      return evidence === "bad" ? evidenceSince + holdMs : null;
    case "unknown":
      return evidence === "bad" ? evidenceSince + holdMs : null;
    case "recovering":
      return evidence === "good" ? evidenceSince + settings.recoverMs : null;
    case "unhealthy":
    case "maintenance":
      return null;
  }
};

const moveTo = (verdict: Verdict, memory: HealthMemory, { settings, now }: JudgeInput): HealthMemory => {
  const isPaused = verdict === "unknown" || verdict === "maintenance";
  const points = pointsOf(memory, verdict);
  const penalty = points === 0 ? {} : addPenalty(memory, { settings, points, now });
  return { ...memory, ...penalty, verdict, since: now, before: isPaused ? lastVerdict(memory) : null };
};

/** What `unknown` and `maintenance` interrupted, through each other too. */
const lastVerdict = ({ verdict, before }: HealthMemory): Verdict | null =>
  verdict === "unknown" || verdict === "maintenance" ? before : verdict;

/** Coming back from unknown to what it was before is no new departure. */
const pointsOf = (memory: HealthMemory, verdict: Verdict): number => {
  if (lastVerdict(memory) === verdict) return 0;
  switch (verdict) {
    case "unhealthy":
      return PENALTY_UNHEALTHY;
    case "degraded":
      return PENALTY_DEGRADED;
    case "healthy":
    case "recovering":
    case "unknown":
    case "maintenance":
      return 0;
  }
};

// ------------------------------------------------------------------------------------------------ factor

/** Part of its capacity that the region is trusted with. Soft findings alone never lower it. */
const factorOf = ({ verdict, factor }: HealthMemory, { score, isDegradedHard }: Assessment): number => {
  switch (verdict) {
    case "healthy":
      return 1;
    case "degraded":
      return isDegradedHard && score !== null ? Math.round(clamp((score - 40) / 50, 0.3, 1) * 10) / 10 : 1;
    case "unknown":
      return factor;
    case "unhealthy":
    case "recovering":
    case "maintenance":
      return 0;
  }
};
