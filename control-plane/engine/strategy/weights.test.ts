import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { sharesArbitrary } from "../testing/dns.ts";
import { toWeights, WEIGHT_HYSTERESIS, weightsError } from "./weights.ts";

const THIRD = 1 / 3;

describe("exact cases of algorithms §2.6", () => {
  it.each([
    { shares: { a: 1 }, weights: { a: 255 } },
    { shares: { a: 1, b: 0 }, weights: { a: 255, b: 0 } },
    { shares: { a: 0.5, b: 0.5 }, weights: { a: 255, b: 255 } },
    { shares: { a: THIRD, b: 1 - THIRD }, weights: { a: 127, b: 254 } },
    { shares: { a: 0.5, b: 0.3, c: 0.2 }, weights: { a: 255, b: 153, c: 102 } },
    { shares: { a: THIRD, b: THIRD, c: THIRD }, weights: { a: 255, b: 255, c: 255 } },
    { shares: { a: 0.6, b: 0.2, c: 0.2 }, weights: { a: 255, b: 85, c: 85 } },
    { shares: { a: 0.999, b: 0.001 }, weights: { a: 255, b: 1 } },
    { shares: { a: 0.9999, b: 0.00005, c: 0.00005 }, weights: { a: 255, b: 1, c: 1 } },
    { shares: { a: 0, b: 0 }, weights: { a: 0, b: 0 } },
  ])("$shares becomes $weights", ({ shares, weights }) => {
    expect(toWeights(shares as Record<string, number>)).toEqual(weights);
  });

  it("gives twenty regions, nineteen of them tiny, a weight each", () => {
    const shares = Object.fromEntries(Array.from({ length: 20 }, (_, at) => [`r${at}`, at === 0 ? 1 - 19e-9 : 1e-9]));
    const weights = toWeights(shares);
    expect(weights).toEqual(Object.fromEntries(Object.keys(shares).map((region, at) => [region, at === 0 ? 255 : 1])));
  });

  it("takes what isn't a positive number for no share", () => {
    expect(toWeights({ a: 1, b: Number.NaN, c: -1 })).toEqual({ a: 255, b: 0, c: 0 });
  });
});

describe("laws", () => {
  it("weights are integers 0-255 of the same regions, positive exactly where the share is", () => {
    fc.assert(
      fc.property(sharesArbitrary, (shares) => {
        const weights = toWeights(shares);
        expect(Object.keys(weights)).toEqual(Object.keys(shares));
        for (const [region, weight] of Object.entries(weights)) {
          expect(Number.isInteger(weight) && weight >= 0 && weight <= 255).toBe(true);
          expect(weight > 0).toBe((shares[region] ?? 0) > 0);
        }
      }),
    );
  });

  it("the proportions err by less than one weight of the smallest usable sum, and by 0.3 % where no share is under 1/255", () => {
    fc.assert(
      fc.property(sharesArbitrary, (shares) => {
        const positive = Object.values(shares).filter((share) => share > 0);
        const error = weightsError(shares, toWeights(shares));
        expect(error).toBeLessThan(positive.length / 255);
        if (Math.min(...positive) >= 1 / 255) expect(error).toBeLessThan(0.003);
      }),
      { numRuns: 500 },
    );
  });

  it("no apportionment that a plain search over all sums finds is nearer", () => {
    fc.assert(
      fc.property(sharesArbitrary, (shares) => {
        expect(weightsError(shares, toWeights(shares))).toBeLessThanOrEqual(plainSearchError(shares) + 1e-9);
      }),
      { numRuns: 200 },
    );
  });

  it("the order of keys has no influence", () => {
    fc.assert(
      fc.property(sharesArbitrary, (shares) => {
        const reversed = Object.fromEntries(Object.entries(shares).reverse());
        expect(toWeights(reversed)).toEqual(toWeights(shares));
      }),
    );
  });

  it("what was written is written again while it errs by no more than the hysteresis, and never across zero", () => {
    fc.assert(
      fc.property(sharesArbitrary, sharesArbitrary, (before, shares) => {
        const previous = toWeights(before);
        const weights = toWeights(shares, previous);
        const isNear = weightsError(shares, previous) <= WEIGHT_HYSTERESIS;
        if (isNear) expect(weights).toEqual(Object.fromEntries(Object.keys(shares).map((r) => [r, previous[r] ?? 0])));
        for (const [region, weight] of Object.entries(weights)) expect(weight > 0).toBe((shares[region] ?? 0) > 0);
      }),
    );
  });

  it("writing the answer once settles it", () => {
    fc.assert(
      fc.property(sharesArbitrary, (shares) => {
        const weights = toWeights(shares);
        expect(toWeights(shares, weights, 0)).toEqual(weights);
      }),
    );
  });
});

describe("previous weights", () => {
  it.each([
    {
      title: "a person's 100 and 0 stands for all and nothing",
      previous: { a: 100, b: 0 },
      shares: { a: 1, b: 0 },
      weights: { a: 100, b: 0 },
    },
    { title: "0.4 % off is kept", previous: { a: 127, b: 128 }, shares: { a: 0.502, b: 0.498 }, weights: { a: 127, b: 128 } },
    { title: "1 % off is not", previous: { a: 50, b: 50 }, shares: { a: 0.51, b: 0.49 }, weights: { a: 255, b: 245 } },
    {
      title: "a region that must go goes, however small",
      previous: { a: 255, b: 1 },
      shares: { a: 1, b: 0 },
      weights: { a: 255, b: 0 },
    },
    { title: "a region that has left the shares counts", previous: { a: 255, gone: 1 }, shares: { a: 1 }, weights: { a: 255 } },
    { title: "a weight that Route 53 refuses is not kept", previous: { a: 256 }, shares: { a: 1 }, weights: { a: 255 } },
  ])("$title", ({ previous, shares, weights }) => {
    expect(toWeights(shares as Record<string, number>, previous as Record<string, number>)).toEqual(weights);
  });
});

/** The dumb twin: largest remainder for every sum, nothing pruned, sums that lose a positive share skipped. */
const plainSearchError = (shares: Record<string, number>): number => {
  const parts = Object.values(shares).filter((share) => share > 0);
  let best = Number.POSITIVE_INFINITY;
  for (let sum = 1; sum <= Math.floor(255 / Math.max(...parts)) + 1; sum += 1) {
    const weights = parts.map((share) => Math.floor(share * sum));
    const byRemainder = parts
      .map((share, at) => ({ at, rest: share * sum - (weights[at] ?? 0) }))
      .sort((a, b) => b.rest - a.rest);
    const left = sum - weights.reduce((total, weight) => total + weight, 0);
    for (const { at } of byRemainder.slice(0, left)) weights[at] = (weights[at] ?? 0) + 1;
    if (weights.some((weight) => weight === 0 || weight > 255)) continue;
    best = Math.min(best, Math.max(...parts.map((share, at) => Math.abs((weights[at] ?? 0) / sum - share))));
  }
  return best;
};
