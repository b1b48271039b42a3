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
/** After a conflict everything is read again first; the next try meets another writer only by bad luck. */
export const STRIKE_CONFLICTS_MAX = 3;
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
/** Processes tell the database's time within milliseconds: what lies further ahead was written before its clock was set back. */
export const CLOCK_AHEAD_MS = 1_000;
/** Whoever begins to lead takes a jump that it noticed this lately into account: the lease is lost by a jump forward and taken anew within seconds. */
export const CLOCK_STEP_COUNTS_MS = 60_000;

/** A leader whose reads of Route 53 fail for this long lets another replica try: two tries and their timeouts. */
export const UNREACHED_MS = 10_000;
/** It is patient for twice as long each time that this helped nobody, up to this. */
export const UNREACHED_MS_MAX = 160_000;
/** Who gave the lease up leaves it to others for this long: several looks of a follower. */
export const GIVEN_UP_MS = 5_000;

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

/** An operator's request is a few names and a reason; configurations have REQUEST_BYTES_MAX. */
export const OPERATOR_BYTES_MAX = 64 * 1024;
/** Wrong tokens and codes of one address in a minute: a person mistypes a few, a guesser needs 2^255. */
export const SIGN_IN_FAILURES_PER_MINUTE = 10;
/** Mutations of one actor: a runbook that moves 30 services at once passes, a loop gone wild doesn't. */
export const MUTATIONS_BURST = 60;
export const MUTATIONS_PER_SECOND = 2;
/** Reports claimed for one agent: one a second in the fastest profile, one more at every transition, and a spool that empties. */
export const AGENT_REPORTS_BURST = 200;
export const AGENT_REPORTS_PER_SECOND = 20;
/** Reports from one address: a thousand agents behind one gateway report every second. */
export const ADDRESS_REPORTS_BURST = 5_000;
export const ADDRESS_REPORTS_PER_SECOND = 2_000;
/** Senders that a rate limit remembers; the one not heard for longest is forgotten first. */
export const RATE_KEYS_MAX = 10_000;
/** Credentials remembered for reading while the database is away, and for how long after they were last seen to be valid. */
export const KNOWN_CREDENTIALS_MAX = 500;
export const KNOWN_CREDENTIAL_MS = 10 * 60_000;
/** Proxies close a connection that is silent for 30 to 60 s. */
export const EVENT_HEARTBEAT_MS = 15_000;
/** A stream ends then and the browser comes back, so that a revoked token stops seeing. */
export const EVENT_STREAM_MS_MAX = 15 * 60_000;
/** What a client waits before it comes back to an ended stream. */
export const EVENT_RETRY_MS = 2_000;
/** A new admin token is made when less than this is left of the old one at a start. */
export const ADMIN_TOKEN_RENEW_MS = TOKEN_TTL_MS / 3;
/** Sockets of one listener: the 5,000 reports that may wait, the streams, and room for people. */
export const CONNECTIONS_MAX = 6_000;
/** A request must have arrived in full by then; a report of 256 KiB takes 8 s at 256 kbit/s. */
export const REQUEST_TIMEOUT_MS = 30_000;
export const HEADERS_TIMEOUT_MS = 10_000;
/** Longer than the idle time of common load balancers (60 s), so that they and not we close first. */
export const KEEP_ALIVE_MS = 65_000;

/** Dead letters kept: enough to see a pattern and to bring back an hour of one agent; a flood of them is one fault told often. */
export const DEAD_LETTERS_MAX = 1_000;
/** Their payloads: a report has up to 256 KiB, and a small database must not fill with them. */
export const DEAD_LETTER_BYTES_MAX = 64 * 1024 * 1024;
/** A person looks within a week, or never. */
export const DEAD_LETTER_KEPT_MS = 7 * 86_400_000;
/** Approvals in one answer, those that wait in front: more than a thousand services never wait together for long. */
export const APPROVALS_SHOWN_MAX = 1_000;

/** Planned maintenance windows that stand at a time: twenty regions with ten each is more than anybody keeps in mind. */
export const MAINTENANCE_STANDING_MAX = 200;
/** A window is planned no further ahead: who works here then is not known. */
export const MAINTENANCE_AHEAD_MS_MAX = 366 * 86_400_000;
/** A window may begin so long ago, as clocks and typing differ; what is over can't be planned. */
export const MAINTENANCE_LATE_MS_MAX = 60_000;
/** Rows of windows that are over: an auditor asks for the last quarter. */
export const MAINTENANCE_KEPT_MS = 180 * 86_400_000;

