/**
 * Taking over a name that stands in DNS: a simple or weighted name of nobody's, or one whose epoch record is another installation's, gone, or
 * older than what we know. Pure. The records become ours with the traffic that they have: adopting moves none.
 */
import type { RecordType, RegionId, Weights } from "@regent/contract";
import type { EndpointSpec, FamilySpec, Observed, RecordSet, ServiceSpec } from "../model.ts";
import { WEIGHT_MAX } from "../strategy/weights.ts";
import type { OwnershipMark } from "./ownership-marks.ts";
import { renderFamilies, toMembers } from "./record-sets.ts";
import { toCanonicalAnswer, toCanonicalValue, toSetKey, toSetWords } from "./record-values.ts";

export interface AdoptionQuestion {
  readonly spec: ServiceSpec;
  readonly observed: Observed;
  readonly marks: readonly OwnershipMark[];
  /** Owner that a person names: the one installation that may be taken over from. */
  readonly takeover: string | null;
  /** We wrote the name before: then it isn't created anew by itself. */
  readonly everWritten: boolean;
}

export interface Adoptable {
  readonly kind: "adoptable";
  /** What stands, as weights of the declared regions. */
  readonly weights: Weights;
  /** Deleted exactly as read. */
  readonly replaces: readonly RecordSet[];
  readonly creates: readonly RecordSet[];
  /** Who wrote the epoch record before; null when there is none. */
  readonly from: string | null;
  /** What changes in DNS, a sentence each. */
  readonly lines: readonly string[];
}

export type Adoption = Adoptable | { readonly kind: "refused"; readonly why: string; readonly fix: string };

type Refused = Extract<Adoption, { kind: "refused" }>;

/** Which sets answer for which region, of one family and type. */
interface Matched {
  readonly family: FamilySpec;
  readonly type: RecordType;
  readonly byRegion: ReadonlyMap<RegionId, { readonly set: RecordSet; readonly weight: number }>;
  readonly sets: readonly RecordSet[];
}

export const planAdoption = ({ spec, observed, marks, takeover, everWritten }: AdoptionQuestion): Adoption => {
  const refusal = refuseOwner(spec, observed, marks, takeover) ?? refuseNeighbours(spec, observed, everWritten);
  if (refusal !== null) return refusal;
  const members = toMembers(spec, observed);
  const matched: Matched[] = [];
  for (const family of spec.families)
    for (const type of spec.types) {
      const sets = members.filter((set) => set.name === family.name && set.type === type);
      const one = match(spec, family, type, sets);
      if ("kind" in one) return one;
      matched.push(one);
    }
  const weights: Weights = {};
  for (const family of spec.families) {
    const agreed = agree(
      spec,
      matched.filter((one) => one.family.id === family.id),
    );
    if ("kind" in agreed) return agreed;
    weights[family.id] = agreed.weights;
  }
  const checks = new Map(matched.flatMap(toChecks));
  const creates = renderFamilies(spec, weights).map((set) => {
    const healthCheckId = set.healthCheckId ?? checks.get(toSetKey(set));
    return healthCheckId === undefined ? set : { ...set, healthCheckId };
  });
  return {
    kind: "adoptable",
    weights,
    replaces: members,
    creates,
    from: observed.epoch?.owner ?? null,
    lines: [...ownerLines(spec, observed), ...matched.flatMap((one) => toLines(one, creates))],
  };
};

// ------------------------------------------------------------------------------------------------ whose

const refuse = (why: string, fix: string): Refused => ({ kind: "refused", why, fix });

const refuseOwner = (
  spec: ServiceSpec,
  { epochSet, epoch }: Observed,
  marks: readonly OwnershipMark[],
  takeover: string | null,
): Refused | null => {
  const [mark] = marks;
  if (mark)
    return refuse(
      `external-dns (owner ${mark.owner}) marks this name as its own with the TXT record ${mark.name}.`,
      "Take the name out of external-dns' sources, let it or yourself remove its TXT records, and ask again. Regent never touches them.",
    );
  if (epochSet !== null && epoch === null)
    return refuse(
      `${toSetWords(epochSet)} holds ${(epochSet.values ?? []).join(" ") || "no value"}, which isn't an epoch record that this version reads.`,
      "Find out who wrote it; delete it, or set another epochLabel.",
    );
  if (epoch === null || epoch.owner === spec.owner) return null;
  if (takeover === null)
    return refuse(
      `The epoch record ${spec.epochName} names owner ${epoch.owner}, and this installation is ${spec.owner}.`,
      `Stop the installation of ${epoch.owner}, then take the name over from it by name (--takeover ${epoch.owner}).`,
    );
  return epoch.owner === takeover
    ? null
    : refuse(
        `The epoch record ${spec.epochName} names owner ${epoch.owner}, not ${takeover}.`,
        "Look again who owns the name, and name that owner.",
      );
};

