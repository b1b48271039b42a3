/** Guards and a pool as metrics read them, with a number of its own for each figure. */
import type { GuardView, PoolView } from "../ports/outside-view.ts";

export const exampleGuard = (more: Partial<GuardView> = {}): GuardView => ({
  name: "resolver:192.0.2.1:53",
  kind: "resolver",
  state: "closed",
  since: 0,
  failures: 0,
  openUntil: null,
  limits: { failures: 5, successes: 2, openMs: 5_000, atOnce: 100, queue: 2_000 },
  underWay: 2,
  waiting: 1,
  counts: { answered: 10, failed: 3, refused: 7, turnedAway: 0, retried: 4, opened: 1 },
  lastFailure: null,
  ...more,
});

const LANE = { min: 2, max: 10, size: 4, inUse: 3, waiting: 5, waitingMax: 9 };

export const EXAMPLE_POOL: PoolView = {
  state: "degraded",
  since: 0,
  reports: LANE,
  decisions: { ...LANE, max: 3 },
  responseMsP50: 1,
  responseMsP95: 2,
  held: 1,
  heldEver: 6,
  connectionsLost: 8,
  checkedAt: 0,
  lastError: null,
};
