/** Everything has a limit; each says why it is what it is. */

/** Route 53 takes 1,000 elements a batch; less at first, so that one refused service costs fewer others a second call. */
export const BATCH_ELEMENTS_MAX = 400;
/** Route 53 takes 32,000 characters of values a batch; some room for how it counts quotes. */
export const BATCH_CHARACTERS_MAX = 30_000;
/** Up to this many services of a zone are read by name; more are cheaper by pages of the whole zone. */
export const NAMES_READ_MAX = 5;
/** A change call that got no answer in this time is `unknown`. */
export const SEND_TIMEOUT_MS = 10_000;
/** How long one proposal is sent again after a throttled, busy or unknown answer; then it is decided anew (rule A12). */
export const SEND_FOR_MS = 25_000;
export const SEND_BACKOFF_MIN_MS = 100;
export const SEND_BACKOFF_MAX_MS = 5_000;

/** Verification asks until then, and says what it saw. */
export const VERIFY_FOR_MS = 180_000;
export const VERIFY_FIRST_MS = 50;
export const VERIFY_MAX_MS = 5_000;
/** Route 53 changes are in sync in a minute as a rule: asking sooner only costs budget. */
export const GET_CHANGE_FIRST_MS = 1_000;
export const GET_CHANGE_EVERY_MS = 5_000;
export const RESOLVER_TIMEOUT_MS = 1_500;

export const LEASE_TTL_MS = 15_000;
export const LEASE_RENEW_MS = 5_000;
/** The local lease ends this much earlier than the database's: 1 % of rate difference between clocks, and a pause before a send. */
export const LEASE_GUARD_MS = 1_150;

/** Whoever doesn't get a notification looks this often anyway. */
export const POLL_MS = 1_000;
export const DRIFT_SCAN_MS = 30_000;
export const SEEN_EVERY_MS = 5_000;
export const RETENTION_EVERY_MS = 3_600_000;
export const TRANSITIONS_KEPT_MS = 30 * 86_400_000;
export const AGGREGATES_KEPT_MS = 90 * 86_400_000;

export const REQUEST_BYTES_MAX = 1_100_000;
export const HISTORY_PAGE_MAX = 500;
export const EVENT_STREAMS_MAX = 200;
/** Waiting writers of a zone beyond this are refused: an operator must get an answer, not a queue. */
export const ZONE_QUEUE_MAX = 20;
export const TOKEN_TTL_MS = 90 * 86_400_000;
export const SESSION_TTL_MS = 2 * 3_600_000;
export const CODE_TTL_MS = 60_000;
export const IDEMPOTENCY_STALE_MS = 60_000;
