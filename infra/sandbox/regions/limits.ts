/** Every bound of regions, links and the sandbox's control, each with its reason. */

/** A region answers probes of every vantage and of native checks; past this it is being flooded, and one laptop serves them all. */
export const API_CONNECTIONS_MAX = 1_024;
/** Probes send no body to speak of; whatever else arrives is read and dropped up to here, then the connection is reset. */
export const API_REQUEST_BYTES_MAX = 64 * 1_024;
/** The deep check must end well inside the sandbox profile's probe timeout of 800 ms. */
export const DATABASE_CHECK_MS_MAX = 400;
/** Deep answers are shared for this long, so that many vantages cost one query; longer would delay what a fault shows. */
export const DATABASE_CHECK_CACHE_MS = 100;
/** Loading a region's state or breaking it waits for Postgres at most this long. */
export const REGION_CHANGE_MS_MAX = 20_000;
/** A cold start on a busy two-core laptop takes a few seconds; past this something is wrong and the log says what. */
export const POSTGRES_START_MS_MAX = 30_000;
/** initdb takes under a second on an idle machine and ten on a very busy one. */
export const POSTGRES_INIT_MS_MAX = 60_000;
/** How long an ordered stop may take before the next harder signal; three steps stay within the sandbox's 3 s. */
export const POSTGRES_STOP_STEP_MS = 900;
/** A standby that could not be made yet is tried again after this: the other region may still be making its own half. */
export const PAIR_MAKE_AGAIN_MS = 200;
/** How often files and pids that have no event are looked at. */
export const POSTGRES_POLL_MS = 10;
/** Six vantages with a few overlapping probes each fit; a leaking prober meets its own limit before the region's. */
export const PROBE_CONNECTIONS_MAX = 14;
/** A wrong control request is refused long before it costs memory. */
export const CONTROL_BODY_BYTES_MAX = 16 * 1_024;
/** A region process that does not answer its control port within this is reported as unreachable. */
export const CONTROL_READ_MS_MAX = 1_000;
/** A link carries a handful of probes; past this the prober leaks, and new dials are reset. */
export const LINK_CONNECTIONS_MAX = 256;
/** A closed upstream is dialled this often, so that a mended region is reachable again at once. A refused dial costs nothing. */
export const UPSTREAM_REDIAL_MS = 50;
/** An upstream that accepts and hangs up at once is dialled ever more slowly, up to this. */
export const UPSTREAM_REDIAL_MS_MAX = 1_000;
/** A dial that nobody refused within this counts as a listening upstream. */
export const UPSTREAM_SILENCE_MS = 100;
/** A watching dial that nobody answers is renewed after this, so that a port that opens again is seen soon. */
export const WATCH_DIAL_MS_MAX = 1_000;
/** A dial that nobody answers is given up after this, so that sockets don't pile up. */
export const UPSTREAM_DIAL_MS_MAX = 10_000;
/** A half-closed connection on a cut link is kept this long; TCP would keep it for minutes, a laptop shouldn't. */
export const CUT_CONNECTION_LINGER_MS = 10_000;
/** Live followers of the event stream: one supervisor, some terminals. */
export const EVENT_FOLLOWERS_MAX = 32;
/** Keeps idle event streams alive through every proxy. */
export const EVENT_HEARTBEAT_MS = 15_000;
/** Everything is closed within this after SIGTERM; then the process ends hard. */
export const STOP_MS_MAX = 3_000;

/** How often a port that is taken is tried, and the pause in between: a connection of another program is over by then. */
export const PORT_TRIES_MAX = 10;
export const PORT_PAUSE_MS = 200;
