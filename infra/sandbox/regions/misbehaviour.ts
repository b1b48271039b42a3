/** Decides how a broken API treats the next request. Pure, given the clock and the generator. */
import type { ApiFault } from "../faults.ts";

/** What happens to one request. */
export type Treatment =
  | { readonly kind: "answer" }
  | { readonly kind: "answer-late"; readonly delayMs: number }
  | { readonly kind: "unavailable" }
  | { readonly kind: "silence" };

/**
 * @param nowMs the region's wall clock, milliseconds since 1970
 * @param draw next number of the fault's generator, 0 <= n < 1
 */
export const treatRequest = (fault: ApiFault | undefined, nowMs: number, draw: () => number): Treatment => {
  switch (fault?.fault) {
    case undefined:
      return { kind: "answer" };
    case "503":
      return { kind: "unavailable" };
    case "slow":
      return { kind: "answer-late", delayMs: fault.delayMs };
    case "alternate":
      return { kind: Math.floor(nowMs / 1_000) % 2 === 0 ? "answer" : "unavailable" };
    case "random":
      return { kind: draw() < fault.rate ? "unavailable" : "answer" };
    // A request that still reaches us while the port closes meets the same silence as one that hangs.
    case "hang":
    case "refuse":
    case "blackhole":
      return { kind: "silence" };
  }
};

/** mulberry32 (Tommy Ettinger, public domain): the same seed gives the same failures in every run. */
export const createDraw = (seed: number): (() => number) => {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
};
