/**
 * Values of record sets: what Route 53 accepts, and what goes on the wire. Pure.
 * The refusals carry the service's own codes and texts, as its clients print them.
 */
import { isIPv4, isIPv6 } from "node:net";
import { TXT_STRING_BYTES_MAX, VALUE_CHARACTERS_MAX } from "../limits.ts";
import type { RecordType } from "./model.ts";
import { nameToWire, parseName } from "./names.ts";

/** `data` is what dns-packet takes for the type. */
export type ParsedValue =
  | { readonly kind: "value"; readonly data: unknown }
  | { readonly kind: "invalid"; readonly message: string };

const invalid = (code: string, text: string, value: string): ParsedValue => ({
  kind: "invalid",
  message: `Invalid Resource Record: FATAL problem: ${code} (${text}) encountered with '${value}'`,
});
const valid = (data: unknown): ParsedValue => ({ kind: "value", data });

const parseTarget = (text: string): { target: string } | { refusal: ParsedValue } => {
  const parsed = parseName(text);
  return parsed.kind === "name" ? { target: nameToWire(parsed.name) } : { refusal: invalid(parsed.code, parsed.text, text) };
};

const parseDomain = (value: string): ParsedValue => {
  const found = parseTarget(value);
  return "target" in found ? valid(found.target) : found.refusal;
};

/** `"a" "b"` with `\"`, `\\` and `\ooo` inside; each string at most 255 bytes. */
const parseTxt = (value: string): ParsedValue => {
  const strings: Buffer[] = [];
  const one = /\s*"((?:[^"\\]|\\[0-7]{3}|\\[^0-7])*)"(?=\s|$)/y;
  let at = 0;
  while (value.slice(at).trim() !== "") {
    one.lastIndex = at;
    const match = one.exec(value);
    if (!match) return invalid("InvalidCharacterString", "Value should be enclosed in quotation marks", value);
    const bytes = Buffer.from(
      match[1]!.replace(/\\([0-7]{3})|\\(.)/gs, (_, digits?: string, other?: string) =>
        digits === undefined ? other! : String.fromCharCode(Number.parseInt(digits, 8) & 0xff),
      ),
      "latin1",
    );
    if (bytes.length > TXT_STRING_BYTES_MAX) return invalid("CharacterStringTooLong", "Value is too long", value);
    strings.push(bytes);
    at = one.lastIndex;
  }
  if (strings.length === 0) return invalid("InvalidCharacterString", "Value should be enclosed in quotation marks", value);
  return valid(strings);
};

const isUint16 = (text: string | undefined): text is string =>
  text !== undefined && /^\d{1,5}$/.test(text) && Number(text) <= 65_535;

const parseMx = (value: string): ParsedValue => {
  const [preference, exchange, ...rest] = value.trim().split(/\s+/);
  if (!isUint16(preference) || exchange === undefined || rest.length > 0)
    return invalid("MXRRDATANotTwoFields", "MX record doesn't have 2 fields", value);
  const found = parseTarget(exchange);
  return "target" in found ? valid({ preference: Number(preference), exchange: found.target }) : found.refusal;
};

const parseSrv = (value: string): ParsedValue => {
  const [priority, weight, port, host, ...rest] = value.trim().split(/\s+/);
  if (!isUint16(priority) || !isUint16(weight) || !isUint16(port) || host === undefined || rest.length > 0)
    return invalid("SRVRRDATANotFourFields", "SRV record doesn't have 4 fields", value);
  const found = host === "." ? { target: "." } : parseTarget(host);
  if (!("target" in found)) return found.refusal;
  return valid({ priority: Number(priority), weight: Number(weight), port: Number(port), target: found.target });
};

const parseCaa = (value: string): ParsedValue => {
  const match = /^\s*(\d{1,3})\s+([a-z0-9]+)\s+"([^"]*)"\s*$/i.exec(value);
  if (!match || Number(match[1]) > 255) return invalid("CAARRDATAInvalid", "CAA record is not valid", value);
  return valid({ flags: Number(match[1]), tag: match[2]!, value: match[3]! });
};

const parseSoa = (value: string): ParsedValue => {
  const [mname, rname, ...numbers] = value.trim().split(/\s+/);
  if (
    mname === undefined ||
    rname === undefined ||
    numbers.length !== 5 ||
    !numbers.every((n) => /^\d{1,10}$/.test(n) && Number(n) <= 0xffffffff)
  )
    return invalid("SOARRDATANotSevenFields", "SOA record doesn't have 7 fields", value);
  const [m, r] = [parseTarget(mname), parseTarget(rname)];
  if (!("target" in m)) return m.refusal;
  if (!("target" in r)) return r.refusal;
  const [serial, refresh, retry, expire, minimum] = numbers.map(Number);
  return valid({ mname: m.target, rname: r.target, serial, refresh, retry, expire, minimum });
};

export const parseValue = (type: RecordType, value: string): ParsedValue => {
  if (value.length > VALUE_CHARACTERS_MAX) return invalid("CharacterStringTooLong", "Value is too long", value.slice(0, 100));
  switch (type) {
    case "A":
      return isIPv4(value) ? valid(value) : invalid("ARRDATAIllegalIPv4Address", "Value is not a valid IPv4 address", value);
    case "AAAA":
      return isIPv6(value) && !value.includes("%")
        ? valid(value)
        : invalid("AAAARRDATAIllegalIPv6Address", "Value is not a valid IPv6 address", value);
    case "CNAME":
    case "NS":
    case "PTR":
      return parseDomain(value);
    case "TXT":
      return parseTxt(value);
    case "MX":
      return parseMx(value);
    case "SRV":
      return parseSrv(value);
    case "CAA":
      return parseCaa(value);
    case "SOA":
      return parseSoa(value);
  }
};
