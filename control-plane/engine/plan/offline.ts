/**
 * What an operator decides with DNS alone, while no control plane is there: how it is written, and how a controller that comes back knows it. Pure.
 *
 * It moves weights and nothing else. The declaration at hand may be an old copy, so what answers, TTLs and health checks stay as they stand in
 * DNS, and regions that stand there undeclared are led to 0 with the others. Only what the target lacks in DNS is taken from the declaration.
 */
import type { EndpointAnswer, RecordType, RegionId, Weights } from "@regent/contract";
import type { EndpointSpec, Epoch, Observed, RecordSet, ServiceSpec } from "../model.ts";
import { isAnswering } from "../strategy/standing.ts";
import { WEIGHT_MAX } from "../strategy/weights.ts";
import { readEpochSet } from "./epoch.ts";
import { preflight } from "./preflight.ts";
import { readLargestWeights, readStandingWeights, renderFamilies, toMembers } from "./record-sets.ts";
import { toCanonicalAnswer, toSetKey, toSetWords } from "./record-values.ts";

export type OfflineWish = { readonly kind: "failover"; readonly to: RegionId } | { readonly kind: "freeze" };

export interface OfflinePlanned {
  readonly kind: "planned";
  /** The service as it stands in DNS, with which the batch is rendered and checked. */
  readonly spec: ServiceSpec;
  /** The epoch record to be replaced. */
  readonly epoch: Epoch;
  readonly weightsBefore: Weights;
  readonly weightsAfter: Weights;
  /** What stands otherwise than declared, a sentence each. It stays so. */
  readonly differences: readonly string[];
}

export type OfflinePlan =
  | OfflinePlanned
  /** DNS says already what is asked for. */
  | { readonly kind: "standing"; readonly why: string }
  | { readonly kind: "refused"; readonly why: string };

type Refused = Extract<OfflinePlan, { kind: "refused" }>;

const refuse = (why: string): Refused => ({ kind: "refused", why });

export const planOffline = (spec: ServiceSpec, observed: Observed, wish: OfflineWish): OfflinePlan => {
  const typed = { ...spec, types: standingTypes(spec, observed) };
  const checked = preflight({ spec: typed, observed, everWritten: false });
  if (checked.kind === "refused") return refuse(`${checked.why} ${checked.fix}`);
  if (checked.kind === "create")
    return refuse(
      `Nothing stands at ${spec.name}, and there is no epoch record ${spec.epochName}: offline, only a name is written that Regent wrote before.`,
    );
  if (toMembers(typed, observed).length === 0)
    return refuse(`The epoch record ${spec.epochName} stands, and ${spec.name} has no record that answers.`);
  const standing = toStanding(spec, typed, observed, wish);
  if ("kind" in standing) return standing;
  const weightsBefore = readLargestWeights(standing, observed);
  const common = { spec: standing, epoch: checked.epoch, weightsBefore, differences: differencesFromDeclared(spec, observed) };
  return wish.kind === "freeze" ? planFreeze(common, observed) : planFailover(common, observed, wish.to);
};

type Common = Pick<OfflinePlanned, "spec" | "epoch" | "weightsBefore" | "differences">;

const planFailover = (common: Common, observed: Observed, to: RegionId): OfflinePlan => {
  const { spec, epoch, weightsBefore } = common;
  const isAlone =
    readStandingWeights(spec, observed) !== null &&
    Object.values(weightsBefore).every((family) =>
      Object.entries(family).every(([region, weight]) => (region === to ? weight > 0 : weight === 0)),
    );
  if (isAlone)
    return {
      kind: "standing",
      why: `${to} serves ${spec.name} alone already (revision ${epoch.revision}, ${modeText(epoch)}).`,
    };
  const weightsAfter = Object.fromEntries(
    spec.families.map(({ id }) => [
      id,
      Object.fromEntries(spec.endpoints.map(({ region }) => [region, region === to ? WEIGHT_MAX : 0])),
    ]),
  );
  return { kind: "planned", ...common, weightsAfter };
};