/** One page of them. */
export const DEAD_LETTERS_PAGE_MAX = 200;
/** How often the leader looks whether there are new ones to tell. */
export const DEAD_LETTERS_LOOK_MS = 10_000;

/** How often the leader looks whether a vantage lost its vote, or has it again; what two looks in a row see is told. */
export const SUSPECTS_LOOK_MS = 2_000;

/** A look at what the mode rests on: what it takes to see a trouble is two or three of these. */
export const MODE_ROUND_MS = 2_000;
/** A failover is about ten statements: with 2 s for a ping it would outlast its lease. */
export const DATABASE_SLOW_MS = 2_000;
/** A canary that takes no connection within this is unreachable. */
export const CANARY_TIMEOUT_MS = 1_500;
/** Changes of mode that wait to be told in history. */
export const MODE_TOLD_MAX = 20;

/** Reports of one process under way at once, all lanes: enough to keep ten connections of Postgres busy, few enough to answer people meanwhile. */
export const REPORT_PLACES = 64;
/** A wait that is longer than the 3 s after which an agent gives up is work for nobody. */
const REPORT_WAIT_MS_MAX = 2_000;
/**
 * Together 5,000 reports may wait, fewer than there are sockets: an operator still finds one. Bytes: half of the memory that a small machine has
 * to spare. Eight places are kept for reports of changes. A backlog waits briefly, because its agent tells nothing else meanwhile.
 */
export const LANE_LIMITS = {
  operator: { places: 64, waitingMax: 256, bytesMax: 32 * 1024 * 1024, waitMsMax: 10_000 },
  transition: { places: REPORT_PLACES, waitingMax: 1_000, bytesMax: 32 * 1024 * 1024, waitMsMax: REPORT_WAIT_MS_MAX },
  live: { places: REPORT_PLACES - 8, waitingMax: 3_500, bytesMax: 64 * 1024 * 1024, waitMsMax: REPORT_WAIT_MS_MAX },
  backlog: { places: 2, waitingMax: 500, bytesMax: 16 * 1024 * 1024, waitMsMax: 250 },
} as const;
/** Places of the lane `live` while the event loop is far behind. */
export const LIVE_PLACES_THROTTLED = 8;
/** Reports from spools that one process takes: after an outage of hours all agents drain at once, and what is new goes first. */
export const BACKLOG_PER_SECOND = 20;
/** When to come back to a full lane, ms, and how far that is spread. */
export const RETRY_AFTER_FULL_MS = 1_000;
export const RETRY_AFTER_FULL_SPREAD_MS = 4_000;
/** Mean lag of the event loop over a second, ms. The intake promises 100 ms for 99 of 100 reports: half of that is the first sign. */
export const LAG_QUEUE_MS = 50;
export const LAG_THROTTLE_MS = 150;
/** Agents give up after 3 s; with this lag, and a database to ask, most of what is taken is taken in vain. */
export const LAG_BREAK_MS = 500;

