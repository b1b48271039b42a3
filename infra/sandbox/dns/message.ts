/** DNS messages in and out, on dns-packet. Nothing that arrives makes this throw: what can't be read is dropped or refused. */
import packet, { type Answer, type Question } from "dns-packet";
import { UDP_PAYLOAD_BYTES_MAX, UDP_PAYLOAD_BYTES_PLAIN } from "../limits.ts";

export const rcodes = { NOERROR: 0, FORMERR: 1, SERVFAIL: 2, NXDOMAIN: 3, NOTIMP: 4, REFUSED: 5, BADVERS: 16 } as const;
export type Rcode = keyof typeof rcodes;

export interface Query {
  readonly kind: "query";
  readonly id: number;
  readonly question: Question;
  readonly isRecursionDesired: boolean;
  /** Absent if the asker doesn't speak EDNS. */
  readonly edns?: { readonly udpPayloadSize: number };
}
/** `refuse` holds the whole answer to send; `drop` deserves none. */
export type Incoming = Query | { readonly kind: "refuse"; readonly answer: Buffer } | { readonly kind: "drop" };

const HEADER_BYTES = 12;

/** A header alone, echoing id, opcode and RD: for questions that can't be repeated. */
const bareAnswer = (bytes: Buffer, rcode: number): Buffer => {
  const answer = Buffer.alloc(HEADER_BYTES);
  bytes.copy(answer, 0, 0, 2);
  answer[2] = 0x80 | (bytes[2]! & 0x79);
  answer[3] = rcode;
  return answer;
};

const parse = (bytes: Buffer): packet.DecodedPacket | undefined => {
  try {
    return packet.decode(bytes);
  } catch {
    return undefined;
  }
};

/**
 * True if the question survives being read and written. One that doesn't (bytes that aren't text, a dot inside a label)
 * can't be echoed, and no name that Route 53 serves looks like it.
 */
const isRepeatable = (bytes: Buffer, question: Question): boolean => {
  try {
    const again = packet.encode({ questions: [question] });
    return again.compare(bytes, HEADER_BYTES, again.length, HEADER_BYTES) === 0;
  } catch {
    return false;
  }
};

export const readQuery = (bytes: Buffer): Incoming => {
  if (bytes.length < HEADER_BYTES || (bytes[2]! & 0x80) !== 0) return { kind: "drop" };
  const refuse = (rcode: Rcode): Incoming => ({ kind: "refuse", answer: bareAnswer(bytes, rcodes[rcode]) });
  if ((bytes[2]! & 0x78) !== 0) return refuse("NOTIMP");
  if (bytes.readUInt16BE(4) !== 1) return refuse("FORMERR");
  const message = parse(bytes);
  const question = message?.questions?.[0];
  if (!message || !question || !isRepeatable(bytes, question)) return refuse("FORMERR");
  const opts = (message.additionals ?? []).filter((record) => record.type === "OPT");
  const [opt] = opts;
  if (opts.length > 1) return refuse("FORMERR");
  const base = { kind: "query", id: message.id ?? 0, question, isRecursionDesired: message.flag_rd } as const;
  if (opt?.type !== "OPT") return base;
  const query: Query = { ...base, edns: { udpPayloadSize: opt.udpPayloadSize } };
  return opt.ednsVersion === 0 ? query : { kind: "refuse", answer: writeAnswer(query, { rcode: "BADVERS" }, "tcp") };
};

export interface Reply {
  readonly rcode: Rcode;
  readonly isAuthoritative?: boolean;
  readonly isRecursionAvailable?: boolean;
  readonly answers?: readonly Answer[];
  readonly authorities?: readonly Answer[];
  readonly additionals?: readonly Answer[];
}

/** The answer as bytes. Over UDP one that doesn't fit is emptied and marked TC, so that the asker comes back over TCP. */
export const writeAnswer = (query: Query, reply: Reply, transport: "udp" | "tcp"): Buffer => {
  const full = encode(query, reply, 0);
  const room = query.edns
    ? Math.min(UDP_PAYLOAD_BYTES_MAX, Math.max(UDP_PAYLOAD_BYTES_PLAIN, query.edns.udpPayloadSize))
    : UDP_PAYLOAD_BYTES_PLAIN;
  if (transport === "tcp" || full.length <= room) return full;
  const { rcode, isAuthoritative = false, isRecursionAvailable = false } = reply;
  return encode(query, { rcode, isAuthoritative, isRecursionAvailable }, packet.TRUNCATED_RESPONSE);
};

const encode = (query: Query, reply: Reply, extraFlags: number): Buffer => {
  const code = rcodes[reply.rcode];
  const flags =
    (query.isRecursionDesired ? packet.RECURSION_DESIRED : 0) |
    (reply.isAuthoritative ? packet.AUTHORITATIVE_ANSWER : 0) |
    (reply.isRecursionAvailable ? packet.RECURSION_AVAILABLE : 0) |
    extraFlags |
    (code & 0xf);
  const opt = {
    type: "OPT",
    name: ".",
    udpPayloadSize: UDP_PAYLOAD_BYTES_MAX,
    extendedRcode: code >> 4,
    ednsVersion: 0,
    flags: 0,
    options: [],
  } as unknown as Answer;
  return packet.encode({
    type: "response",
    id: query.id,
    flags,
    questions: [query.question],
    answers: [...(reply.answers ?? [])],
    authorities: [...(reply.authorities ?? [])],
    additionals: query.edns ? [...(reply.additionals ?? []), opt] : [...(reply.additionals ?? [])],
  });
};
