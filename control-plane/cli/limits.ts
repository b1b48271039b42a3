/** Bounds of the command and of `up`, each with its reason. Milliseconds unless the name says otherwise. */

/** The server answers a read in milliseconds; past this it is as good as away. */
export const DNS_TRY_MS = 1_000;
/** Questions under way at once: more than this only queues in the name server's socket buffer. */
export const DNS_PARALLEL = 32;
/** `dig --count`: enough to tell 45.7 % from 46.5 %, few enough to take a second. */
export const DIG_COUNT_MAX = 20_000;
export const DIG_COUNT = 60;

/** A part that ends is started again after this, doubled each time it ends young. */
export const RESTART_MS_MIN = 200;
export const RESTART_MS_MAX = 10_000;
/** Starts that may fail in a row before whoever waits is told: a port that is just being let go costs one. */
export const STARTS_MAX = 3;
/** A part that ran this long has recovered: the next restart is quick again. */
export const RESTART_FORGET_MS = 10_000;
/** Parts told to stop get this long, then they are killed; the whole stop stays within 5 s. */
export const PART_STOP_MS = 4_500;
/** Agents hand in what they have, then end; longer would hold up the rest. */
export const AGENTS_STOP_MS = 1_200;
/** First start makes Postgres clusters; on a busy machine that takes its time. */
export const PART_READY_MS = 90_000;
/** Children of a supervisor that was killed end within their own 3 s; their ports are waited for this long. */
export const PORTS_WAIT_MS = 5_000;
/** A log that has grown past this is put aside at the next start. */
export const LOG_BYTES_MAX = 10 * 1024 * 1024;

/** Ports are drawn from here: below the range that Linux and macOS give to outgoing connections, so that they are still free tomorrow. */
export const PORT_MIN = 20_000;
export const PORT_MAX = 32_000;

/** The live view asks and draws this often; twice a second looks alive and costs nothing. */
export const VIEW_PERIOD_MS = 500;
/** DNS questions per service and round of the live view. */
export const VIEW_SAMPLES = 12;
/** Rounds that the sampled answers are taken over: about two TTLs of the sandbox profile would hide a move, 3 s show it. */
export const VIEW_SAMPLE_ROUNDS = 6;
/** History lines under the table. */
export const VIEW_HISTORY = 6;
/** `status --watch` looks this often. */
export const WATCH_PERIOD_MS = 1_000;
/** Events that `history` asks for unless told. */
export const HISTORY_LIMIT = 20;
export const HISTORY_LIMIT_MAX = 500;

/** Steps of an outage script: a night that needs more is two scripts. */
export const OUTAGE_STEPS_MAX = 200;
/** Breaks and mends that a script's steps come to when they repeat. Each is a call and a line on the screen. */
export const OUTAGE_ACTS_MAX = 1_000;
/** A script may last a working day; what is broken for longer is not an outage but a setting. */
export const OUTAGE_MS_MAX = 12 * 3_600_000;
/** A fault that stands shorter is over before the agents of the quickest profile have looked, and calls to set it would overlap. */
export const OUTAGE_FAULT_MS_MIN = 100;

/** `offline`: a change that Route 53 certainly didn't take is sent again for so long. */
export const OFFLINE_SEND_MS = 30_000;
export const OFFLINE_SEND_PAUSE_MS = 500;
/** Without an answer DNS is read for so long: most requests that arrive at all have arrived by then. */
export const OFFLINE_LOOKS_MS = 15_000;
export const OFFLINE_LOOK_MS = 1_000;

/** `region evacuate` looks this often: a step is about a second. */
export const EVACUATION_LOOK_MS = 1_000;
/** Looks in a row without an answer: a new leader is there within half a minute. */
export const EVACUATION_LOOKS_FAILED_MAX = 30;
