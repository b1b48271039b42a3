/** Limits of the DNS client, each with its reason. */

/** What we offer to take over UDP: passes every path unfragmented (DNS flag day 2020). */
export const UDP_PAYLOAD_BYTES = 1_232;
/** A DNS message over TCP has a length of 16 bits. */
export const TCP_MESSAGE_BYTES_MAX = 65_535;
/** Finding a name server's address; the operating system's own patience is up to 30 s. */
export const LOCATE_TIMEOUT_MS = 5_000;
/** Addresses of one name server that are worth asking. */
export const ADDRESSES_MAX = 4;
