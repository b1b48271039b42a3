/**
 * Between weights and record sets: what a service's families look like in Route 53, and what a listing of its names says of them. Pure.
 * A member is a record set at the name of a family whose type the service declares; nothing else at those names is ever touched.
 */
import type { RecordType, Weights } from "@regent/contract";
import type { EndpointSpec, FamilySpec, Observed, RecordSet, ServiceSpec } from "../model.ts";
import { readEpochSet } from "./epoch.ts";
import { readMarks } from "./ownership-marks.ts";
import { toCanonicalAnswer, toSetKey } from "./record-values.ts";

/**
 * The record sets that `weights` (family -> region -> 0..255) make of the declaration: every family x type x endpoint, in declared order. The
 * set identifier is the region id; alias members carry no TTL (Route 53 refuses one). Throws when a weight is missing: silence must not become 0.
 */
export const renderFamilies = (spec: ServiceSpec, weights: Weights): RecordSet[] =>
  spec.families.flatMap((family) =>
    spec.types.flatMap((type) => spec.endpoints.map((endpoint) => renderMember({ spec, family, type, endpoint, weights }))),
  );

/**
 * What the next batch creates: `renderFamilies`, with the health check that a member was read with kept where none is declared, and members
 * that nobody declared kept as read (a person's own record is not ours to drop; `removed` names those that go). The digest of the next epoch record is taken over the canonical text of exactly these.
 */
export const renderMembers = ({
  spec,
  observed,
  weights,
  removed = [],
  edit = "replace",
  expected,
}: RenderOrder): RecordSet[] => {
  const readByKey = new Map(toMembers(spec, observed).map((set) => [toSetKey(set), set]));
  if (edit === "keep") return renderAround(renderFamilies(spec, weights), readByKey);
  const checkByKey = new Map((expected ?? [...readByKey.values()]).map((set) => [toSetKey(set), set.healthCheckId]));
  const declared = renderFamilies(spec, weights).map((set) => {
    const healthCheckId = set.healthCheckId ?? checkByKey.get(toSetKey(set));
    return healthCheckId === undefined ? set : { ...set, healthCheckId };
  });
  const declaredKeys = new Set(declared.map(toSetKey));
  const kept = [...readByKey.values()].filter(
    (set) => !declaredKeys.has(toSetKey(set)) && !(set.setIdentifier !== undefined && removed.includes(set.setIdentifier)),
  );
  // One group has one TTL: Route 53 would silently give all of it the last one written.
  return [...declared, ...kept.map((set) => (set.alias === undefined ? { ...set, ttl: spec.ttlSeconds } : set))];
};

export interface RenderOrder {
  readonly spec: ServiceSpec;
  readonly observed: Observed;
  /** Family -> region -> 0..255. */
  readonly weights: Weights;
  /** Set identifiers of members that go: regions that a person took out of the declaration, or what somebody else added. */
  readonly removed?: readonly string[];
  /** `keep`: somebody else's values, TTLs, checks and additions stay as read; only weights are ours. */
  readonly edit?: "replace" | "keep";
  /** Whose attached health checks count where none is declared: those last written, when an edit is taken back; else those just read. */
  readonly expected?: readonly RecordSet[];
}

/**
 * As read, but where a region's weight is to be another. A member that is gone comes back only where it is to answer. Where nothing would be left
 * to answer in one type, because the types disagreed, it gets the weights of all.
 */
const renderAround = (declared: readonly RecordSet[], readByKey: ReadonlyMap<string, RecordSet>): RecordSet[] => {
  const read = [...readByKey.values()];
  const declaredKeys = new Set(declared.map(toSetKey));
  const added = read.filter((set) => !declaredKeys.has(toSetKey(set)));
  const groups = new Map<string, RecordSet[]>();
  for (const set of declared) groups.set(groupOf(set), [...(groups.get(groupOf(set)) ?? []), set]);
  const members = [...groups].flatMap(([group, sets]) => {
    const around = sets.flatMap((set) =>
      set.weight === largestWeight(read, set) ? (readByKey.get(toSetKey(set)) ?? []) : withWeight(set, read),
    );
    const answering = [...around, ...added.filter((set) => groupOf(set) === group)].some(({ weight = 0 }) => weight > 0);
    return answering ? around : sets.flatMap((set) => withWeight(set, read));
  });
  return [...members, ...added];
};

const groupOf = ({ name, type }: RecordSet): string => `${name} ${type}`;

/** One group has one TTL: that of the members that stand. */
const withWeight = (set: RecordSet, read: readonly RecordSet[]): readonly RecordSet[] => {
  const standing = read.find((one) => toSetKey(one) === toSetKey(set));
  if (standing !== undefined && set.weight !== undefined) return [{ ...standing, weight: set.weight }];
  const ttl = read.find((one) => groupOf(one) === groupOf(set) && one.alias === undefined)?.ttl;
  return (set.weight ?? 0) > 0 ? [set.ttl === undefined || ttl === undefined ? set : { ...set, ttl }] : [];
};

/** What the declaration makes of the records, whatever their weights: two declarations with the same text write the same. */
export const toDeclaredText = (spec: ServiceSpec): string => {
  return toCanonicalText(renderFamilies(spec, zeroWeights(spec)));
};