const planFreeze = (common: Common, observed: Observed): OfflinePlan => {
  const { spec, epoch } = common;
  if (epoch.mode === "frozen")
    return { kind: "standing", why: `${spec.id} is frozen in DNS already (revision ${epoch.revision}).` };
  const weights = readStandingWeights(spec, observed);
  if (weights === null)
    return refuse(`The record types of ${spec.name} disagree on their weights: a failover settles that, a freeze would keep it.`);
  if (!isAnswering(weights))
    return refuse(`All weights of ${spec.name} are 0: that is an empty answer, and isn't written again.`);
  return { kind: "planned", ...common, weightsAfter: weights };
};

const modeText = ({ mode }: Epoch): string => (mode === "frozen" ? "frozen" : "not frozen");

// ------------------------------------------------------------------------------------------------ the service as it stands

const ADDRESS_TYPES: readonly RecordType[] = ["A", "AAAA", "CNAME"];

/** Types that answer at the service's names, declared or not: a type that is left out would go on answering the old region. */
const standingTypes = (spec: ServiceSpec, { sets }: Observed): readonly RecordType[] => {
  const types = ADDRESS_TYPES.filter((type) =>
    sets.some((set) => set.type === type && spec.families.some(({ name }) => name === set.name)),
  );
  return types.length > 0 ? types : spec.types;
};

const toStanding = (spec: ServiceSpec, typed: ServiceSpec, observed: Observed, wish: OfflineWish): ServiceSpec | Refused => {
  const members = toMembers(typed, observed);
  const regions = new Set([
    ...spec.endpoints
      .map(({ region }) => region)
      .filter((region) => members.some(({ setIdentifier }) => setIdentifier === region) || isTarget(wish, region)),
    ...members.flatMap(({ setIdentifier }) => setIdentifier ?? []),
  ]);
  const endpoints: EndpointSpec[] = [];
  for (const region of regions) {
    const endpoint = toEndpoint(
      typed,
      region,
      members.filter(({ setIdentifier }) => setIdentifier === region),
    );
    if ("kind" in endpoint) return endpoint;
    endpoints.push(endpoint);
  }
  const [ttl, ...others] = new Set(members.flatMap((set) => set.ttl ?? []));
  return { ...typed, endpoints, ttlSeconds: ttl === undefined || others.length > 0 ? spec.ttlSeconds : ttl };
};

const isTarget = (wish: OfflineWish, region: RegionId): boolean => wish.kind === "failover" && wish.to === region;

const toEndpoint = (spec: ServiceSpec, region: RegionId, members: readonly RecordSet[]): EndpointSpec | Refused => {
  const declared = spec.endpoints.find((endpoint) => endpoint.region === region);
  const answers: Partial<Record<RecordType, EndpointAnswer>> = {};
  for (const type of spec.types) {
    const [first, ...others] = members.filter((set) => set.type === type);
    const odd = others.find((set) => first !== undefined && toCanonicalAnswer(set) !== toCanonicalAnswer(first));
    if (odd) return refuse(`${toSetWords(odd)} answers otherwise in this family than in another: settle that by hand first.`);
    const answer = first === undefined ? declared?.answers[type] : answerOf(first);
    if (answer === undefined)
      return refuse(`${spec.name} has no ${type} record of ${region}, and the declaration at hand has none for it either.`);
    answers[type] = answer;
  }
  const { priority = spec.endpoints.length + 1, capacity = 1, headroom = 1 } = declared ?? {};
  // What stands keeps the check that it has; only a region that has no record at all gets the declared one.
  const healthCheckId = members.length === 0 ? declared?.healthCheckId : undefined;
  return { region, priority, capacity, headroom, answers, ...(healthCheckId === undefined ? {} : { healthCheckId }) };
};

const answerOf = ({ values = [], alias }: RecordSet): EndpointAnswer =>
  alias === undefined ? [...values] : { alias: { ...alias } };

// ------------------------------------------------------------------------------------------------ how it differs

/** Where what stands isn't what is declared, weights aside: an edit, or a declaration that is older or newer than DNS. */
export const differencesFromDeclared = (spec: ServiceSpec, observed: Observed): string[] => {
  const zero = Object.fromEntries(
    spec.families.map(({ id }) => [id, Object.fromEntries(spec.endpoints.map(({ region }) => [region, 0]))]),
  );
  const declared = renderFamilies(spec, zero);
  const declaredKeys = new Set(declared.map(toSetKey));
  const members = toMembers({ ...spec, types: ADDRESS_TYPES }, observed);
  const standing = new Map(members.map((set) => [toSetKey(set), set]));
  return [
    ...declared.flatMap((set) => {
      const found = standing.get(toSetKey(set));
      return found === undefined ? [`${toSetWords(set)} is declared and doesn't stand in DNS.`] : compare(set, found);
    }),
    ...members
      .filter((set) => !declaredKeys.has(toSetKey(set)))
      .map((set) => `${toSetWords(set)} stands in DNS and isn't declared.`),
  ];
};