/** Entries of history that are read at once for pages: a region with 200 services is two rounds. */
export const PAGE_ENTRIES_MAX = 200;
/** A transaction ends within 15 s: a place in history that is still empty after so long stays empty. */
export const PAGE_GAP_MS = 30_000;
/** Empty places of history that are remembered; each is a transaction that was undone, or one under way. */
export const PAGE_GAPS_MAX = 1_000;
/** The page follows its commit by a wake-up; this is for one that got lost. */
export const PAGE_POLL_MS = 1_000;
/** More of the same is gathered for so long; what is new, worse or over is told at once. */
export const PAGE_UPDATE_EVERY_MS = 60_000;
/** Nobody heard of it for so long: it is closed, and says so. */
export const INCIDENT_QUIET_MS = 7 * 86_400_000;
/** An auditor asks for the last quarter. */
export const INCIDENT_KEPT_MS = 180 * 86_400_000;
export const INCIDENT_FORGET_EVERY_MS = 3_600_000;
/** Every region of 1,000 services in 20 regions could be hit; a list of names helps nobody beyond that. */
export const INCIDENT_PARTS_MAX = 20_000;
/** Parts named in a message or an answer; the count says how many there are. */
export const INCIDENT_PARTS_TOLD_MAX = 20;
/** Sentences kept of an incident. */
export const INCIDENT_LINES_MAX = 20;
/** Characters of a sentence in a message: an answer of Route 53 may be quoted in it. */
export const INCIDENT_LINE_CHARACTERS_MAX = 500;
/** Told again to whom nobody acknowledged: after the third time another call helps nobody. */
export const ESCALATIONS_MAX = 3;
/** Deliveries of one notifier that are read at once. */
export const PAGE_DELIVERIES_EACH = 20;
/** A receiver that is away for longer gets a dead letter instead of a page of yesterday. */
export const PAGE_AGE_MS_MAX = 24 * 3_600_000;
/** Waiting for one notifier; the oldest become dead letters. */
export const PAGES_WAITING_MAX = 1_000;
/** Between two tries to reach a receiver, doubled each time, drawn from half of it up. */
export const PAGE_RETRY_MS = 1_000;
export const PAGE_RETRY_MS_MAX = 60_000;
/** A receiver that asks for more patience than this gets so much. */
export const PAGE_RETRY_AFTER_MS_MAX = 600_000;
/** A stopping leader waits so long for receivers that are being told: its successor waits for the lease meanwhile. */
export const PAGES_END_MS = 1_000;
/** Who hasn't looked at its services for so long isn't well, whatever else answers. */
export const HEARTBEAT_JUDGED_MS = 60_000;
/** Incidents of one answer. */
/** Of what was seen: as long as a day, and as much as a person could want to rehearse. */
export const RECORDING_MS_MAX = 86_400_000;
export const RECORDING_TURNS_MAX = 20_000;
export const INCIDENTS_PAGE_MAX = 200;

/** Of one service at a time: more than a person can keep in mind, with a word for each of 20 regions. */
export const OVERRIDES_MAX = 20;

/**
 * Services of one step of an evacuation: with A and AAAA in three regions they fill one change call, and 200 services are eight of them, within the
 * ten and the 30 s that a dead region may take. Few enough that a person who sees what it does can stop it.
 */
export const EVACUATION_STEP_SERVICES = 25;
/** What isn't accepted after this no longer holds up the next step: another zone may be well. As long as a batch is sent for. */
export const EVACUATION_STEP_MS_MAX = 30_000;
/** A service whose change isn't accepted, or that can't be asked, for so long has failed: a person has to look at it. */
export const EVACUATION_SERVICE_MS_MAX = 600_000;
/** Between two tries of a service that couldn't be asked, doubled each time. */
export const EVACUATION_RETRY_MS = 500;
export const EVACUATION_RETRY_MS_MAX = 15_000;
/** A commit wakes an evacuation; this is for a wake-up that got lost, and for what time alone decides. */
export const EVACUATION_POLL_MS = 1_000;
/** Evacuations that are over and stay listed: a year of weekly drills in ten regions. A return looks there for whose a drain is. */
export const EVACUATIONS_KEPT = 1_000;
/** Earlier ones of its region that a return looks at. */
export const EVACUATIONS_EARLIER_MAX = 100;
/** Evacuations of one answer: each may list a thousand services. */
export const EVACUATIONS_PAGE_MAX = 20;
export const CONFIGURATION_VERSIONS_PAGE_MAX = 100;

/** How often alert rules are evaluated: the shortest thing that one can say is about ten seconds. */
export const ALERT_ROUND_MS = 5_000;
/** Rules of all sources together, beyond which none is added by API. */
export const ALERT_RULES_MAX = 200;
/** Series of one rule that are looked at: as many as there may be agents. */
export const ALERT_SERIES_MAX = 1_000;
/** Alerts in one answer. */
export const ALERTS_SHOWN_MAX = 1_000;
/** A pending alert that no leader saw for longer begins anew; a change of leader takes a fifth of it. */
export const ALERT_GAP_MS = 120_000;
/** How often a pending alert notes that it still holds: half of the gap, so that one lost write doesn't cost it. */
export const ALERT_NOTE_MS = 60_000;
/** What fires ends when it hasn't held for so long without a break: what goes to and fro is one page, and not one each time. */
export const ALERT_QUIET_MS = 60_000;
/** A firing alert of which nothing is known any more ends then, beyond its own window: its series went, or the process is another. */
export const ALERT_UNKNOWN_MS = 300_000;
