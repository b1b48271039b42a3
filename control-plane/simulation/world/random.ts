/**
 * Chance of a virtual world: numbers in [0, 1) that repeat for a seed (mulberry32), and lots that depend on what they are drawn for alone, so that
 * one more line in a timeline changes nothing for the others. Its own: the sandbox shares no code with what it tests. Pure.
 */
import { hash32 } from "@regent/agents/core/schedule.ts";

export type Chance = () => number;

export const createChance = (seed: number): Chance => {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
};

/** The same number for the same seed and label, whatever else is drawn. */
export const drawLot = (seed: number, label: string): number => hash32(`${seed} ${label}`) / 4_294_967_296;
