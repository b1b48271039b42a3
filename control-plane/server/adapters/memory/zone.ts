/**
 * One zone in memory and what a batch does to it: Route 53's rules as far as Regent leans on them. Pure. All or nothing; a DELETE has to
 * name the set exactly; a CREATE of what exists is refused; routing policies don't mix; a weighted group has one TTL, the last written.
 */
import type { RecordSet } from "@regent/engine";
import { BATCH_CHARACTERS_MAX, BATCH_ELEMENTS_MAX, GROUP_MEMBERS_MAX } from "./limits.ts";

/** Record sets by name. Never changed in place: an applied batch makes a new map. */
export type ZoneRecords = ReadonlyMap<string, readonly RecordSet[]>;

export interface ZoneBatch {
  readonly deletes: readonly RecordSet[];
  readonly creates: readonly RecordSet[];
}
export type BatchOutcome =
  | { readonly kind: "applied"; readonly records: ZoneRecords }
  | { readonly kind: "refused"; readonly messages: readonly string[] };

export const recordsOf = (sets: readonly RecordSet[]): ZoneRecords => {
  const records = new Map<string, readonly RecordSet[]>();
  for (const set of sets) records.set(set.name, [...(records.get(set.name) ?? []), set]);
  return records;
};

export const applyBatch = (zoneName: string, before: ZoneRecords, batch: ZoneBatch): BatchOutcome => {
  const records = new Map(before);
  const all = [...batch.deletes, ...batch.creates];
  const messages = [...sizeProblems(all), ...all.flatMap((set) => placeProblems(zoneName, set))];
  messages.push(...repeated(batch.deletes), ...repeated(batch.creates));
  for (const set of batch.deletes) messages.push(...remove(records, set));
  for (const set of batch.creates) messages.push(...create(records, set));
  return messages.length > 0 ? { kind: "refused", messages } : { kind: "applied", records };
};

const keyOf = (set: RecordSet): string => JSON.stringify([set.name, set.type, set.setIdentifier ?? null]);
const describe = (set: RecordSet): string =>
  `resource record set [name='${set.name}.', type='${set.type}'${set.setIdentifier === undefined ? "" : `, set-identifier='${set.setIdentifier}'`}]`;

const sizeProblems = (sets: readonly RecordSet[]): string[] => {
  if (sets.length === 0) return ["A batch has at least one change"];
  const elements = sets.reduce((sum, set) => sum + (set.values?.length ?? 1), 0);
  const characters = sets.reduce((sum, set) => sum + (set.values ?? []).join("").length, 0);
  const problems: string[] = [];
  if (elements > BATCH_ELEMENTS_MAX) problems.push(`Number of records limit of ${BATCH_ELEMENTS_MAX} exceeded.`);
  if (characters > BATCH_CHARACTERS_MAX) problems.push(`Number of characters limit of ${BATCH_CHARACTERS_MAX} exceeded.`);
  return problems;
};

const placeProblems = (zoneName: string, set: RecordSet): string[] =>
  set.name === zoneName || set.name.endsWith(`.${zoneName}`)
    ? []
    : [`RRSet with DNS name ${set.name}. is not permitted in zone ${zoneName}.`];

const repeated = (sets: readonly RecordSet[]): string[] => {
  const keys = sets.map(keyOf);
  const twice = sets.filter((set, index) => keys.indexOf(keyOf(set)) !== index);
  return twice.map(
    (set) => `The request contains an invalid set of changes for a resource record set '${set.type} ${set.name}.'`,
  );
};

const remove = (records: Map<string, readonly RecordSet[]>, set: RecordSet): string[] => {
  const atName = records.get(set.name) ?? [];
  const present = atName.find((other) => keyOf(other) === keyOf(set));
  if (!present) return [`Tried to delete ${describe(set)} but it was not found`];
  if (canonical(present) !== canonical(set))
    return [`Tried to delete ${describe(set)} but the values provided do not match the current values`];
  const rest = atName.filter((other) => other !== present);
  if (rest.length === 0) records.delete(set.name);
  else records.set(set.name, rest);
  return [];
};

