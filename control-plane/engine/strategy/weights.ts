/**
 * Turns wanted shares into the integers 0-255 that Route 53 takes, as exactly as they allow. Pure. Called for every family at every look, so
 * it is fast: the search starts at the largest sum, stops at an exact answer, and drops a sum at the first region that can't beat the best.
 */
import type { RegionId } from "@regent/contract";

/** The largest weight that Route 53 takes. */
export const WEIGHT_MAX = 255;

/** Written weights this near to the wanted shares are left alone: resolvers balance resolvers, and nobody can see half a percent. */
export const WEIGHT_HYSTERESIS = 0.005;

/** Below this, two errors are one error and rounding noise. */
const ERROR_EPSILON = 1e-12;

/** Below this, two remainders (in units of one weight) are a tie, so that equal shares are told apart by their order alone. */
const TIE_EPSILON = 1e-9;

interface Part {
  readonly region: RegionId;
  /** 0..1; all parts sum to 1. */
  readonly share: number;
}

interface Candidate {
  readonly weights: readonly number[];
  readonly error: number;
}

/**
 * Weights 0..255 whose proportions are nearest to `shares` in the largest deviation, over all sums W (research/algorithms.md §2.6).
 *
 * - `shares`: region -> 0..1, summing to 1 (they are normalised; anything not above 0 is 0). Keys and their order are kept in the answer.
 * - A positive share never gets 0, even one below 1/256: it gets the smallest share that can be written ("canary floor"). A zero share never
 *   gets a positive weight. Shares that are all zero give zeros, which A2 and `checkBatch` refuse.
 * - `previous`: what DNS holds. It is answered again when no share errs by more than `hysteresis` (0..1) and no region crosses zero, or when
 *   the search finds nothing more exact.
 *
 * Ties: larger sum, then bigger share, then region id; so the order of keys has no influence on the numbers.
 */
export const toWeights = (
  shares: Readonly<Record<RegionId, number>>,
  previous: Readonly<Record<RegionId, number>> | null = null,
  hysteresis: number = WEIGHT_HYSTERESIS,
): Record<RegionId, number> => {
  const parts = toParts(shares);
  const errorBefore = previous === null ? Number.POSITIVE_INFINITY : weightsError(shares, previous);
  if (previous !== null && errorBefore <= hysteresis + ERROR_EPSILON) return pick(shares, (region) => previous[region] ?? 0);
  const best = searchWeights(parts);
  if (previous !== null && errorBefore <= best.error + ERROR_EPSILON) return pick(shares, (region) => previous[region] ?? 0);
  const weightByRegion = new Map(parts.map((part, at) => [part.region, best.weights[at] ?? 0]));
  return pick(shares, (region) => weightByRegion.get(region) ?? 0);
};

/**
 * Largest deviation, 0..1, between what `weights` make Route 53 answer and `shares`. Infinite when a region crosses zero, when a region that
 * has no share holds weight, or when a weight isn't an integer of 0..255: such weights can't stand for these shares.
 */
export const weightsError = (shares: Readonly<Record<RegionId, number>>, weights: Readonly<Record<RegionId, number>>): number => {
  const values = Object.values(weights);
  if (values.some((weight) => !Number.isInteger(weight) || weight < 0 || weight > WEIGHT_MAX)) return Number.POSITIVE_INFINITY;
  const weightsSum = values.reduce((sum, weight) => sum + weight, 0);
  const parts = toParts(shares);
  if (weightsSum === 0) return parts.length === 0 ? 0 : Number.POSITIVE_INFINITY;
  const served = Object.keys(weights).filter((region) => (weights[region] ?? 0) > 0);
  if (served.length !== parts.length) return Number.POSITIVE_INFINITY;
  let error = 0;
  for (const { region, share } of parts) {
    const weight = weights[region] ?? 0;
    if (weight === 0) return Number.POSITIVE_INFINITY;
    error = Math.max(error, Math.abs(weight / weightsSum - share));
  }
  return error;
};

