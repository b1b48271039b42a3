/** Every limit of the Route 53 adapter, each with its reason. Limits of the service itself are marked (service). */

/** (service) Record sets of one page; fewer would only cost more calls. */
export const RECORD_SETS_PAGE_MAX = 300;
/** Pages of one zone: ten times the service's default of 10,000 record sets. A longer listing is a broken or hostile answer. */
export const ZONE_PAGES_MAX = 340;
/** Pages of one name: 100 members for each of the 13 types fill 5; the double is nonsense. */
export const NAME_PAGES_MAX = 10;
/** (service) Comment of a change batch. */
export const COMMENT_CHARACTERS_MAX = 256;

/** A send that has no answer by then is unknown; longer would only delay the read that settles it. */
export const SEND_TIMEOUT_MS = 10_000;
/** Reads are retried, so each try may be given up sooner. */
export const READ_TIMEOUT_MS = 5_000;
/** Dialling: a few round trips to us-east-1 from anywhere, TLS included. */
export const CONNECT_TIMEOUT_MS = 3_000;
/** Tries of one read, the first included; each takes its own token from the budget. */
export const READ_TRIES_MAX = 3;
/** The same while others spend the account's rate: giving up would read all pages of the zone again. At the lowest rate this takes 13 s. */
export const THROTTLED_TRIES_MAX = 8;
/** Greatest wait before the first retry of a read; doubles for the next. The wait itself is drawn evenly from 0 to this. */
export const READ_RETRY_MS = 250;
/** It doubles up to this: while others spend the account's rate, the budget waits already. */
export const READ_RETRY_MS_MAX = 1_000;
/** Calls of each lane at once, and those that may wait; together they fill the connections, so none takes another's. */
export const GATES = {
  change: { atOnce: 8, queue: 1_000 },
  read: { atOnce: 8, queue: 5_000 },
  poll: { atOnce: 4, queue: 5_000 },
} as const;
/** Connections at a time: one for each call that the gates let in. */
export const CONNECTIONS_MAX = GATES.change.atOnce + GATES.read.atOnce + GATES.poll.atOnce;
/**
 * Failovers wait for the first two, so they are tried again after a second; a call that fails costs Route 53 nothing. The third only
 * follows what was done already. Three failures: a send may hang for 10 s, and is given up after 25 s.
 */
export const BREAKERS = {
  change: { failures: 3, successes: 2, openMs: 1_000 },
  read: { failures: 3, successes: 2, openMs: 1_000 },
  poll: { failures: 5, successes: 2, openMs: 5_000 },
} as const;

/** Characters of one sentence about an error, so that a page of markup never reaches a log or an operator. */
export const WHY_CHARACTERS_MAX = 300;
/** Messages kept of one refused batch: a batch has at most 1,000 elements, and nobody reads more than these. */
export const MESSAGES_MAX = 200;

/** Account-wide call rate: the lower of the two limits that Route 53 has published (5/s, later 10/s with burst 50). */
export const CALLS_PER_SECOND = 5;
export const CALLS_BURST = 10;
/** Callers that may wait for a token; more is a caller that doesn't wait for its answers. */
export const WAITERS_MAX = 10_000;
/** From standstill the rate would grow to the whole in this time: quickly enough for a failover, slowly enough not to be throttled each second. */
export const RECOVER_MS = 30_000;
/** Throttled answers closer together than this are one event: they were under way together. */
export const SLOW_STEP_MS = 1_000;
/** Lowest part of the configured rate: a change still goes out within 2 s at 5/s. */
export const SLOW_FACTOR_MIN = 0.125;

/** (service) GetHealthCheckStatus: 1/s, burst 4. */
export const HEALTH_CALLS_PER_SECOND = 1;
export const HEALTH_CALLS_BURST = 4;
/** A status younger than this is not asked for again: checkers themselves look every 10 or 30 s. */
export const HEALTH_FRESH_MS = 10_000;
/** A status older than this is unknown. At 1/s, 100 checks are asked for once in this time. */
export const HEALTH_AGE_MS_MAX = 120_000;
/** Whether a check is inverted or disabled changes by hand only. */
export const HEALTH_CONFIG_FRESH_MS = 300_000;
/** (service) 200 checks an account by default; five times that is remembered. */
export const HEALTH_CHECKS_MAX = 1_000;
/** (service) A check is healthy when more than this part of its checkers says so. */
export const HEALTHY_CHECKERS_SHARE = 0.18;

/** A zone's name servers never change while it lives; asked again this often in case the zone was made anew under a test's id. */
export const NAME_SERVERS_FRESH_MS = 60_000;
/** (service) 500 zones an account by default. */
export const ZONES_MAX = 500;