const create = (records: Map<string, readonly RecordSet[]>, set: RecordSet): string[] => {
  const atName = records.get(set.name) ?? [];
  if (atName.some((other) => keyOf(other) === keyOf(set))) return [`Tried to create ${describe(set)} but it already exists`];
  const group = atName.filter((other) => other.type === set.type);
  const problems = [...shapeProblems(set), ...coexistenceProblems(set, atName), ...groupProblems(set, group)];
  if (problems.length > 0) return problems;
  const aligned = atName.map((other) => (sharesTtl(set, other) ? { ...other, ttl: set.ttl! } : other));
  records.set(set.name, [...aligned, set]);
  return [];
};

const sharesTtl = (set: RecordSet, other: RecordSet): boolean =>
  set.weight !== undefined && set.ttl !== undefined && other.type === set.type && other.ttl !== undefined;

const shapeProblems = (set: RecordSet): string[] => {
  const problems: string[] = [];
  const isWeightValid = set.weight === undefined || (Number.isInteger(set.weight) && set.weight >= 0 && set.weight <= 255);
  if (!isWeightValid) problems.push(`Invalid weight ${set.weight} of ${describe(set)}`);
  const hasValues = set.ttl !== undefined && set.values !== undefined && set.values.length > 0;
  const hasNeither = set.ttl === undefined && set.values === undefined;
  if (set.alias ? !hasNeither : !hasValues)
    problems.push(`Invalid request: ${describe(set)} needs TTL and values, or an alias and neither`);
  if ((policyOf(set) === "simple") !== (set.setIdentifier === undefined))
    problems.push(`Invalid request: a set identifier and a routing policy go together in ${describe(set)}`);
  return problems;
};

const coexistenceProblems = (set: RecordSet, atName: readonly RecordSet[]): string[] => {
  const isClash = atName.some((other) => (other.type === "CNAME") !== (set.type === "CNAME"));
  return isClash
    ? [
        `RRSet of type ${set.type} with DNS name ${set.name}. is not permitted as it conflicts with other records with the same DNS name`,
      ]
    : [];
};

const groupProblems = (set: RecordSet, group: readonly RecordSet[]): string[] => {
  if (group.length === 0) return [];
  const who = `RRSet with DNS name ${set.name}., type ${set.type}`;
  const policy = policyOf(set);
  if (policy === "simple" || group.some((other) => policyOf(other) === "simple"))
    return [`${who} cannot be created as other RRSets exist with the same name and type.`];
  if (group.some((other) => policyOf(other) !== policy))
    return [
      `${who}, SetIdentifier ${set.setIdentifier} cannot be created as a non-${policy} set exists with the same name and type.`,
    ];
  return group.length >= GROUP_MEMBERS_MAX
    ? [`${who} cannot be created as the group already has ${GROUP_MEMBERS_MAX} RRSets.`]
    : [];
};

/** The routing policy, by the attribute that makes it; attributes that Regent doesn't manage carry Route 53's names. */
export const policyOf = (set: RecordSet): string => {
  if (set.weight !== undefined) return "weighted";
  const attribute = Object.keys(set.other ?? {}).find((key) => key !== "TrafficPolicyInstanceId");
  return attribute ?? "simple";
};

/** All that a DELETE must repeat. Values are a set: their order doesn't count. */
const canonical = ({ values, ...rest }: RecordSet): string => stable({ ...rest, values: values?.toSorted() });

/** JSON with sorted keys and without absent fields. */
const stable = (value: unknown): string =>
  JSON.stringify(value, (_, field: unknown) =>
    typeof field === "object" && field !== null && !Array.isArray(field)
      ? Object.fromEntries(Object.entries(field).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : field,
  );
