/** Long work in slices: reports are taken in between, however many services a look or a write concerns. */
import { setTimeout as sleep } from "node:timers/promises";

/** With a thousand agents a look at everything takes longer than a report may wait. Small systems have no second slice. */
const SLICE_MS = 10;
/** A report takes several turns of the event loop, so it needs as much time as the slice took, not one turn. */
const REST_MS_MAX = 50;

/** To be awaited between the pieces: rests when the slice is full. */
export const createSlices = (): (() => Promise<void>) => {
  let beganAt = performance.now();
  return async () => {
    const tookMs = performance.now() - beganAt;
    if (tookMs < SLICE_MS) return;
    await sleep(Math.min(REST_MS_MAX, tookMs));
    beganAt = performance.now();
  };
};
