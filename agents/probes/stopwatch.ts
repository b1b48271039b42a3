/** Times one exchange. It starts when the probe dials, never while it waits in a queue. Milliseconds, to a tenth. */
import type { Phases } from "@regent/contract";

export interface Stopwatch {
  readonly elapsedMs: () => number;
  /** Ends a phase: its length is the time since the end of the one before. */
  readonly mark: (phase: "connect" | "tls" | "firstByte") => void;
  readonly phases: () => Phases;
}

export const startStopwatch = (dnsMs: number): Stopwatch => {
  const startedAt = performance.now();
  const phases: Phases = dnsMs > 0 ? { dns: tenth(dnsMs) } : {};
  let lastMark = startedAt;
  return {
    elapsedMs: () => tenth(performance.now() - startedAt),
    mark: (phase) => {
      const now = performance.now();
      phases[phase] = tenth(now - lastMark);
      lastMark = now;
    },
    phases: () => phases,
  };
};

const tenth = (ms: number): number => Math.round(ms * 10) / 10;
