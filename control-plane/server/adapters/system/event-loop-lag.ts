/** Measures how late this process's event loop is. */
import { monitorEventLoopDelay } from "node:perf_hooks";

const RESOLUTION_MS = 20;

/** Calls back every second with the mean lag of that second, ms. Answers how to stop. */
export const watchEventLoopLag = (onMeasured: (lagMs: number) => void): (() => void) => {
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  histogram.enable();
  const timer = setInterval(() => {
    const meanMs = histogram.mean / 1e6;
    histogram.reset();
    // A second without a sample was blocked from end to end before this timer came; the next one tells.
    if (Number.isFinite(meanMs)) onMeasured(Math.max(0, meanMs - RESOLUTION_MS));
  }, 1_000);
  timer.unref();
  return () => {
    clearInterval(timer);
    histogram.disable();
  };
};
