/**
 * How well the database serves us, from one look after the other. Pure. Bad news needs two looks and good news three, so that one slow
 * moment changes nothing; only a look that isn't answered at all is believed at once, as degraded.
 */

export interface PoolThresholds {
  /** p95 of the last minute above which a look is strained. */
  readonly slowMs: number;
  /** Strained looks in a row until it is degraded. */
  readonly strainedLooks: number;
  /** Unanswered looks in a row until it is unhealthy. */
  readonly unansweredLooks: number;
  /** Good looks in a row until it is healthy again. */
  readonly goodLooks: number;
}

export interface PoolLook {
  readonly hasAnswered: boolean;
  readonly p95Ms: number | null;
  /** All connections there may be are in use, and work waits for them. */
  readonly isQueueing: boolean;
  /** Units of work that hold a connection for too long. */
  readonly held: number;
}

export interface PoolHealth {
  readonly state: "healthy" | "degraded" | "unhealthy" | "recovering";
  readonly since: number;
  /** Looks in a row of each kind. */
  readonly good: number;
  readonly strained: number;
  readonly unanswered: number;
}

export const createPoolHealth = (now: number): PoolHealth => ({
  state: "healthy",
  since: now,
  good: 0,
  strained: 0,
  unanswered: 0,
});

export const afterLook = (health: PoolHealth, look: PoolLook, now: number, thresholds: PoolThresholds): PoolHealth => {
  const counted = count(health, look, thresholds);
  const state = nextState(counted, thresholds);
  return { ...counted, state, since: state === health.state ? health.since : now };
};

const count = (health: PoolHealth, look: PoolLook, { slowMs }: PoolThresholds): PoolHealth => {
  if (!look.hasAnswered) return { ...health, good: 0, strained: 0, unanswered: health.unanswered + 1 };
  const isStrained = (look.p95Ms !== null && look.p95Ms > slowMs) || look.isQueueing || look.held > 0;
  return isStrained
    ? { ...health, good: 0, strained: health.strained + 1, unanswered: 0 }
    : { ...health, good: health.good + 1, strained: 0, unanswered: 0 };
};

const nextState = (
  { state, good, strained, unanswered }: PoolHealth,
  { strainedLooks, unansweredLooks, goodLooks }: PoolThresholds,
): PoolHealth["state"] => {
  switch (state) {
    case "healthy":
      if (unanswered >= unansweredLooks) return "unhealthy";
      return unanswered > 0 || strained >= strainedLooks ? "degraded" : "healthy";
    case "degraded":
      if (unanswered >= unansweredLooks) return "unhealthy";
      return good >= goodLooks ? "healthy" : "degraded";
    case "unhealthy":
      return unanswered === 0 ? "recovering" : "unhealthy";
    case "recovering":
      if (unanswered > 0) return "unhealthy";
      if (strained >= strainedLooks) return "degraded";
      return good >= goodLooks ? "healthy" : "recovering";
  }
};
