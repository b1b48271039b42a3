/** Every number that bounds our use of Postgres, with its reason. */

/** Statements of one process that Postgres works on at once. Six replicas with these, the next and LISTEN fit a server's default of 100. */
export const CONNECTIONS_FOR_REPORTS = 10;

/** A commit, a lease renewal and a look at the clock at the same time. */
export const CONNECTIONS_FOR_DECISIONS = 3;

/** A server that doesn't greet us within this is away; the next try goes to another host of the URL. */
export const CONNECT_TIMEOUT_SECONDS = 5;

/** Our longest statement is a full load of 1,000 services, well below a second. Longer means a sick server: say so. */
export const STATEMENT_TIMEOUT_MS = 10_000;

/** One unit of work. A server that was cut off without a word answers nothing, not even that a statement timed out. */
export const WORK_TIMEOUT_MS = 15_000;

/** Row locks are held for one short transaction; waiting longer means that its holder hangs. */
export const LOCK_TIMEOUT_MS = 5_000;

/** A transaction of ours never waits for anything but its own statements. */
export const IDLE_IN_TRANSACTION_TIMEOUT_MS = 10_000;

/** A transaction under the lease takes milliseconds. One that is older when the lease ran out belongs to somebody who is frozen or gone. */
export const FENCED_OVERDUE_MS = 5_000;

/** Serialization failures and deadlocks end at the next try or two; more means a design error that should be seen. */
export const WORK_ATTEMPTS_MAX = 3;

/** First pause before trying again, ms; doubled each time and jittered. */
export const RETRY_PAUSE_MS = 10;

/** A connection is made anew after this: a server's process grows with what it has seen. */
export const LINE_AGE_MS_MAX = 1_800_000;

/** How long the statements of a closing connection may take to end, seconds. */
export const LINE_CLOSE_SECONDS = 5;

/** Rivals for one agent's row: one replica and a retry at another. Each lost round means that another report was taken. */
export const INGEST_ATTEMPTS_MAX = 50;

/** Agents whose rows a process remembers, so that a steady report needs no read. The declaration allows 1,000. */
export const REMEMBERED_AGENTS_MAX = 2_000;

/** Waiting for another replica that migrates. */
export const MIGRATION_LOCK_TIMEOUT_MS = 60_000;

/** Pauses between tries to listen again, ms: first and longest. */
export const LISTEN_PAUSE_MS_MIN = 100;
export const LISTEN_PAUSE_MS_MAX = 5_000;

/** A listening connection that is cut without a word would stay deaf: it is asked this often. */
export const LISTEN_CHECK_MS = 10_000;

/** The clocks of two machines drift by up to 100 ppm: 1 ms in 10 s. */
export const CLOCK_REFRESH_MS = 10_000;

/** Samples kept; the one with the shortest round trip is believed. At most 80 s old, so 8 ms of drift. */
export const CLOCK_SAMPLES = 8;

/** A correction larger than this is a step of the database's clock and is followed at once; a smaller one never makes time go back. */
export const CLOCK_STEP_MS = 1_000;

/** Answers under an idempotency key are kept for a day: no client retries longer. */
export const IDEMPOTENCY_KEPT_MS = 86_400_000;

/** Rows that one call may sweep away on its way, so that sweeping never makes a caller wait. */
export const SWEEP_ROWS_MAX = 100;

/** Old rows dropped by one statement, so that none runs into its timeout or holds much back. */
export const PRUNE_ROWS_MAX = 10_000;

/** Settled outbox rows are loaded while the rollback of an accepted batch can still come to light. */
export const OUTBOX_LOADED_MS = 86_400_000;
/** A copy of a batch that was given up may still arrive for a few minutes; then it must be known. */
export const REFUSED_LOADED_MS = 900_000;

/** Rows of one page of history, whatever was asked for. */
export const HISTORY_PAGE_MAX = 500;

/** Check rows remembered of one agent: its configuration allows 2,000 assignments. */
export const REMEMBERED_CHECKS_MAX = 4_000;

/** Connections for reports and reads that are kept when there is little to do: one in use, one at hand. */
export const CONNECTIONS_FOR_REPORTS_MIN = 2;

/** After Postgres had no room for another connection, none is opened for this long: others need what becomes free. */
export const GROW_AGAIN_MS = 10_000;

/** A connection above the least is closed when it was idle for this: longer than the pause between two waves of reports. */
export const LINE_IDLE_MS = 60_000;

/** An idle connection that doesn't answer by then is replaced; the same statement takes a millisecond. */
export const LINE_CHECK_MS = 2_000;

/** Units of work that share the report connections at once, waiting ones included; more would only be answered after their senders left. */
export const SHARED_WORK_MAX = 5_000;

/** Reports and reads wait this long before the database is tried again: they are repeated by who sent them, decisions never wait for it. */
export const DATABASE_BREAKER = { failures: 5, successes: 2, openMs: 1_000 } as const;

/** A unit of work takes milliseconds, its longest wait (for a lock) is LOCK_TIMEOUT_MS. */
export const HELD_MS = 5_000;

/** How often we look for units of work that are held for too long. */
export const HELD_LOOK_MS = 1_000;

/** Looks: how often while all is well, how often while it isn't, and how long one may take. */
export const LOOK_EVERY_MS = 10_000;
export const LOOK_AGAIN_MS = 1_000;
export const LOOK_TIMEOUT_MS = 2_000;

/** An answer about the database's health is given again for this long: more often it tells nobody more. */
export const HEALTH_KEPT_MS = 1_000;

/** A report waits for one commit: above a quarter of a second at p95 the promised 100 ms are long gone. */
export const POOL_THRESHOLDS = { slowMs: 250, strainedLooks: 2, unansweredLooks: 2, goodLooks: 3 } as const;

/** Durations remembered for p50 and p95, and for how long: at 4,000/s the last quarter of a second, at 1/s the last minute. */
export const DURATIONS_KEPT = 1_024;
export const DURATIONS_KEPT_MS = 60_000;

/** What a log line tells of one held unit of work. */
export const STATEMENT_CHARACTERS_MAX = 200;
export const PLACE_FRAMES = 3;

/** At the start: the database may come up with us. First pause (doubled, jittered), longest pause and tries: about 10 s in all. */
export const FIRST_CONNECT_PAUSE_MS = 500;
export const FIRST_CONNECT_PAUSE_MS_MAX = 5_000;
export const FIRST_CONNECT_TRIES_MAX = 6;
