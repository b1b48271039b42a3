/**
 * Flap damping: every departure costs a penalty that decays; a region that flaps too often is suppressed, and may not be trusted again until
 * its penalty has decayed. Pure. Called by verdict.ts. RFC 2439 with the one-sided use of algorithms 1.9: suppression delays a return, never
 * a departure.
 *
 *   P(t) = P0 * 2^(-dt / halfLife); suppressed from P >= suppress until P <= reuse; P <= reuse * 2^(120 min / halfLife), so that
 *   suppression by penalties of the past never lasts longer than 120 minutes.
 */
import type { Instant } from "@regent/contract";
import type { HealthMemory, Settings } from "../model.ts";

export const PENALTY_UNHEALTHY = 1_000;
export const PENALTY_DEGRADED = 250;

const SUPPRESSION_MS_MAX = 120 * 60_000;

export type DampingSettings = Pick<Settings, "dampingHalfLifeMs" | "dampingSuppress" | "dampingReuse">;
export type Penalty = Pick<HealthMemory, "penalty" | "penaltyAt">;

/** What is left of the penalty now. Time that runs backwards is taken for no time. */
export const penaltyNow = ({ penalty, penaltyAt }: Penalty, settings: DampingSettings, now: Instant): number =>
  penalty * 2 ** (-Math.max(0, now - penaltyAt) / settings.dampingHalfLifeMs);

export const addPenalty = (before: Penalty, { settings, points, now }: AddInput): Penalty => ({
  penalty: Math.min(penaltyNow(before, settings, now) + points, penaltyMax(settings)),
  penaltyAt: now,
});

export interface AddInput {
  readonly settings: DampingSettings;
  readonly points: number;
  readonly now: Instant;
}

/** Between the two thresholds it stays what it was. `dampingSuppress` null: penalties are shown, nothing is suppressed. */
export const isSuppressedNow = (
  before: Penalty & Pick<HealthMemory, "isSuppressed">,
  settings: DampingSettings,
  now: Instant,
): boolean => {
  if (settings.dampingSuppress === null) return false;
  const penalty = penaltyNow(before, settings, now);
  return penalty >= settings.dampingSuppress || (before.isSuppressed && penalty > settings.dampingReuse);
};

/** First moment at which a suppressed region is so no more; null when it isn't, or never will be by time alone. */
export const releasedAt = (before: Penalty & Pick<HealthMemory, "isSuppressed">, settings: DampingSettings): Instant | null => {
  const { dampingSuppress, dampingReuse, dampingHalfLifeMs } = settings;
  if (!before.isSuppressed || dampingSuppress === null) return null;
  const limit = Math.min(dampingReuse, dampingSuppress);
  const halfLives = Math.log2(before.penalty / limit);
  // One millisecond more, as the curve is only just below the limit at its rounded end.
  return before.penaltyAt + Math.max(0, Math.ceil(halfLives * dampingHalfLifeMs)) + 1;
};

const penaltyMax = ({ dampingReuse, dampingHalfLifeMs }: DampingSettings): number =>
  dampingReuse * 2 ** (SUPPRESSION_MS_MAX / dampingHalfLifeMs);
