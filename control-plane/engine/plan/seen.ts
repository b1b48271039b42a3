/**
 * What DNS answers now, as shares: not what we wish, not what we wrote, but what the authoritative servers' own revisions and Route 53's rules
 * amount to (DESIGN §8, peers.md §5.1). Pure. Where anything that counts isn't known, the answer is unknown rather than a guess.
 */
import type { Instant, RegionId, Seen, Shares, Weights } from "@regent/contract";
import type { ServiceSpec } from "../model.ts";

export interface SeenQuestion {
  readonly spec: ServiceSpec;
  /** One per authoritative server asked: the ULID that its epoch record shows, null when it didn't answer. */
  readonly servers: readonly { readonly ulid: string | null }[];
  /** What each revision of ours wrote: family -> region -> 0..255. */
  readonly weightsByUlid: ReadonlyMap<string, Weights>;
  /** What Route 53 thinks of the check attached to each region: true healthy, null not known. Absent: no check attached, which is healthy. */
  readonly healthByRegion?: Readonly<Record<RegionId, boolean | null>>;
  /** DNS is known to differ from what was written. */
  readonly driftOpen: boolean;
  readonly now: Instant;
}

/**
 * Shares 0..1 per family (types share weights) and region, averaged over the servers that answer; null when none answers, a server shows a
 * revision that isn't known, a check's state that counts isn't known, or drift is open. The health of an alias' target is not visible to us and
 * is taken as good.
 */
export const toSeen = (question: SeenQuestion): Seen => {
  const { servers, driftOpen, now } = question;
  const answered = servers.flatMap(({ ulid }) => (ulid === null ? [] : [ulid]));
  const unknown = (why: string): Seen => ({ shares: null, servers: answered.length, serversAsked: servers.length, why, at: now });
  if (answered.length === 0) return unknown(`None of ${servers.length} authoritative servers answers.`);
  if (driftOpen) return unknown("DNS differs from what Regent wrote, so its revision doesn't tell its answers.");
  const parts = [...new Set(answered)].map((ulid) => ({ ulid, count: answered.filter((other) => other === ulid).length }));
  const served: { readonly shares: Shares; readonly count: number }[] = [];
  for (const { ulid, count } of parts) {
    const weights = question.weightsByUlid.get(ulid);
    if (weights === undefined)
      return unknown(`${count} of ${answered.length} servers show revision ${ulid}, which isn't known here.`);
    const shares = toServedFamilies(question, weights);
    if (typeof shares === "string") return unknown(shares);
    served.push({ shares, count });
  }
  const shown = parts.map(({ ulid, count }) => `${count} of ${servers.length} authoritative servers answer ${ulid}`).join(", ");
  const unhealthy = Object.entries(question.healthByRegion ?? {}).filter(([, health]) => health === false);
  const decider =
    unhealthy.length === 0 ? "" : `; Route 53's own check finds ${unhealthy.map(([region]) => region).join(", ")} unhealthy`;
  return { ...unknown(`${shown}${decider}.`), shares: averageShares(question.spec, served, answered.length) };
};

/**
 * Shares that Route 53 serves from weights and health (null: not known), or null when that can't be told. Positive weights come first; weight 0
 * is considered only when all of those are unhealthy; when everything is unhealthy, all counts as healthy; only zeros share equally.
 */
export const toServedShares = (
  weights: Readonly<Record<RegionId, number>>,
  healthOf: (region: RegionId) => boolean | null,
): Record<RegionId, number> | null => {
  const regions = Object.keys(weights);
  const positive = regions.filter((region) => (weights[region] ?? 0) > 0);
  const zero = regions.filter((region) => (weights[region] ?? 0) === 0);
  for (const tier of [positive, zero]) {
    if (tier.some((region) => healthOf(region) === null)) return null;
    const healthy = tier.filter((region) => healthOf(region) === true);
    if (healthy.length > 0) return divide(weights, healthy);
  }
  return divide(weights, positive.length > 0 ? positive : zero);
};

const divide = (weights: Readonly<Record<RegionId, number>>, served: readonly RegionId[]): Record<RegionId, number> => {
  const sum = served.reduce((total, region) => total + (weights[region] ?? 0), 0);
  const share = (region: RegionId): number => (sum > 0 ? (weights[region] ?? 0) / sum : 1 / served.length);
  return Object.fromEntries(Object.keys(weights).map((region) => [region, served.includes(region) ? share(region) : 0]));
};

/** Every family's served shares, or the sentence that says what isn't known. */
const toServedFamilies = ({ spec, healthByRegion }: SeenQuestion, weights: Weights): Shares | string => {
  const declared = new Set(spec.endpoints.flatMap(({ region, healthCheckId }) => (healthCheckId === undefined ? [] : [region])));
  const healthOf = (region: RegionId): boolean | null => {
    const known = healthByRegion?.[region];
    return known === undefined ? !declared.has(region) || null : known;
  };
  const shares: Shares = {};
  for (const { id } of spec.families) {
    const familyWeights = weights[id];
    if (familyWeights === undefined) return `What the servers show has no weights for family ${id}.`;
    const served = toServedShares(familyWeights, healthOf);
    if (served === null) {
      const silent = Object.keys(familyWeights).filter((region) => healthOf(region) === null);
      return `The state of Route 53's health check of ${silent.join(", ")} isn't known.`;
    }
    shares[id] = served;
  }
  return shares;
};

const averageShares = (
  spec: ServiceSpec,
  served: readonly { readonly shares: Shares; readonly count: number }[],
  count: number,
): Shares =>
  Object.fromEntries(
    spec.families.map(({ id }) => {
      const regions = new Set([
        ...spec.endpoints.map(({ region }) => region),
        ...served.flatMap(({ shares }) => Object.keys(shares[id] ?? {})),
      ]);
      const mean = (region: RegionId): number =>
        served.reduce((sum, part) => sum + (part.shares[id]?.[region] ?? 0) * part.count, 0) / count;
      return [id, Object.fromEntries([...regions].map((region) => [region, mean(region)]))];
    }),
  );
