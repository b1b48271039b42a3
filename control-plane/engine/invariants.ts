/**
 * What must hold of everything we send, whoever decided it. Pure; each function answers violations as sentences, none when all is well. The
 * same functions stand before the send in production, in the properties of the builders, and in the simulation.
 */
import type { Shares } from "@regent/contract";
import type { Epoch, RecordSet, ServiceBatch, ServiceSpec } from "./model.ts";
import { readEpochSet } from "./plan/epoch.ts";
import { toCanonicalAnswer, toCanonicalValue, toSetKey, toSetWords } from "./plan/record-values.ts";
import { WEIGHT_MAX } from "./strategy/weights.ts";

const SHARES_SUM_TOLERANCE = 1e-9;

export interface BatchCheck {
  readonly spec: ServiceSpec;
  readonly batch: ServiceBatch;
  /** Set identifiers of members that go: regions taken out of the declaration, or what an edit added. No other may go without being made again. */
  readonly removed?: readonly string[];
  /** Sets of a type that is declared no longer, which go. */
  readonly retired?: readonly RecordSet[];
  /** Somebody else's edit is kept: a member that DNS doesn't hold any more may stay gone. */
  readonly keepsEdit?: boolean;
  /** The name is adopted: records that stood there are replaced, and so may be its owner. */
  readonly adopts?: boolean;
}

/**
 * S1, S3, S5 and A2 for one service's batch: only its own names; a whole, unique, weighted family per name and type that answers something;
 * weights 0..255, the same for all types; one TTL; nothing deleted that isn't made again; and an epoch record that moves one step on.
 */
export const checkBatch = ({ retired = [], ...check }: BatchCheck): string[] => {
  const gone = new Set(retired.map(toSetKey));
  const deletes = check.batch.deletes.filter((set) => !gone.has(toSetKey(set)));
  const returns = check.batch.creates.filter((set) => gone.has(toSetKey(set)));
  return [
    ...returns.map((set) => `${toSetWords(set)} is retired and created.`),
    ...checkMembers({ ...check, batch: { ...check.batch, deletes } }),
  ];
};

const checkMembers = ({
  spec,
  batch,
  removed = [],
  keepsEdit = false,
  adopts = false,
}: Omit<BatchCheck, "retired">): string[] => [
  ...(batch.service === spec.id ? [] : [`The batch is for service ${batch.service}, not ${spec.id}.`]),
  ...checkNames(spec, batch),
  ...checkUnique(batch),
  ...checkFamilies(spec, batch, keepsEdit),
  ...(adopts ? checkTakenOver(spec, batch) : checkDeletes({ spec, batch, removed })),
  ...checkEpochStep(spec, batch, adopts),
];

/** Each family's shares are 0..1 and sum to 1 within 1e-9. */
export const checkShares = (shares: Shares): string[] =>
  Object.entries(shares).flatMap(([family, byRegion]) => {
    const odd = Object.entries(byRegion).filter(([, share]) => !(share >= 0 && share <= 1));
    const sum = Object.values(byRegion).reduce((total, share) => total + share, 0);
    return [
      ...odd.map(([region, share]) => `The share of ${region} in family ${family} is ${share}, outside 0 to 1.`),
      ...(Math.abs(sum - 1) <= SHARES_SUM_TOLERANCE ? [] : [`The shares of family ${family} sum to ${sum}, not 1.`]),
    ];
  });

const isEpochSet = (spec: ServiceSpec, set: RecordSet): boolean => set.name === spec.epochName && set.type === "TXT";

const checkNames = (spec: ServiceSpec, { deletes, creates }: ServiceBatch): string[] =>
  [...deletes, ...creates]
    .filter(
      (set) =>
        !isEpochSet(spec, set) &&
        !(spec.families.some(({ name }) => name === set.name) && spec.types.some((type) => type === set.type)),
    )
    .map((set) => `${toSetWords(set)} isn't a record of service ${spec.id}.`);

const checkUnique = ({ deletes, creates }: ServiceBatch): string[] =>
  [deletes, creates].flatMap((sets, half) => {
    const keys = sets.map(toSetKey);
    return sets
      .filter((set, at) => keys.indexOf(toSetKey(set)) !== at)
      .map((set) => `${toSetWords(set)} is ${half === 0 ? "deleted" : "created"} twice.`);
  });

const checkFamilies = (spec: ServiceSpec, { deletes, creates }: ServiceBatch, keepsEdit: boolean): string[] =>
  spec.families.flatMap(({ name }) => [
    ...spec.types.flatMap((type) => {
      const members = creates.filter((set) => set.name === name && set.type === type);
      const standing = deletes.filter((set) => set.name === name && set.type === type);
      const regions = keepsEdit ? standing.map(({ setIdentifier }) => setIdentifier) : spec.endpoints.map(({ region }) => region);
      return [...checkAnswers(`${name} ${type}`, members), ...checkWhole(regions, `${name} ${type}`, members)];
    }),
    ...checkSameWeights(spec, name, keepsEdit ? creates.filter((set) => !isSameWeight(set, deletes)) : creates),
  ]);

/** Never empty, never all zero, and nothing but weighted sets with one TTL. */
const checkAnswers = (what: string, members: readonly RecordSet[]): string[] => {
  if (members.length === 0) return [`${what} would have no record.`];
  const ttls = new Set(members.filter(({ alias }) => alias === undefined).map(({ ttl }) => ttl));
  return [
    ...members
      .filter((set) => !isWeight(set.weight))
      .map((set) => `${toSetWords(set)} has weight ${set.weight ?? "none"}, not 0 to 255.`),
    ...members.filter((set) => set.setIdentifier === undefined).map((set) => `${toSetWords(set)} has no set identifier.`),
    ...members.filter((set) => (set.alias === undefined) !== (set.ttl !== undefined)).map(describeTtl),
    ...(members.some((set) => (set.weight ?? 0) > 0) ? [] : [`All weights of ${what} would be 0.`]),
    ...(ttls.size <= 1 ? [] : [`${what} would have several TTLs: ${[...ttls].join(", ")}.`]),
  ];
};

