/**
 * DNS questions and answers as bytes. Pure. An answer counts only if it carries the question's random id and repeats the question;
 * anything else is `foreign` and is to be ignored as if it had not come.
 */
import * as dnsPacket from "dns-packet";
import type { DnsAnswer } from "../../ports/resolver.ts";
import { UDP_PAYLOAD_BYTES } from "./limits.ts";

export type QuestionType = "A" | "AAAA" | "CNAME" | "TXT";
export interface Question {
  /** 0..65535, random. */
  readonly id: number;
  readonly name: string;
  readonly type: QuestionType;
}
export type Reading = DnsAnswer | { readonly kind: "foreign" } | { readonly kind: "truncated" };

/** dns-packet also decodes the response code, which its types don't tell. */
type Decoded = dnsPacket.DecodedPacket & { readonly rcode?: string };

/** Throws on a name that doesn't fit the wire. */
export const writeQuestion = ({ id, name, type }: Question): Buffer => {
  const labels = name.replace(/\.$/, "").split(".");
  const isFit = labels.every((label) => label.length > 0 && Buffer.byteLength(label) <= 63) && Buffer.byteLength(name) <= 253;
  if (!isFit) throw new RangeError(`not a name: ${name.slice(0, 80)}`);
  return dnsPacket.encode({
    type: "query",
    id,
    flags: dnsPacket.RECURSION_DESIRED,
    questions: [{ type, name, class: "IN" }],
    additionals: [
      {
        type: "OPT",
        name: ".",
        udpPayloadSize: UDP_PAYLOAD_BYTES,
        extendedRcode: 0,
        ednsVersion: 0,
        flags: 0,
        flag_do: false,
        options: [],
      },
    ],
  });
};

export const readMessage = (bytes: Buffer, question: Question): Reading => {
  const message = decode(bytes);
  if (!message || !isAnswerTo(message, question)) return { kind: "foreign" };
  if (message.flag_tc) return { kind: "truncated" };
  const code = message.rcode ?? "NOERROR";
  if (code === "NXDOMAIN") return { kind: "none", code };
  if (code !== "NOERROR") return { kind: "failed", why: code };
  return readAnswers(message, question);
};

const decode = (bytes: Buffer): Decoded | null => {
  try {
    return dnsPacket.decode(bytes);
  } catch {
    return null;
  }
};

const isAnswerTo = (message: Decoded, { id, name, type }: Question): boolean => {
  const [asked, ...more] = message.questions ?? [];
  const isSameName = asked?.name.toLowerCase() === name.toLowerCase().replace(/\.$/, "");
  return message.flag_qr && message.id === id && isSameName && asked?.type === type && more.length === 0;
};

const readAnswers = (message: Decoded, { type }: Question): DnsAnswer => {
  const answers = message.answers ?? [];
  const values = answers.flatMap((answer) => (answer.type === type ? [textOf(answer)] : []));
  if (values.length > 0) {
    // An answer is as short-lived as the shortest link of its chain.
    const ttlSeconds = Math.min(...answers.map((answer) => ("ttl" in answer ? (answer.ttl ?? 0) : 0)));
    return { kind: "answer", values, ttlSeconds, isAuthoritative: message.flag_aa };
  }
  const isReferral = !message.flag_aa && !message.flag_ra && (message.authorities ?? []).some(({ type }) => type === "NS");
  return isReferral
    ? { kind: "failed", why: "the server refers to others: it doesn't hold the zone" }
    : { kind: "none", code: "NODATA" };
};

const textOf = (answer: dnsPacket.Answer): string => {
  if (answer.type === "TXT") return [answer.data].flat().map(String).join("");
  return "data" in answer ? String(answer.data) : "";
};
