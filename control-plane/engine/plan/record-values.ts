/**
 * When two record values mean the same: drift and the digest compare meaning, while a DELETE repeats the spelling that was read. Pure.
 */
import type { RecordSet } from "../model.ts";

/** One spelling per meaning: names in lower case without final dot, IPv6 in eight groups; everything else as it is. */
export const toCanonicalValue = (type: string, value: string): string => {
  switch (type) {
    case "CNAME":
      return value.toLowerCase().replace(/\.$/, "");
    case "AAAA":
      return toFullIpv6(value);
    default:
      return value;
  }
};

/** What a record set answers, as one text: sorted values joined by `,`, or `alias:<zone>:<name>:<true|false>`. Route 53 ignores the order too. */
export const toCanonicalAnswer = ({ type, values, alias }: Pick<RecordSet, "type" | "values" | "alias">): string =>
  alias === undefined
    ? [...(values ?? [])]
        .map((value) => toCanonicalValue(type, value))
        .sort()
        .join(",")
    : `alias:${alias.hostedZoneId}:${toCanonicalValue("CNAME", alias.name)}:${alias.evaluateTargetHealth}`;

/** Name, type and set identifier: what Route 53 tells record sets apart by. */
export const toSetKey = ({ name, type, setIdentifier }: RecordSet): string => `${name} ${type} ${setIdentifier ?? ""}`;

/** How a person calls a record set: `www.example.com A eu-west`. */
export const toSetWords = ({ name, type, setIdentifier }: RecordSet): string =>
  setIdentifier === undefined ? `${name} ${type}` : `${name} ${type} ${setIdentifier}`;

/** Leaves alone what isn't a plain hexadecimal address: an odd value then equals only itself, and shows as drift rather than as an error. */
const toFullIpv6 = (value: string): string => {
  const halves = value.toLowerCase().split("::");
  const groups = halves.map((half) => (half === "" ? [] : half.split(":")));
  const [head = [], tail = []] = groups;
  const missing = 8 - head.length - tail.length;
  const isWhole = halves.length === 1 ? missing === 0 : halves.length === 2 && missing >= 1;
  if (!isWhole || ![...head, ...tail].every((group) => /^[0-9a-f]{1,4}$/.test(group))) return value;
  return [...head, ...Array<string>(halves.length === 2 ? missing : 0).fill("0"), ...tail]
    .map((group) => group.replace(/^0+(?=.)/, ""))
    .join(":");
};