const isWeight = (weight: number | undefined): boolean =>
  weight !== undefined && Number.isInteger(weight) && weight >= 0 && weight <= WEIGHT_MAX;

const describeTtl = (set: RecordSet): string =>
  set.alias === undefined ? `${toSetWords(set)} has no TTL.` : `${toSetWords(set)} is an alias and has a TTL.`;

const checkWhole = (regions: readonly (string | undefined)[], what: string, members: readonly RecordSet[]): string[] =>
  regions
    .filter((region) => !members.some(({ setIdentifier }) => setIdentifier === region))
    .map((region) => `${what} would lose its record of ${region}.`);

const checkSameWeights = (spec: ServiceSpec, name: string, creates: readonly RecordSet[]): string[] =>
  spec.endpoints.flatMap(({ region }) => {
    const weights = new Set(
      creates.filter((set) => set.name === name && set.setIdentifier === region).map(({ weight }) => weight),
    );
    return weights.size <= 1 ? [] : [`The types of ${name} disagree on the weight of ${region}: ${[...weights].join(", ")}.`];
  });

/** Types that an edit made disagree may go on doing so where we change nothing. */
const isSameWeight = (set: RecordSet, deletes: readonly RecordSet[]): boolean =>
  deletes.some((before) => toSetKey(before) === toSetKey(set) && before.weight === set.weight);

const checkDeletes = ({ spec, batch, removed = [] }: BatchCheck): string[] => {
  const createdKeys = new Set(batch.creates.map(toSetKey));
  return batch.deletes
    .filter((set) => !isEpochSet(spec, set) && !createdKeys.has(toSetKey(set)))
    .filter(({ setIdentifier }) => setIdentifier === undefined || !removed.includes(setIdentifier))
    .map((set) => `${toSetWords(set)} would be deleted and not made again.`);
};

/** An adoption replaces what stands, and what answers today answers afterwards. Where all weights are 0, Route 53 serves all of them. */
const checkTakenOver = (spec: ServiceSpec, { deletes, creates }: ServiceBatch): string[] => {
  const standing = deletes.filter((set) => !isEpochSet(spec, set));
  if (standing.length === 0) return ["The adoption would replace no record: nothing stands there to be adopted."];
  const answersOf = (set: RecordSet): readonly string[] =>
    set.alias === undefined ? (set.values ?? []).map((value) => toCanonicalValue(set.type, value)) : [toCanonicalAnswer(set)];
  const isOf = (one: RecordSet) => (set: RecordSet) => set.name === one.name && set.type === one.type;
  return standing.flatMap((set) => {
    const isServed = set.weight === undefined || set.weight > 0 || standing.filter(isOf(set)).every(({ weight }) => weight === 0);
    const kept = new Set(creates.filter((made) => isOf(set)(made) && (made.weight ?? 0) > 0).flatMap(answersOf));
    return isServed && !answersOf(set).every((answer) => kept.has(answer))
      ? [`${toSetWords(set)} answers ${toCanonicalAnswer(set)} today, and nothing would answer that any more.`]
      : [];
  });
};

const checkEpochStep = (spec: ServiceSpec, { deletes, creates }: ServiceBatch, adopts: boolean): string[] => {
  const [created, ...more] = creates.filter((set) => isEpochSet(spec, set));
  if (created === undefined || more.length > 0)
    return [`The batch creates ${more.length + (created === undefined ? 0 : 1)} epoch records, not 1.`];
  const next = readEpochSet(created);
  if (next === null) return [`The new epoch record ${spec.epochName} can't be read back.`];
  const owner = next.owner === spec.owner ? [] : [`The new epoch record names owner ${next.owner}, not ${spec.owner}.`];
  if (deletes.length === 0)
    return [...owner, ...(next.revision >= 1 ? [] : [`The first revision is ${next.revision}, below 1.`])];
  const deleted = deletes.find((set) => isEpochSet(spec, set));
  // The members, deleted exactly as read, fence an adoption: there is no epoch record yet.
  if (deleted === undefined && adopts) return owner;
  if (deleted === undefined)
    return [...owner, `The batch deletes records without the epoch record ${spec.epochName}: nothing fences it.`];
  const before = readEpochSet(deleted);
  if (before === null) return [...owner, `The epoch record that the batch deletes can't be read, so it may not be ours.`];
  return [...owner, ...(adopts && before.owner !== next.owner ? compareUlids(before, next) : compareEpochs(before, next))];
};

const compareUlids = (before: Epoch, next: Epoch): string[] =>
  next.ulid !== before.ulid ? [] : [`The ULID ${next.ulid} would come twice.`];

const compareEpochs = (before: Epoch, next: Epoch): string[] => [
  ...(before.owner === next.owner ? [] : [`The owner would change from ${before.owner} to ${next.owner}.`]),
  // A revision that was decided and never arrived leaves a gap in DNS; what was left out is in the outbox.
  ...(next.revision > before.revision ? [] : [`The revision would go from ${before.revision} to ${next.revision}, not up.`]),
  ...(next.term >= before.term ? [] : [`The term would fall from ${before.term} to ${next.term}.`]),
  ...compareUlids(before, next),
];
