/**
 * The verdict's sentence: what the views show, then what is waited for and until when. Pure. Called by verdict.ts. It names moments instead
 * of counting seconds, so that it changes only when something does.
 */
import type { Instant } from "@regent/contract";
import type { Assessment, HealthMemory } from "../model.ts";
import { clockText } from "../text.ts";

export interface VerdictWhyInput {
  readonly memory: HealthMemory;
  readonly assessment: Assessment;
  /** End of the clock that runs; null when none does. */
  readonly endsAt: Instant | null;
  /** End of suppression; null when there is none. */
  readonly releasedAt: Instant | null;
  /** The maintenance window in force, in words. */
  readonly maintenance: string | null;
}

export const verdictWhy = (input: VerdictWhyInput): string => {
  const waiting = waitingText(input);
  return waiting === null ? input.assessment.why : `${input.assessment.why}; ${waiting}`;
};

const waitingText = (input: VerdictWhyInput): string | null => {
  const { memory, assessment, endsAt } = input;
  const isBad = memory.evidence === "bad";
  switch (memory.verdict) {
    case "healthy":
      return endsAt === null ? null : `${isBad ? "unhealthy" : "degraded"} at ${clockText(endsAt)} if this lasts`;
    case "degraded":
      if (endsAt !== null) return `${isBad ? "unhealthy" : "healthy"} at ${clockText(endsAt)} if this lasts`;
      return assessment.kind === "good" && !assessment.isDegradedHard ? "its score is still under 90" : null;
    case "unhealthy":
      return isBad ? null : "unhealthy until good evidence begins";
    case "recovering":
      return recoveringText(input);
    case "unknown":
      if (endsAt !== null) return `unhealthy at ${clockText(endsAt)} if this lasts`;
      return memory.before === null ? "not judged yet" : `cannot tell; it was ${memory.before} until ${clockText(memory.since)}`;
    case "maintenance":
      return input.maintenance ?? `in maintenance since ${clockText(memory.since)}`;
  }
};

const recoveringText = ({ endsAt, releasedAt }: VerdictWhyInput): string => {
  if (endsAt === null) return "recovering; its clock starts when the evidence is good";
  return releasedAt === null || releasedAt <= endsAt
    ? `recovering; healthy at ${clockText(endsAt)} if this lasts`
    : `recovering; held back as it flapped, healthy at ${clockText(releasedAt)} if this lasts`;
};