const compare = (declared: RecordSet, found: RecordSet): string[] => {
  const words = toSetWords(found);
  const isSameCheck = declared.healthCheckId === undefined || declared.healthCheckId === found.healthCheckId;
  return [
    ...(toCanonicalAnswer(found) === toCanonicalAnswer(declared)
      ? []
      : [`${words} answers ${toCanonicalAnswer(found)}; declared is ${toCanonicalAnswer(declared)}.`]),
    ...(found.ttl === declared.ttl ? [] : [`${words} has TTL ${found.ttl ?? "none"}; declared is ${declared.ttl ?? "none"}.`]),
    ...(isSameCheck
      ? []
      : [`${words} has health check ${found.healthCheckId ?? "none"}; declared is ${declared.healthCheckId}.`]),
  ];
};

// ------------------------------------------------------------------------------------------------ what a controller finds

export interface LastStood {
  /** ULID of the epoch record that we know to have stood in DNS last; null before the first. */
  readonly ulid: string | null;
  /** The sets that stood with it. */
  readonly sets: readonly RecordSet[] | null;
}

/**
 * A record of our owner that isn't the last one we know of, is beyond it and says `frozen`. The revision is compared with what stood in DNS and
 * not with what was written ahead: that may never have arrived. Whether a row of ours explains the record, the caller knows.
 */
export const isOfflineDecision = (spec: ServiceSpec, epoch: Epoch | null, { ulid, sets }: LastStood): boolean =>
  epoch !== null &&
  epoch.owner === spec.owner &&
  epoch.mode === "frozen" &&
  epoch.ulid !== ulid &&
  epoch.revision > lastRevision(spec, sets);

/** 0: nothing of ours is known to have stood. */
const lastRevision = ({ epochName }: ServiceSpec, sets: LastStood["sets"]): number => {
  const last = (sets ?? []).find((set) => set.name === epochName && set.type === "TXT");
  return (last === undefined ? null : readEpochSet(last))?.revision ?? 0;
};

export interface Taken {
  readonly decision: Epoch;
  /** As they stand in DNS now, and as they stood when we last knew. */
  readonly weights: Weights;
  readonly before: Weights | null;
  readonly sets: LastStood["sets"];
}

/**
 * Where the operator put the traffic: the region that serves alone in every family. Null when several serve, and when nothing but a freeze was
 * written, which chooses no region: it took the very next revision, and the weights are those of before.
 */
export const placedByOperator = (spec: ServiceSpec, { decision, weights, before, sets }: Taken): RegionId | null => {
  if (before !== null && decision.revision === lastRevision(spec, sets) + 1 && isSame(before, weights)) return null;
  const serving = Object.values(weights).map((family) => Object.keys(family).filter((region) => (family[region] ?? 0) > 0));
  const [region, ...others] = new Set(serving.flat());
  return region !== undefined && others.length === 0 ? region : null;
};

/** Both are of the same service; a region that one of them lacks has no weight there. */
const isSame = (a: Weights, b: Weights): boolean =>
  [...new Set([...Object.keys(a), ...Object.keys(b)])].every((family) =>
    [...new Set([...Object.keys(a[family] ?? {}), ...Object.keys(b[family] ?? {})])].every(
      (region) => (a[family]?.[region] ?? 0) === (b[family]?.[region] ?? 0),
    ),
  );

/**
 * Such a decision takes the next revision after what it read, and revisions in DNS only grow: a row of ours at its revision or beyond never stood
 * there, and can't any more, as what it deletes is gone. Of a row before it that isn't known.
 */
export const isOvertaken = (row: { readonly revision: number; readonly expects: string | null }, decision: Epoch): boolean =>
  row.revision >= decision.revision && row.expects !== decision.ulid;
