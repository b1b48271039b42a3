/**
 * Which record sets of one name and type answer a question, by Route 53's routing policies and health rules. Pure but for the
 * random source. Source of the rules: Route 53 Developer Guide, "How Amazon Route 53 chooses records when health checking is configured".
 */
import { CHAIN_LENGTH_MAX, MULTIVALUE_ANSWERS_MAX } from "../limits.ts";
import { policyOf, type RecordSet, type Records } from "../route53/model.ts";

/** Where the asker is, for latency and geolocation records. */
export interface Viewer {
  /** AWS region nearest to the asker. */
  readonly region?: string;
  readonly continentCode?: string;
  readonly countryCode?: string;
  readonly subdivisionCode?: string;
}

export interface ChoiceContext {
  readonly records: Records;
  readonly isHealthy: (checkId: string) => boolean;
  readonly random: () => number;
  readonly viewer: Viewer;
}

/** The record sets that answer: one, or up to eight of a multivalue group; none for a geolocation that covers the asker nowhere. */
export const chooseSets = (group: readonly RecordSet[], context: ChoiceContext): readonly RecordSet[] => {
  const [first] = group;
  if (!first) return [];
  switch (policyOf(first)) {
    case "simple":
      return [first];
    case "weighted":
      return [chooseWeighted(group, context)];
    case "failover":
      return [chooseFailover(group, context)];
    case "multivalue":
      return chooseMany(group, context);
    case "latency":
      return [chooseNearest(group, context)];
    case "geolocation":
      return chooseLocated(group, context);
  }
};

/** A record is healthy if its check is (or it has none), and if it is an alias that evaluates its target, also the target's group. */
export const isSetHealthy = (set: RecordSet, context: ChoiceContext, depth = 0): boolean => {
  if (set.healthCheckId !== undefined && !context.isHealthy(set.healthCheckId)) return false;
  const alias = set.aliasTarget;
  if (!alias?.evaluateTargetHealth || depth >= CHAIN_LENGTH_MAX) return true;
  const targets = (context.records.get(alias.dnsName) ?? []).filter((target) => target.type === set.type);
  // Weight 0 doesn't make a group healthy while others of it have weight.
  const counted = targets.some((target) => (target.weight ?? 1) > 0)
    ? targets.filter((target) => (target.weight ?? 1) > 0)
    : targets;
  return counted.some((target) => isSetHealthy(target, context, depth + 1));
};

const pick = <T>(items: readonly T[], random: () => number): T => items[Math.floor(random() * items.length)]!;

const byWeight = (group: readonly RecordSet[], random: () => number): RecordSet => {
  const total = group.reduce((sum, set) => sum + (set.weight ?? 0), 0);
  if (total === 0) return pick(group, random);
  let point = random() * total;
  for (const set of group) {
    point -= set.weight ?? 0;
    if (point < 0) return set;
  }
  return group.findLast((set) => (set.weight ?? 0) > 0)!;
};

/** Healthy with weight first; weight 0 only if all others are unhealthy; if nobody is healthy, as if everybody were. */
const chooseWeighted = (group: readonly RecordSet[], context: ChoiceContext): RecordSet => {
  const healthy = group.filter((set) => isSetHealthy(set, context));
  const weighted = healthy.filter((set) => (set.weight ?? 0) > 0);
  if (weighted.length > 0) return byWeight(weighted, context.random);
  return healthy.length > 0 ? pick(healthy, context.random) : byWeight(group, context.random);
};

/** Primary if healthy, else secondary if healthy, else primary. */
const chooseFailover = (group: readonly RecordSet[], context: ChoiceContext): RecordSet => {
  const primary = group.find((set) => set.failover === "PRIMARY");
  const secondary = group.find((set) => set.failover === "SECONDARY");
  if (primary && isSetHealthy(primary, context)) return primary;
  if (secondary && isSetHealthy(secondary, context)) return secondary;
  return primary ?? secondary!;
};

const shuffled = <T>(items: readonly T[], random: () => number): T[] => {
  const mixed = [...items];
  for (let last = mixed.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1));
    [mixed[last], mixed[other]] = [mixed[other]!, mixed[last]!];
  }
  return mixed;
};

const chooseMany = (group: readonly RecordSet[], context: ChoiceContext): RecordSet[] => {
  const healthy = group.filter((set) => isSetHealthy(set, context));
  return shuffled(healthy.length > 0 ? healthy : group, context.random).slice(0, MULTIVALUE_ANSWERS_MAX);
};

const orAll = (group: readonly RecordSet[], context: ChoiceContext): readonly RecordSet[] => {
  const healthy = group.filter((set) => isSetHealthy(set, context));
  return healthy.length > 0 ? healthy : group;
};

/** Without measured latencies: the asker's own region, else one of its continent (`eu-`), else the first by name. */
const chooseNearest = (group: readonly RecordSet[], context: ChoiceContext): RecordSet => {
  const able = [...orAll(group, context)].sort((a, b) => (a.region! < b.region! ? -1 : 1));
  const { region } = context.viewer;
  const prefix = region?.split("-")[0];
  return able.find((set) => set.region === region) ?? able.find((set) => set.region?.split("-")[0] === prefix) ?? able[0]!;
};

/** From the narrowest location that covers the asker to the default; an unhealthy one gives way to the next wider. */
const chooseLocated = (group: readonly RecordSet[], context: ChoiceContext): readonly RecordSet[] => {
  const { continentCode, countryCode, subdivisionCode } = context.viewer;
  const covers = (set: RecordSet): number => {
    const geo = set.geoLocation ?? {};
    if (geo.subdivisionCode !== undefined)
      return geo.countryCode === countryCode && geo.subdivisionCode === subdivisionCode ? 4 : 0;
    if (geo.countryCode !== undefined && geo.countryCode !== "*") return geo.countryCode === countryCode ? 3 : 0;
    if (geo.continentCode !== undefined) return geo.continentCode === continentCode ? 2 : 0;
    return 1;
  };
  const covering = group.filter((set) => covers(set) > 0).sort((a, b) => covers(b) - covers(a));
  const chosen = orAll(covering, context)[0];
  return chosen ? [chosen] : [];
};
