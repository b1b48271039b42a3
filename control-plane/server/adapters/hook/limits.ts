/** Limits of what is asked of a hook, each with its reason. */
import type { BreakerLimits } from "../guard/breaker.ts";
import type { GateLimits } from "../guard/gate.ts";

/** Of the whole exchange. A promotion takes longer, and is answered as `working`. */
export const HOOK_MS_MAX = 5_000;
/** It is asked again within its own growing pauses: an open breaker must be over well before a transfer's time is. */
export const HOOK_BREAKER: BreakerLimits = { failures: 5, successes: 1, openMs: 5_000 };
/** One transfer of a service at a time, and so one call. */
export const HOOK_GATE: GateLimits = { atOnce: 1, queue: 1 };
/** Goes into history, and from there into pages. */
export const HOOK_WHY_MAX = 500;
