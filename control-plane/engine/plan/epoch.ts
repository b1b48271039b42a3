/**
 * The epoch record: one TXT per service that carries leadership, revision and a value that never comes twice. It is the fence of every
 * write (whoever deletes the old one exactly has won), the mark of ownership, and what anybody with `dig` measures propagation by. Pure.
 */
import type { Epoch, RecordSet, ServiceSpec } from "../model.ts";

const NAME_LENGTH_MAX = 253;
const LABEL_LENGTH_MAX = 63;

/** Owner, term, revision, ULID, mode and digest, each in the one spelling that `renderEpoch` gives it. */
const EPOCH_TEXT =
  /^regent1 o=([a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?) t=(0|[1-9][0-9]{0,15}) r=(0|[1-9][0-9]{0,15}) p=([0-7][0-9A-HJKMNP-TV-Z]{25}) m=(auto|frozen) d=([0-9a-f]{16})$/;

/**
 * Name of a service's epoch record: `_regent.www.example.com`, at the apex `_regent.example.com`, for a wildcard `_regent-wildcard.example.com`.
 * All names in lower case without final dot; `label` is one label that starts with `_`. null when the name leaves no room (over 253 characters,
 * or a label over 63) or lies outside the zone: such a service is refused.
 */
export const epochName = (label: string, serviceName: string, zoneName: string): string | null => {
  const isWildcard = serviceName.startsWith("*.");
  const parent = isWildcard ? serviceName.slice(2) : serviceName;
  if (parent !== zoneName && !parent.endsWith(`.${zoneName}`)) return null;
  const name = `${label}${isWildcard ? "-wildcard" : ""}.${parent}`;
  if (name.length > NAME_LENGTH_MAX) return null;
  return name.split(".").every((part) => part.length > 0 && part.length <= LABEL_LENGTH_MAX) ? name : null;
};

/**
 * `regent1 o=<owner> t=<term> r=<revision> p=<ulid> m=auto|frozen d=<16 hex digits>`, at most 137 characters: one TXT string.
 * Throws when a field is not of its form, because a record that nobody can read back would lock the service out of its own name.
 */
export const renderEpoch = ({ owner, term, revision, ulid, mode, digest }: Epoch): string => {
  const text = `regent1 o=${owner} t=${term} r=${revision} p=${ulid} m=${mode} d=${digest}`;
  if (parseEpoch(text) === null) throw new Error(`An epoch record that can't be read back must not be written: ${text}`);
  return text;
};

/** The exact inverse of `renderEpoch`, total over all texts: anything else, even one more space, is null and somebody else's. */
export const parseEpoch = (text: string): Epoch | null => {
  const [, owner, term, revision, ulid, mode, digest] = EPOCH_TEXT.exec(text) ?? [];
  if (owner === undefined || ulid === undefined || digest === undefined) return null;
  const numbers = { term: Number(term), revision: Number(revision) };
  if (!Number.isSafeInteger(numbers.term) || !Number.isSafeInteger(numbers.revision)) return null;
  return { owner, ...numbers, ulid, mode: mode === "frozen" ? "frozen" : "auto", digest };
};

/** The record set to create: TXT at the service's epoch name, quoted as Route 53 wants it, with the TTL (seconds) of the service's records. */
export const toEpochSet = (spec: Pick<ServiceSpec, "epochName" | "ttlSeconds">, epoch: Epoch): RecordSet => ({
  name: spec.epochName,
  type: "TXT",
  ttl: spec.ttlSeconds,
  values: [`"${renderEpoch(epoch)}"`],
});

/** What a listed record set says, or null when it isn't a simple TXT record with one value in our form. */
export const readEpochSet = (set: RecordSet): Epoch | null => {
  const [value, ...more] = set.values ?? [];
  if (set.type !== "TXT" || set.setIdentifier !== undefined || set.other !== undefined) return null;
  if (value === undefined || more.length > 0 || !/^"[^"\\]*"$/.test(value)) return null;
  return parseEpoch(value.slice(1, -1));
};
