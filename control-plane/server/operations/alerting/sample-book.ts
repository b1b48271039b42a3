/**
 * What counters and buckets grew by, for as long as the longest window asks. Counters begin anew with their process: a total that falls counts from
 * zero. Points are thinned, so that an hour of a thousand series stays a few megabytes.
 */

import type { KeyedSample, Series } from "./series.ts";

export interface Growth {
  readonly value: number;
  /** Whether it was watched for the whole window: else it may have grown by more. */
  readonly isWhole: boolean;
}

export interface SampleBook {
  /** All series of a metric at one moment, monotonic. What isn't asked for any more is forgotten. */
  readonly take: (metric: string, series: readonly Series[], atMs: number, keepMs: number) => void;
  readonly keepOnly: (metrics: ReadonlySet<string>) => void;
  /** Null for a series that isn't there. */
  readonly growth: (metric: string, key: KeyedSample["key"], windowMs: number, atMs: number) => Growth | null;
}

interface Point {
  readonly atMs: number;
  readonly total: number;
}

interface Line {
  raw: number;
  total: number;
  points: Point[];
}

interface Metric {
  readonly since: number;
  readonly lines: Map<string, Line>;
}

/** Points of one series: a window's edge is met within a hundredth and a bit. */
const POINTS_MAX = 120;

export const createSampleBook = (): SampleBook => {
  const metrics = new Map<string, Metric>();
  return {
    keepOnly: (names) => {
      for (const name of metrics.keys()) if (!names.has(name)) metrics.delete(name);
    },
    take: (name, series, atMs, keepMs) => {
      const known = metrics.get(name);
      const metric = known ?? { since: atMs, lines: new Map<string, Line>() };
      metrics.set(name, metric);
      const seen = new Set<string>();
      for (const { key, value } of series.flatMap(({ samples }) => samples)) {
        if (!Number.isFinite(value)) continue;
        seen.add(key);
        const line = metric.lines.get(key);
        if (line) grow(line, value, atMs, keepMs);
        // A series that begins while we watch was zero before; one that was there already counts from now.
        else if (known)
          metric.lines.set(key, {
            raw: value,
            total: value,
            points: [
              { atMs: metric.since, total: 0 },
              { atMs, total: value },
            ],
          });
        else metric.lines.set(key, { raw: value, total: 0, points: [{ atMs, total: 0 }] });
      }
      for (const key of metric.lines.keys()) if (!seen.has(key)) metric.lines.delete(key);
    },
    growth: (name, key, windowMs, atMs) => {
      const metric = metrics.get(name);
      const line = metric?.lines.get(key);
      if (!metric || !line) return null;
      const from = atMs - windowMs;
      const base = line.points[lastUntil(line.points, from)] ?? line.points[0];
      return { value: line.total - (base?.total ?? 0), isWhole: metric.since <= from };
    },
  };
};

/** Place of the last point that isn't later; -1 where all are. */
const lastUntil = (points: readonly Point[], atMs: number): number => {
  let [low, high] = [-1, points.length - 1];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if ((points[middle]?.atMs ?? 0) <= atMs) low = middle;
    else high = middle - 1;
  }
  return low;
};

const grow = (line: Line, value: number, atMs: number, keepMs: number): void => {
  line.total += value < line.raw ? value : value - line.raw;
  line.raw = value;
  const last = line.points.at(-1);
  const before = line.points.at(-2);
  // The newest point moves along until it is far enough from the one before.
  if (last && before && last.atMs - before.atMs < keepMs / POINTS_MAX)
    line.points[line.points.length - 1] = { atMs, total: line.total };
  else line.points.push({ atMs, total: line.total });
  // One point at or before the window's edge stays.
  while (line.points.length > 2 && (line.points[1]?.atMs ?? atMs) <= atMs - keepMs) line.points.shift();
};
