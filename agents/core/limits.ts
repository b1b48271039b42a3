/** Every bound of the agent, each with its reason. Runtime-neutral. */

/** A fresh agent spreads its first probes over at most this, so that a start is quick but not a burst, ms. */
export const START_SPREAD_MS = 500;

/** p90 over this window decides `latency`: the contract's 60 s, ms. */
export const LATENCY_WINDOW_MS = 60_000;
/** Fewer passing runs than this say nothing about p90. Slow cadences keep this many runs, however old. */
export const LATENCY_RUNS_MIN = 5;
/** Memory bound of one check's window; at the fastest cadence it covers less than the 60 s. */
export const LATENCY_RUNS_MAX = 600;

/** Observations of one check that may wait for delivery. A freshness window holds about 20 at the shipped cadences. */
export const PENDING_PER_CHECK_MAX = 40;

/** Bytes of observations in one report: the contract's 256 KiB less room for envelope and JSON overhead. */
export const PART_BYTES_MAX = 200 * 1024;
/** What one `unchanged` line takes besides its target id, bytes: punctuation, age and latency. */
export const UNCHANGED_BYTES = 64;
/** Spooled observations in one report: replay must never crowd out the next live report. */
export const BACKFILL_PER_REPORT_MAX = 200;

export const SPOOL_BYTES_MAX = 1024 * 1024;
export const SPOOL_AGE_MAX_MS = 3_600_000;
/** During an outage a steady check is spooled once in this time: charts have one point a minute, ms. */
export const SPOOL_STEADY_MS = 60_000;

/** A settled check is listed in full this often, so that the control plane can heal what it lost, ms. */
export const FULL_LISTING_EVERY_MS = 60_000;

/** Agent modes, algorithms 6. */
export const MODE_SLOW_ACK_MS = 2_000;
export const MODE_ACKS_KEPT = 20;
export const MODE_FAILURES_TO_DEGRADE = 3;
export const MODE_CLEAN_ACKS_TO_RECOVER = 5;
export const MODE_EMERGENCY_AFTER_MS = 60_000;

/** A probe that ends this much after its deadline was delayed by us: its failure is no evidence, ms. */
export const OVERLOAD_LATE_MS = 250;