const zeroWeights = (spec: ServiceSpec): Weights =>
  Object.fromEntries(spec.families.map(({ id }) => [id, Object.fromEntries(spec.endpoints.map(({ region }) => [region, 0]))]));

/** The members among what was read, in the order read. */
export const toMembers = (spec: ServiceSpec, observed: Observed): RecordSet[] =>
  observed.sets.filter(
    (set) => spec.types.some((type) => type === set.type) && spec.families.some((family) => family.name === set.name),
  );

/**
 * The text that the digest is taken over (first 16 hex digits of its SHA-256, by the shell): one line per record set with every attribute that
 * Regent manages, sorted, so that neither the order of a listing nor the spelling of an address changes it. Weights are in it.
 */
export const toCanonicalText = (sets: readonly RecordSet[]): string =>
  sets
    .map((set) =>
      [
        set.name,
        set.type,
        `id=${set.setIdentifier ?? "-"}`,
        `weight=${set.weight ?? "-"}`,
        `ttl=${set.ttl ?? "-"}`,
        `check=${set.healthCheckId ?? "-"}`,
        `answer=${toCanonicalAnswer(set)}`,
      ].join(" "),
    )
    .sort()
    .join("\n");

/**
 * What a listing says of one service: only sets at the names of its families and at the name of its epoch record count, so a whole page of
 * the zone may be given. With several TXT sets at that name (a routing policy that isn't ours) the first is `epochSet`, unreadable.
 */
export const toObserved = (spec: ServiceSpec, sets: readonly RecordSet[]): Observed => {
  const names = new Set([spec.epochName, ...spec.families.map((family) => family.name)]);
  const own = sets.filter((set) => names.has(set.name));
  const marks = readMarks(spec, sets);
  const epochSet = own.find((set) => set.name === spec.epochName && set.type === "TXT") ?? null;
  return {
    epochSet,
    epoch: epochSet === null ? null : readEpochSet(epochSet),
    sets: own.filter((set) => set !== epochSet),
    ...(marks.length > 0 ? { marks } : {}),
  };
};

/** Of a region's members at one name, whatever their type; 0 when all are gone. */
const largestWeight = (sets: readonly RecordSet[], { name, setIdentifier }: Pick<RecordSet, "name" | "setIdentifier">): number =>
  Math.max(0, ...sets.flatMap((set) => (set.name === name && set.setIdentifier === setIdentifier ? (set.weight ?? 0) : [])));

/** What stands, as well as one weight for each region can say it: 0 where its members are gone, the largest where the types disagree. */
export const readLargestWeights = (spec: ServiceSpec, observed: Observed): Weights => {
  const members = toMembers(spec, observed);
  return Object.fromEntries(
    spec.families.map(({ id, name }) => [
      id,
      Object.fromEntries(spec.endpoints.map(({ region }) => [region, largestWeight(members, { name, setIdentifier: region })])),
    ]),
  );
};

/** As `readWeights`, where a member that is gone in all types has weight 0: it answers nothing. Null when the types disagree. */
export const readStandingWeights = (spec: ServiceSpec, observed: Observed): Weights | null => {
  const standing = new Set(toMembers(spec, observed).map(toSetKey));
  const gone = renderFamilies(spec, zeroWeights(spec)).filter((set) => !standing.has(toSetKey(set)));
  const isGone = (set: RecordSet): boolean =>
    spec.types.every((type) => gone.some((other) => toSetKey(other) === toSetKey({ ...set, type })));
  return readWeights(spec, { ...observed, sets: [...observed.sets, ...gone.filter(isGone)] });
};

/**
 * The weights of the declared endpoints as read, or null when they can't be told: a declared member is missing or not weighted, or the types
 * of one family disagree. Members that nobody declared are left out; `findDrift` names them.
 */
export const readWeights = (spec: ServiceSpec, observed: Observed): Weights | null => {
  const weightByKey = new Map(toMembers(spec, observed).map((set) => [toSetKey(set), set.weight]));
  const weights: Weights = {};
  for (const { id, name } of spec.families) {
    const familyWeights: Record<string, number> = {};
    for (const { region } of spec.endpoints) {
      const [weight, ...others] = spec.types.map((type) => weightByKey.get(toSetKey({ name, type, setIdentifier: region })));
      if (weight === undefined || others.some((other) => other !== weight)) return null;
      familyWeights[region] = weight;
    }
    weights[id] = familyWeights;
  }
  return weights;
};

interface Member {
  readonly spec: ServiceSpec;
  readonly family: FamilySpec;
  readonly type: RecordType;
  readonly endpoint: EndpointSpec;
  readonly weights: Weights;
}

const renderMember = ({ spec, family, type, endpoint, weights }: Member): RecordSet => {
  const weight = weights[family.id]?.[endpoint.region];
  const answer = endpoint.answers[type];
  if (weight === undefined) throw new Error(`Service ${spec.id} has no weight for ${endpoint.region} in family ${family.id}.`);
  if (answer === undefined)
    throw new Error(`Service ${spec.id} declares type ${type}, and its endpoint in ${endpoint.region} has none.`);
  return {
    name: family.name,
    type,
    setIdentifier: endpoint.region,
    weight,
    ...(Array.isArray(answer) ? { ttl: spec.ttlSeconds, values: [...answer] } : { alias: { ...answer.alias } }),
    ...(endpoint.healthCheckId === undefined ? {} : { healthCheckId: endpoint.healthCheckId }),
  };
};
