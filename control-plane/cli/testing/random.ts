/** Chance that can be repeated: REGENT_SEED, the same one for everybody unless it is `random`. */

/** 0 <= x < 1, the same for the same seed (mulberry32). */
export const createRandom = (seed: number): (() => number) => {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
};

export const chooseSeed = (given: string | undefined): number => {
  if (given === "random") return Math.floor(Math.random() * 1_000_000);
  const seed = Number(given ?? 1);
  if (!Number.isInteger(seed) || seed < 0) throw new Error(`REGENT_SEED is a whole number from 0, or random, not "${given}"`);
  return seed;
};
