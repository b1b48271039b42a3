/** Bounds of the Node runtime, each with its reason. The core's are in `core/limits.ts`. */

/** Probes that fall due within this are started by one timer: 1,000 checks a second need 200 wake-ups, not 1,000, ms. */
export const TICK_MS = 5;
/** A probe that has not ended this long after its deadline has a bug; its slot is given back, ms. */
export const PROBE_GRACE_MS = 2_000;
/** How often such probes are looked for, ms. */
export const WATCH_MS = 1_000;

/** Transitions within this travel together, ms. */
export const COALESCE_MS = 10;
/** Room after each report that a push takes, however many transitions there are, ms: a control plane takes 20 a second from one agent. */
export const PUSH_GAP_MS = 50;
/** Regular reports come up to this much early, so that agents started together spread: a share of the interval. */
export const REPORT_JITTER = 0.1;
/** Until the first configuration comes, ms. */
export const REPORT_INTERVAL_UNCONFIGURED_MS = 1_000;

/** After this a control plane that has not answered is taken as away, algorithms 6, ms. */
export const REPORT_TIMEOUT_MS = 3_000;
export const RETRY_FIRST_MS = 100;
/** Longest wait between tries while a transition waits, ms. */
export const RETRY_URGENT_MAX_MS = 2_000;
export const RETRY_MAX_MS = 30_000;
/** Longest Retry-After that is obeyed, ms: a mistaken header must not silence an agent. */
export const RETRY_AFTER_MAX_MS = 60_000;
/** Between tries when the control plane does not know our key: it may be declared any moment, ms. */
export const REFRESH_MAX_MS = 5_000;
/** Between tries when the control plane refuses this agent for good, ms. */
export const FATAL_WAIT_MS = 300_000;
/** A report's first try that is taken for a second one, so often within so long: not one copy on the way, but another agent that counts as we do. */
export const TWIN_REPLAYS = 3;
export const TWIN_WITHIN_MS = 60_000;
/** The configuration's 2 MB, escaped as JSON in JSON, and its envelope. */
export const RECEIPT_BYTES_MAX = 5 * 1024 * 1024;

/** A canary that does not connect within this is unreachable, ms. */
export const CANARY_TIMEOUT_MS = 1_000;
/** Canaries are not dialled more often than this, ms. */
export const CANARY_GAP_MS = 500;

/** Time to send what is left when told to stop, ms. Supervisors commonly kill after 10 s. */
export const STOP_MS = 2_000;
/** How often a changed spool is written to disk, ms. */
export const SPOOL_SAVE_MS = 10_000;

/** Ready means: a report was acknowledged within this, ms. */
export const READY_ACK_MS = 60_000;
