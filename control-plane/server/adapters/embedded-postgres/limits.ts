/** Every number that bounds the embedded Postgres, with its reason. */

/** initdb takes 0.6 s on a laptop; a busy disk ten times as long. */
export const INIT_MS_MAX = 60_000;

/** Crash recovery of the little WAL we allow takes seconds; past this something else is wrong. */
export const START_MS_MAX = 60_000;

/** Each stop (fast, immediate, kill) gets this long before the next harder one. A fast stop writes one checkpoint. */
export const STOP_STEP_MS = 10_000;

/** How often a file or a process is looked at while we wait for it. */
export const POLL_MS = 10;

/** How often a postmaster that isn't our child is looked at: nobody tells us when it ends. */
export const WATCH_MS = 500;

/** An orphan that doesn't greet us within this is stopped instead of reused, seconds. */
export const GREETING_SECONDS = 3;

/** How long we wait for the lock of a server that was killed: Postgres notices within milliseconds. */
export const LOCK_WAIT_MS = 2_000;

/** A log larger than this is begun anew at the next start. */
export const LOG_BYTES_MAX = 5_000_000;

/** Bytes of each generated password. */
export const PASSWORD_BYTES = 24;
