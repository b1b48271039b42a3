/** Lets so many in at once, and so many wait, in the order of asking: a slow dependency can't take everything that the others need. */

export interface GateLimits {
  readonly atOnce: number;
  /** Those who may wait; more are turned away. */
  readonly queue: number;
}

export interface Gate {
  /** False when the queue is full; else resolves once inside. Whoever was let in must leave. */
  readonly enter: () => Promise<boolean>;
  readonly leave: () => void;
  readonly inside: () => number;
  readonly waiting: () => number;
}

export const createGate = ({ atOnce, queue }: GateLimits): Gate => {
  const waiting: ((isIn: boolean) => void)[] = [];
  let inside = 0;
  return {
    enter: async () => {
      if (inside < atOnce) {
        inside += 1;
        return true;
      }
      if (waiting.length >= queue) return false;
      return new Promise((resolve) => waiting.push(resolve));
    },
    leave: () => {
      const next = waiting.shift();
      // The place goes straight to the next, so that nobody who comes now takes it.
      if (next) next(true);
      else inside -= 1;
    },
    inside: () => inside,
    waiting: () => waiting.length,
  };
};
