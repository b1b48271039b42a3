/** One DNS question to one server over UDP. The command asks for itself, so that it shows what anybody would see. */
import { createSocket } from "node:dgram";
import { isIPv6 } from "node:net";
import packet from "dns-packet";
import { DNS_TRY_MS } from "../limits.ts";

export type Asked =
  | { readonly kind: "answered"; readonly values: readonly string[]; readonly ttl: number | null; readonly code: string }
  | { readonly kind: "silent"; readonly why: string };

export type QuestionType = "A" | "AAAA" | "CNAME" | "TXT";

/** @param server `ip:port` */
export const ask = (server: string, name: string, type: QuestionType, timeoutMs = DNS_TRY_MS): Promise<Asked> => {
  const colon = server.lastIndexOf(":");
  const host = server.slice(0, colon).replace(/^\[|\]$/g, "");
  const id = Math.floor(Math.random() * 0x1_0000);
  const question = packet.encode({ type: "query", id, flags: packet.RECURSION_DESIRED, questions: [{ name, type }] });
  return new Promise((resolve) => {
    const socket = createSocket(isIPv6(host) ? "udp6" : "udp4");
    const end = (asked: Asked): void => {
      clearTimeout(timer);
      socket.removeAllListeners().on("error", () => undefined);
      socket.close();
      resolve(asked);
    };
    const timer = setTimeout(() => end({ kind: "silent", why: `no answer within ${timeoutMs} ms` }), timeoutMs);
    socket.on("error", (error) => end({ kind: "silent", why: error.message }));
    socket.on("message", (bytes) => {
      const asked = read(bytes, id, type);
      if (asked !== null) end(asked);
    });
    // Connected, so that packets of strangers don't reach us and a closed port is heard of at once.
    socket.connect(Number(server.slice(colon + 1)), host, () => socket.send(question));
  });
};

const read = (bytes: Buffer, id: number, type: QuestionType): Asked | null => {
  try {
    const answer = packet.decode(bytes);
    if (answer.id !== id) return null;
    const found = (answer.answers ?? []).filter((one) => one.type === type);
    const values = found.map((one) => toText((one as { readonly data: unknown }).data)).sort();
    const ttl = (found[0] as { readonly ttl?: number } | undefined)?.ttl ?? null;
    // The response code is in the low four bits of the flags; dns-packet's types leave out the name it gives.
    return { kind: "answered", values, ttl, code: (answer as { readonly rcode?: string }).rcode ?? "NOERROR" };
  } catch {
    return null;
  }
};

/** The strings of a TXT value belong together without anything between them. */
const toText = (data: unknown): string => {
  if (Array.isArray(data)) return Buffer.concat(data.map((part) => Buffer.from(part as Buffer))).toString("utf8");
  return Buffer.isBuffer(data) ? data.toString("utf8") : String(data);
};
