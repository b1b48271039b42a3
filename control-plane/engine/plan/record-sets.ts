/**
 * Between weights and record sets: what a service's families look like in Route 53, and what a listing of its names says of them. Pure.
 * A member is a record set at the name of a family whose type the service declares; nothing else at those names is ever touched.
 */
import type { RecordType, Weights } from "@regent/contract";
import type { EndpointSpec, FamilySpec, Observed, RecordSet, ServiceSpec } from "../model.ts";
import { readEpochSet } from "./epoch.ts";
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
 * that nobody declared kept as read (a person's own record is not ours to drop; `removed` names regions that a person took out of the
 * declaration, which go). The digest of the next epoch record is taken over the canonical text of exactly these.
 */
export const renderMembers = ({
  spec,
  observed,
  weights,
  removed = [],
}: {
  readonly spec: ServiceSpec;
  readonly observed: Observed;
  readonly weights: Weights;
  readonly removed?: readonly string[];
}): RecordSet[] => {
  const readByKey = new Map(toMembers(spec, observed).map((set) => [toSetKey(set), set]));
  const declared = renderFamilies(spec, weights).map((set) => {
    const healthCheckId = set.healthCheckId ?? readByKey.get(toSetKey(set))?.healthCheckId;
    return healthCheckId === undefined ? set : { ...set, healthCheckId };
  });
  const declaredKeys = new Set(declared.map(toSetKey));
  const kept = [...readByKey.values()].filter(
    (set) => !declaredKeys.has(toSetKey(set)) && !(set.setIdentifier !== undefined && removed.includes(set.setIdentifier)),
  );
  // One group has one TTL: Route 53 would silently give all of it the last one written.
  return [...declared, ...kept.map((set) => (set.alias === undefined ? { ...set, ttl: spec.ttlSeconds } : set))];
};

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
  const epochSet = own.find((set) => set.name === spec.epochName && set.type === "TXT") ?? null;
  return {
    epochSet,
    epoch: epochSet === null ? null : readEpochSet(epochSet),
    sets: own.filter((set) => set !== epochSet),
  };
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
