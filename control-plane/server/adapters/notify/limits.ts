/** Limits of what is sent to people, each with its reason. */
import type { BreakerLimits } from "../guard/breaker.ts";
import type { GateLimits } from "../guard/gate.ts";

/** A receiver is asked again within its own growing pauses: the breaker only keeps tests of operators and pages from queueing at a dead one. */
export const NOTIFIER_BREAKER: BreakerLimits = { failures: 5, successes: 1, openMs: 10_000 };
/** One page at a time, and a few tests by operators. */
export const NOTIFIER_GATE: GateLimits = { atOnce: 3, queue: 10 };
/** What a receiver answers is read for its reason; Slack and PagerDuty say it in less. */
export const ANSWER_BYTES_MAX = 16 * 1024;
/** Of the whole exchange: look-up of the name, dial, TLS, answer. */
export const SEND_MS_MAX = 10_000;
/** A secret is a key or a URL. */
export const SECRET_BYTES_MAX = 4 * 1024;
/** Slack cuts the text of a section at 3,000 characters, and escaping makes it longer. */
export const SLACK_TEXT_MAX = 2_800;
/** PagerDuty's summary. */
export const PAGERDUTY_SUMMARY_MAX = 1_024;
/** A subject line longer than this is folded or cut by readers. */
export const SUBJECT_MAX = 150;