/** A CNAME stands alone at its name; records of a type that the service doesn't declare would be left without a fence. */
const refuseNeighbours = (spec: ServiceSpec, { sets }: Observed, everWritten: boolean): Refused | null => {
  const declared = (set: RecordSet): boolean => spec.types.some((type) => type === set.type);
  const other = sets.find(
    (set) =>
      spec.families.some(({ name }) => name === set.name) &&
      (set.type === "A" || set.type === "AAAA" || set.type === "CNAME") &&
      !declared(set),
  );
  if (other)
    return refuse(
      `${toSetWords(other)} stands there, and service ${spec.id} doesn't declare type ${other.type}.`,
      `Declare it for every endpoint, or delete it.`,
    );
  return sets.some((set) => spec.families.some(({ name }) => name === set.name) && declared(set))
    ? null
    : refuse(
        `Nothing stands at ${spec.name}.`,
        everWritten
          ? `Restore its records, or make one by hand that answers what an endpoint of ${spec.id} declares, and ask again: Regent doesn't create a name anew that it wrote before.`
          : "It needs no adoption: Regent creates the records of a declared name that has none.",
      );
};

// ------------------------------------------------------------------------------------------------ what

const match = (spec: ServiceSpec, family: FamilySpec, type: RecordType, sets: readonly RecordSet[]): Matched | Refused => {
  const odd = sets.find((set) => set.other !== undefined || (set.weight === undefined) !== (set.setIdentifier === undefined));
  if (odd)
    return refuse(
      `${toSetWords(odd)} has a routing policy that is neither simple nor weighted.`,
      "Bring it to weighted records by hand first, or declare another name.",
    );
  const [simple] = sets;
  if (simple && simple.weight === undefined) return matchSimple(spec, family, type, simple);
  const byRegion = new Map<RegionId, { set: RecordSet; weight: number }>();
  const isAllZero = sets.every(({ weight }) => weight === 0);
  for (const set of sets) {
    const region = findRegion(spec, type, set);
    if (region === null || byRegion.has(region))
      return refuse(
        `${toSetWords(set)} (weight ${set.weight}) answers ${toCanonicalAnswer(set)}, which ${region === null ? "no endpoint declares" : `${region} answers with another record already`}.`,
        region === null ? "Declare an endpoint with that answer, or delete the record." : "Delete one of the two.",
      );
    // Route 53 serves all of them where all weights are 0.
    byRegion.set(region, { set, weight: isAllZero ? WEIGHT_MAX : (set.weight ?? 0) });
  }
  return { family, type, byRegion, sets };
};

/** A simple record answers with all its values: each must be a declared endpoint's, and those endpoints share the traffic. */
const matchSimple = (spec: ServiceSpec, family: FamilySpec, type: RecordType, set: RecordSet): Matched | Refused => {
  const values = new Set((set.values ?? []).map((value) => toCanonicalValue(type, value)));
  const regions = spec.endpoints.filter((endpoint) => {
    const answer = endpoint.answers[type];
    if (set.alias !== undefined || !Array.isArray(answer)) return answerOf(endpoint, type) === toCanonicalAnswer(set);
    return answer.every((value) => values.has(toCanonicalValue(type, value)));
  });
  const covered = new Set(
    regions.flatMap(({ answers }) => {
      const answer = answers[type];
      return Array.isArray(answer) ? answer.map((value) => toCanonicalValue(type, value)) : [];
    }),
  );
  const missing = [...values].filter((value) => !covered.has(value));
  if (regions.length === 0 || missing.length > 0)
    return refuse(
      `${toSetWords(set)} is a simple record that answers ${toCanonicalAnswer(set)}, and no endpoint declares ${missing.join(", ") || "that"}.`,
      "Declare an endpoint with that answer: the traffic that it has now must stay.",
    );
  return { family, type, byRegion: new Map(regions.map(({ region }) => [region, { set, weight: WEIGHT_MAX }])), sets: [set] };
};

const answerOf = ({ answers }: EndpointSpec, type: RecordType): string | null => {
  const answer = answers[type];
  if (answer === undefined) return null;
  return toCanonicalAnswer(Array.isArray(answer) ? { type, values: answer } : { type, alias: answer.alias });
};