/** The regions that get anything, biggest share first, then by id: the order in which ties are decided and sums are added. */
const toParts = (shares: Readonly<Record<RegionId, number>>): readonly Part[] => {
  const parts: Part[] = [];
  for (const region of Object.keys(shares)) {
    const share = shares[region] ?? 0;
    if (share > 0) parts.push({ region, share });
  }
  parts.sort((a, b) => b.share - a.share || (a.region < b.region ? -1 : 1));
  const sum = parts.reduce((total, part) => total + part.share, 0);
  return parts.map(({ region, share }) => ({ region, share: share / sum }));
};

/**
 * Tries every sum from the largest down; the first exact one ends it, and among equals the larger sum stays. Regions lifted to 1 add up to one
 * each to the largest sum that can hold 255.
 */
const searchWeights = (parts: readonly Part[]): Candidate => {
  const first = parts[0];
  if (first === undefined) return { weights: [], error: 0 };
  let best: Candidate = { weights: parts.map(() => 1), error: Number.POSITIVE_INFINITY };
  for (let sum = Math.floor(WEIGHT_MAX / first.share) + parts.length; sum >= parts.length; sum -= 1) {
    if (!canBeat(parts, sum, best.error)) continue;
    const candidate = fillLargestRemainder(parts, sum);
    if (candidate === null || candidate.error >= best.error - ERROR_EPSILON) continue;
    best = candidate;
    if (best.error <= ERROR_EPSILON) break;
  }
  return best;
};

/** No integers of this sum can be nearer to the shares than their distance from the next integer: most sums fall here, at the first region. */
const canBeat = (parts: readonly Part[], sum: number, error: number): boolean => {
  const distanceMax = (error - ERROR_EPSILON) * sum;
  for (let at = parts.length - 1; at >= 0; at -= 1) {
    const exact = (parts[at]?.share ?? 0) * sum;
    if (Math.abs(exact - Math.floor(exact + 0.5)) >= distanceMax) return false;
  }
  return true;
};

/**
 * Largest-remainder apportionment of `sum`, with at least 1 for everybody; null when a weight would exceed 255. Regions lifted to 1 may leave
 * too little for the others: then the sum is reached from the other side, by taking from the region that is furthest above its share.
 */
const fillLargestRemainder = (parts: readonly Part[], sum: number): Candidate | null => {
  const weights: number[] = [];
  /** Above its share, in weights. */
  const excess: number[] = [];
  let left = sum;
  for (const { share } of parts) {
    const weight = Math.max(1, Math.floor(share * sum));
    weights.push(weight);
    excess.push(weight - share * sum);
    left -= weight;
  }
  const step = left > 0 ? 1 : -1;
  for (; left !== 0; left -= step) {
    const chosen = step > 0 ? findLowest(excess) : findHighest(excess, weights);
    weights[chosen] = (weights[chosen] ?? 0) + step;
    excess[chosen] = (excess[chosen] ?? 0) + step;
  }
  let error = 0;
  for (let at = 0; at < weights.length; at += 1) {
    if ((weights[at] ?? 0) > WEIGHT_MAX) return null;
    error = Math.max(error, Math.abs(excess[at] ?? 0) / sum);
  }
  return { weights, error };
};

/** The first of the lowest: parts come in the order that decides ties. */
const findLowest = (excess: readonly number[]): number => {
  let chosen = 0;
  for (let at = 1; at < excess.length; at += 1) if ((excess[at] ?? 0) < (excess[chosen] ?? 0) - TIE_EPSILON) chosen = at;
  return chosen;
};

/** The first of the highest that has more than the 1 which nobody falls below. */
const findHighest = (excess: readonly number[], weights: readonly number[]): number => {
  let chosen = 0;
  for (let at = 1; at < excess.length; at += 1) {
    if ((weights[at] ?? 0) > 1 && (excess[at] ?? 0) > (excess[chosen] ?? 0) + TIE_EPSILON) chosen = at;
  }
  return chosen;
};

const pick = (shares: Readonly<Record<RegionId, number>>, weightOf: (region: RegionId) => number): Record<RegionId, number> =>
  Object.fromEntries(Object.keys(shares).map((region) => [region, weightOf(region)]));
