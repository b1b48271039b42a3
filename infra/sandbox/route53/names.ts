/**
 * Domain names as Route 53 writes them: lower case, absolute, and every byte outside a-z 0-9 - _ as an octal escape
 * (`*.example.com` is listed as `\052.example.com.`). Pure. Used by the API, the zone and the name servers.
 */
import { LABEL_BYTES_MAX, NAME_BYTES_MAX } from "../limits.ts";

export type ParsedName =
  | { readonly kind: "name"; readonly name: string }
  | { readonly kind: "invalid"; readonly code: string; readonly text: string };

const plain = /^[a-z0-9_-]+$/;
const octal = (byte: number): string => `\\${byte.toString(8).padStart(3, "0")}`;
const isPlainByte = (byte: number): boolean =>
  (byte >= 0x61 && byte <= 0x7a) || (byte >= 0x30 && byte <= 0x39) || byte === 0x2d || byte === 0x5f;

/** One label's bytes, upper case folded, in Route 53's spelling. */
const spellLabel = (bytes: readonly number[]): string =>
  bytes
    .map((byte) => (byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte))
    .map((byte) => (isPlainByte(byte) ? String.fromCharCode(byte) : octal(byte)))
    .join("");

/** Splits text at unescaped dots and resolves `\ooo` and `\x` escapes; undefined if a character is not printable ASCII. */
const readLabels = (text: string): number[][] | undefined => {
  const labels: number[][] = [[]];
  for (let at = 0; at < text.length; at++) {
    const character = text[at]!;
    const escaped = character === "\\" ? /^[0-7]{3}/.exec(text.slice(at + 1, at + 4)) : null;
    if (escaped) {
      labels.at(-1)!.push(Number.parseInt(escaped[0], 8) & 0xff);
      at += 3;
    } else if (character === "\\" && at + 1 < text.length) {
      labels.at(-1)!.push(text.charCodeAt(++at));
    } else if (character === ".") {
      labels.push([]);
    } else {
      const code = text.charCodeAt(at);
      if (code < 0x21 || code > 0x7e) return undefined;
      labels.at(-1)!.push(code);
    }
  }
  return labels;
};

/** Reads a name with or without its last dot. The invalid kinds carry Route 53's own code and text. */
export const parseName = (text: string): ParsedName => {
  const labels = readLabels(text);
  if (labels === undefined)
    return { kind: "invalid", code: "UnsupportedCharacter", text: "Value contains unsupported characters" };
  if (labels.length > 1 && labels.at(-1)!.length === 0) labels.pop();
  if (labels.some((label) => label.length === 0))
    return { kind: "invalid", code: "DomainLabelEmpty", text: "Domain label is empty" };
  if (labels.some((label) => label.length > LABEL_BYTES_MAX))
    return { kind: "invalid", code: "DomainLabelTooLong", text: "Domain label is too long" };
  if (labels.reduce((sum, label) => sum + label.length + 1, 1) > NAME_BYTES_MAX)
    return { kind: "invalid", code: "DomainNameTooLong", text: "Domain name is too long" };
  return { kind: "name", name: `${labels.map(spellLabel).join(".")}.` };
};

/** A name from a DNS question (labels of printable ASCII joined by dots, no escapes), in Route 53's spelling. */
export const nameFromWire = (text: string): string => {
  const lower = text.toLowerCase();
  if (lower === "." || lower === "") return ".";
  return `${lower
    .split(".")
    .map((label) => (plain.test(label) ? label : spellLabel([...Buffer.from(label, "utf8")])))
    .join(".")}.`;
};

/** Route 53's spelling back to the labels that go on the wire, joined by dots. */
export const nameToWire = (name: string): string => {
  const bare = name.endsWith(".") && name !== "." ? name.slice(0, -1) : name;
  return bare.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
};

/**
 * `www.example.com.` -> `com.example.www.`: sorts as Route 53 lists. The dot after each label counts, so `a-b` comes before `a`;
 * characters count as themselves, not as their escapes. Only an escaped dot stays escaped: two names never share a key.
 */
export const sortKeyOf = (name: string): string =>
  name
    .slice(0, -1)
    .split(".")
    .map((label) => label.replace(/\\(?!056)([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8))))
    .reverse()
    .map((label) => `${label}.`)
    .join("");

/** True if `name` is `zone` or below it. Both in Route 53's spelling. */
export const isWithin = (name: string, zone: string): boolean => name === zone || name.endsWith(`.${zone}`);

/** The name without its first label: `www.example.com.` -> `example.com.`; the root for a single label. */
export const parentOf = (name: string): string => {
  const dot = name.indexOf(".");
  return dot === -1 || dot === name.length - 1 ? "." : name.slice(dot + 1);
};
