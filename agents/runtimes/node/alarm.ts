/** A wait that can be cut short: sleeps until a time, which later news may only bring nearer. One waiter. */
import type { Clock } from "./clock.ts";

export interface Alarm {
  /** Resolves at `at`, or at the nearer time that `ring` has asked for since the last wait. */
  readonly until: (at: number) => Promise<void>;
  readonly ringAt: (at: number) => void;
}

export const createAlarm = (clock: Clock): Alarm => {
  let asked = Number.POSITIVE_INFINITY;
  let wake: (() => void) | undefined;
  let target = Number.POSITIVE_INFINITY;
  let timer: NodeJS.Timeout | undefined;

  const arm = (): void => {
    clearTimeout(timer);
    timer = setTimeout(() => wake?.(), Math.max(0, Math.min(target, asked) - clock.now()));
  };

  return {
    until: (at) =>
      new Promise((resolve) => {
        target = at;
        wake = () => {
          wake = undefined;
          asked = Number.POSITIVE_INFINITY;
          resolve();
        };
        arm();
      }),
    ringAt: (at) => {
      if (at >= asked) return;
      asked = at;
      if (wake !== undefined) arm();
    },
  };
};
