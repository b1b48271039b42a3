/**
 * Two clocks. `now` never jumps: it starts at the wall time of the process start and runs on the monotonic clock, so that slots and ages
 * survive a corrected wall clock. `wall` is what the agent says the time is.
 */
export interface Clock {
  readonly now: () => number;
  readonly wall: () => number;
}

export const systemClock: Clock = {
  now: () => performance.timeOrigin + performance.now(),
  wall: () => Date.now(),
};
