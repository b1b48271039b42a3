/** Every limit of the sandbox's Route 53 and DNS, each with its reason. Limits of the real service are marked (real). */

/** (real) ResourceRecord elements of one batch, alias targets included; an UPSERT counts twice. */
export const BATCH_ELEMENTS_MAX = 1_000;
/** (real) Characters of all Value elements of one batch; an UPSERT counts twice. */
export const BATCH_VALUE_CHARACTERS_MAX = 32_000;
/** (real) Weighted, latency, geolocation or multivalue record sets of one name and type. */
export const GROUP_MEMBERS_MAX = 100;
/** (real) Values of one record set. */
export const RECORD_SET_VALUES_MAX = 400;
/** (real) Characters of one value. */
export const VALUE_CHARACTERS_MAX = 4_000;
/** (real) Bytes of one quoted string of a TXT value; it is also the wire format's. */
export const TXT_STRING_BYTES_MAX = 255;
/** (real) Characters of a set identifier. */
export const SET_IDENTIFIER_CHARACTERS_MAX = 128;
/** (real) Comment of a change batch or of a zone. */
export const COMMENT_CHARACTERS_MAX = 256;
/** (real) Greatest TTL: 31 bits. */
export const TTL_SECONDS_MAX = 2_147_483_647;
/** (real) Greatest weight. */
export const WEIGHT_MAX = 255;
/** (real) Record sets of one page of ListResourceRecordSets. */
export const RECORD_SETS_PAGE_MAX = 300;
/** (real) Zones or health checks of one page. */
export const LIST_PAGE_MAX = 100;
/** (real) Record sets of one zone before one must ask for more. */
export const ZONE_RECORD_SETS_MAX = 10_000;
/** (real) Hosted zones and health checks of an account before one must ask for more. */
export const ZONES_MAX = 500;
export const HEALTH_CHECKS_MAX = 200;
/** (real) Children of a calculated health check. */
export const CHILD_HEALTH_CHECKS_MAX = 256;
/** (real) Bytes of a body that a string-matching health check reads. */
export const HEALTH_CHECK_BODY_BYTES_MAX = 5_120;
/** Time limits of a probe don't shrink below this when health checks run fast, so that a busy machine isn't taken for a dead endpoint; ms. */
export const HEALTH_CHECK_LIMIT_MS_MIN = 250;
/** (real) A domain name on the wire, and one label of it. */
export const NAME_BYTES_MAX = 255;
export const LABEL_BYTES_MAX = 63;

/** Request bodies: a full batch of 1,000 elements with its markup is under 1 MB; four times that is refused. */
export const REQUEST_BODY_BYTES_MAX = 4 * 1024 * 1024;
/** Depth of request markup: the deepest real request has 8 levels. */
export const XML_DEPTH_MAX = 20;
/** How far a request's signature may be from our clock (real: 5 min), in ms. */
export const SIGNATURE_SKEW_MS_MAX = 5 * 60_000;
/** Headers must arrive within this time, so that an idle connection can't hold a slot; ms. */
export const HTTP_HEADERS_TIMEOUT_MS = 10_000;
/** Idle connections stay longer than clients keep them, so that none is cut just as a request leaves; ms. */
export const HTTP_KEEP_ALIVE_MS = 75_000;
/** A hung request (fault) is cut after this time, so that a client without a timeout ends too; ms. */
export const HANG_MS_MAX = 120_000;
/** Changes that GetChange remembers; older ones are NoSuchChange. */
export const CHANGES_REMEMBERED_MAX = 10_000;
/** Faults set at a time: more is a caller that forgot to clear. */
export const FAULTS_MAX = 100;
/** Other clients' calls a second (fault): two hundred times what the account may is as good as for ever. */
export const OTHER_TRAFFIC_PER_SECOND_MAX = 1_000;
/** How far back other clients' calls are played one by one; before that their mean is good enough, as no bucket remembers longer. ms. */
export const OTHER_TRAFFIC_REPLAY_MS = 10_000;
/** (real) The account's calls a second and its burst. Stands while other clients' traffic is asked for and no limit is configured. */
export const ACCOUNT_RATE_LIMIT = { perSecond: 5, burst: 10 } as const;
/** Longest delay that any fault or propagation takes, so that timers stay in range: one day, ms. */
export const DELAY_MS_MAX = 24 * 3_600_000;
/** A journal longer than this is rewritten as a snapshot when it is opened. */
export const JOURNAL_COMPACT_BYTES = 8 * 1024 * 1024;

/** Name servers of one sandbox; the real service has 4 for each zone. */
export const NAME_SERVERS_MAX = 16;
/** Answers over UDP are cut at this size or at the client's, whichever is less (DNS flag day 2020). */
export const UDP_PAYLOAD_BYTES_MAX = 1_232;
/** Without EDNS a client takes 512 bytes (RFC 1035). */
export const UDP_PAYLOAD_BYTES_PLAIN = 512;
/** A DNS message over TCP has a 16 bit length. */
export const TCP_MESSAGE_BYTES_MAX = 65_535;
/** Connections of one TCP listener, and how long one may be idle (ms). */
export const TCP_CONNECTIONS_MAX = 256;
export const TCP_IDLE_MS = 10_000;
/** Alias and CNAME chains are followed this far; a longer one is a loop or a mistake. */
export const CHAIN_LENGTH_MAX = 8;
/** (real) A multivalue answer holds up to eight healthy records. */
export const MULTIVALUE_ANSWERS_MAX = 8;
/** Answers that the caching resolver keeps; the oldest leaves first. */
export const RESOLVER_CACHE_ENTRIES_MAX = 10_000;
/** Questions that the resolver has under way upstream; more are answered SERVFAIL. */
export const RESOLVER_INFLIGHT_MAX = 2_000;
/** The resolver asks this many times, each at a random server, and waits this long for each (ms). */
export const RESOLVER_TRIES = 3;
export const RESOLVER_TRY_MS = 800;