/** By what it answers; by its identifier where several endpoints answer the same. */
const findRegion = (spec: ServiceSpec, type: RecordType, set: RecordSet): RegionId | null => {
  const same = spec.endpoints.filter((endpoint) => answerOf(endpoint, type) === toCanonicalAnswer(set));
  const named = same.find(({ region }) => region === set.setIdentifier);
  return named?.region ?? (same.length === 1 ? (same[0]?.region ?? null) : null);
};

/** All types of a family share weights; a type with no record yet takes those of the others. */
const agree = (
  spec: ServiceSpec,
  matched: readonly Matched[],
): { readonly weights: Readonly<Record<RegionId, number>> } | Refused => {
  const standing = matched.filter(({ sets }) => sets.length > 0);
  const [first, ...others] = standing;
  if (!first)
    return refuse(
      `Nothing stands at ${matched[0]?.family.name ?? spec.name}.`,
      "Adopt names that stand; leave the others to be created: declare them in another service.",
    );
  const weightsOf = ({ byRegion }: Matched) =>
    Object.fromEntries(spec.endpoints.map(({ region }) => [region, byRegion.get(region)?.weight ?? 0]));
  const weights = weightsOf(first);
  const odd = others.find((other) => JSON.stringify(toParts(weightsOf(other))) !== JSON.stringify(toParts(weights)));
  return odd
    ? refuse(
        `${first.type} and ${odd.type} of ${first.family.name} share the traffic differently: ${toText(weights)} and ${toText(weightsOf(odd))}.`,
        "Give both the same weights first.",
      )
    : { weights };
};

const toParts = (weights: Readonly<Record<RegionId, number>>): readonly number[] => {
  const sum = Object.values(weights).reduce((total, weight) => total + weight, 0);
  return Object.values(weights).map((weight) => Math.round((weight / Math.max(1, sum)) * 1e6));
};

const toText = (weights: Readonly<Record<RegionId, number>>): string =>
  Object.entries(weights)
    .map(([region, weight]) => `${region} ${weight}`)
    .join(", ");

const toChecks = ({ family, type, byRegion }: Matched): (readonly [string, string])[] =>
  [...byRegion].flatMap(([region, { set }]) =>
    set.healthCheckId === undefined || set.setIdentifier === undefined
      ? []
      : [[toSetKey({ name: family.name, type, setIdentifier: region }), set.healthCheckId] as const],
  );

// ------------------------------------------------------------------------------------------------ said

const ownerLines = (spec: ServiceSpec, { epoch }: Observed): string[] => {
  if (epoch === null) return [`${spec.epochName} TXT is created: it marks the name as ${spec.owner}'s and fences every write.`];
  if (epoch.owner !== spec.owner)
    return [`${spec.epochName} TXT passes from ${epoch.owner} (revision ${epoch.revision}) to ${spec.owner}.`];
  return [
    `${spec.epochName} TXT stays ${spec.owner}'s; what stands there (revision ${epoch.revision}) becomes what Regent knows.`,
  ];
};

const toLines = ({ family, type, sets }: Matched, creates: readonly RecordSet[]): string[] => {
  const made = creates.filter((set) => set.name === family.name && set.type === type);
  const after = made.map(({ setIdentifier, weight }) => `${setIdentifier} ${weight}`).join(", ");
  const [first] = sets;
  if (first === undefined) return [`${family.name} ${type} is created, weighted: ${after}.`];
  const before =
    first.weight === undefined
      ? `a simple record (${toCanonicalAnswer(first)})`
      : `weighted: ${sets.map(({ setIdentifier, weight }) => `${setIdentifier} ${weight}`).join(", ")}`;
  const ttlBefore = first.ttl;
  const ttlAfter = made.find(({ ttl }) => ttl !== undefined)?.ttl;
  const madeKeys = new Map(made.map((set) => [toSetKey(set), set.healthCheckId]));
  const lostChecks = sets.filter((set) => set.healthCheckId !== undefined && ![...madeKeys.values()].includes(set.healthCheckId));
  return [
    `${family.name} ${type} is ${before}; it becomes weighted: ${after}.`,
    ...(ttlBefore !== undefined && ttlAfter !== undefined && ttlBefore !== ttlAfter
      ? [`Its TTL becomes ${ttlAfter} s (it is ${ttlBefore} s).`]
      : []),
    ...lostChecks.map(
      (set) => `Health check ${set.healthCheckId} of ${toSetWords(set)} is no longer attached: declare healthCheckId to keep it.`,
    ),
  ];
};
