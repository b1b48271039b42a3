/** The control of the intake's benchmark: what one small durable write costs on this disk, at the rate at which reports are committed. */
import { mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { median, percentile, type Row, round } from "./measure.ts";

const WRITES_PER_SECOND = 200;
const BYTES = 8_192;
const MEASURED_MS = 20_000;

export const benchDisk = async (): Promise<Row[]> => {
  const folder = await mkdtemp(join(tmpdir(), "regent-bench-disk-"));
  const file = await open(join(folder, "log"), "w");
  const taken: number[] = [];
  try {
    const page = Buffer.alloc(BYTES, 1);
    const started = performance.now();
    for (let n = 0; performance.now() - started < MEASURED_MS; n++) {
      const wait = started + (n * 1000) / WRITES_PER_SECOND - performance.now();
      if (wait > 1) await sleep(wait);
      const begun = performance.now();
      await file.write(page);
      await file.datasync();
      taken.push(performance.now() - begun);
    }
  } finally {
    await file.close();
    await rm(folder, { recursive: true, force: true });
  }
  return [
    {
      what: `control of the intake: ${BYTES / 1024} KiB and fdatasync on this disk, at most ${WRITES_PER_SECOND} a second (${taken.length}x)`,
      target: "",
      figure: `p50 ${round(median(taken))} ms, p99 ${round(percentile(taken, 0.99))} ms, worst ${round(Math.max(...taken))} ms`,
      isReached: null,
      numbers: { p50Ms: median(taken), p99Ms: percentile(taken, 0.99), worstMs: Math.max(...taken) },
    },
  ];
};
