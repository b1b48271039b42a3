/** Limits of the guards, each with its reason. What is settable by the environment has its default here. */
import type { BreakerLimits } from "./breaker.ts";
import type { GateLimits } from "./gate.ts";

/** For whatever has no reason for others: five failures are no accident, and half a minute leaves a sick neighbour in peace. */
export const BREAKER_DEFAULT: BreakerLimits = { failures: 5, successes: 2, openMs: 30_000 };
export const GATE_DEFAULT: GateLimits = { atOnce: 20, queue: 200 };

/** Failures closer together than this, of calls that were under way together, are one event: one cut connection fails all that is on it. */
export const FAILURES_APART_MS = 50;

/** Guards of one process: four of our own, some resolvers, and one for each name server, 2,000 with 500 zones. Those not asked for longest go. */
export const GUARDS_MAX = 2_100;

/** Characters of a failure's code, as it is shown at an open door: enough for every code, too few for a message. */
export const CODE_CHARACTERS_MAX = 40;

/** Errors within errors that are looked at for a code. */
export const CAUSES_MAX = 5;
