/** Limits of the DNS client, each with its reason. */

/** What we offer to take over UDP: passes every path unfragmented (DNS flag day 2020). */
export const UDP_PAYLOAD_BYTES = 1_232;
/** A DNS message over TCP has a length of 16 bits. */
export const TCP_MESSAGE_BYTES_MAX = 65_535;
/** Finding a name server's address; the operating system's own patience is up to 30 s. */
export const LOCATE_TIMEOUT_MS = 5_000;
/** Addresses of one name server that are worth asking. */
export const ADDRESSES_MAX = 4;
/** Questions to one server at once, and those that may wait: each has a socket, and a thousand services are looked at 20 at a time. */
export const RESOLVER_GATE = { atOnce: 100, queue: 2_000 } as const;
/** Servers are asked to tell when a change was visible; one that is back after more than one look would make that time wrong. */
export const RESOLVER_BREAKER = { failures: 5, successes: 2, openMs: 5_000 } as const;
