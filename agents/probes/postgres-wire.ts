/** The few protocol bytes that ask "are you accepting connections?" without a login. Pure. Protocol 3.0, PostgreSQL manual 54.7. */

const PROTOCOL_3 = 196_608;
const SSL_REQUEST = 80_877_103;

/** A server that sends more before it has said what it wants is not Postgres. */
export const ANSWER_BYTES_MAX = 16 * 1024;

export const sslRequest = (): Buffer => {
  const message = Buffer.alloc(8);
  message.writeInt32BE(8, 0);
  message.writeInt32BE(SSL_REQUEST, 4);
  return message;
};

export const startupMessage = (fields: Readonly<Record<string, string>>): Buffer => {
  const body = Buffer.from(`${Object.entries(fields).flat().join("\0")}\0\0`);
  const head = Buffer.alloc(8);
  head.writeInt32BE(8 + body.length, 0);
  head.writeInt32BE(PROTOCOL_3, 4);
  return Buffer.concat([head, body]);
};

export const terminateMessage = (): Buffer => Buffer.from([0x58, 0, 0, 0, 4]);

export type FirstAnswer =
  /** It asks for a password, or let us in. */
  | { readonly kind: "accepting" }
  | { readonly kind: "error"; readonly code: string; readonly message: string }
  | { readonly kind: "incomplete" }
  | { readonly kind: "foreign" };

export const readFirstAnswer = (bytes: Buffer): FirstAnswer => {
  const type = bytes[0];
  if (type === undefined) return { kind: "incomplete" };
  // R: authentication; v: negotiation of the protocol version. Both come only from a server that takes connections.
  if (type === 0x52 || type === 0x76) return { kind: "accepting" };
  if (type !== 0x45) return { kind: "foreign" };
  if (bytes.length < 5) return { kind: "incomplete" };
  const length = bytes.readInt32BE(1);
  if (length < 4 || length > ANSWER_BYTES_MAX) return { kind: "foreign" };
  if (bytes.length < 1 + length) return { kind: "incomplete" };
  const fields = bytes
    .subarray(5, 1 + length)
    .toString("utf8")
    .split("\0");
  const field = (letter: string): string => fields.find((text) => text.startsWith(letter))?.slice(1) ?? "";
  return { kind: "error", code: field("C"), message: field("M") };
};
