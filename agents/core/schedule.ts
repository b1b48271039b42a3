/**
 * When a check runs. Pure; times are milliseconds of one monotonic clock.
 *
 * A check has slots of `intervalMs`, shifted by a phase that is a stable hash of agent and target, so that thousands of checks neither
 * run at once nor move when the agent restarts. While its streak is falling or rising it runs every `recheckMs` instead.
 */
import type { Cadence } from "@regent/contract";
import type { Streak } from "@regent/engine/streak";
import { START_SPREAD_MS } from "./limits.ts";

export interface Identity {
  readonly agent: string;
  readonly target: string;
}

/** FNV-1a, 32 bits: stable across runtimes and releases, and good enough to spread. */
export const hash32 = (text: string): number => {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) {
    hash ^= text.charCodeAt(i);
    hash = Math.imul(hash, 0x01000193);
  }
  // FNV's high bits hardly change with the last characters; this finalizer spreads them.
  hash ^= hash >>> 16;
  hash = Math.imul(hash, 0x85ebca6b);
  hash ^= hash >>> 13;
  return hash >>> 0;
};

/** 0 <= phase < interval. */
export const phaseMs = ({ agent, target }: Identity, intervalMs: number): number => hash32(`${agent} ${target}`) % intervalMs;

export const slotAt = (now: number, { phase, intervalMs }: { phase: number; intervalMs: number }): number =>
  Math.floor((now - phase) / intervalMs);

/** Within min(interval, 500 ms) from now: the first look does not wait for the slot. */
export const firstRunAt = (identity: Identity, intervalMs: number, now: number): number =>
  now + (phaseMs(identity, intervalMs) / intervalMs) * Math.min(intervalMs, START_SPREAD_MS);

/** A probe never outlives its slot. */
export const deadlineMs = ({ timeoutMs, intervalMs }: Pick<Cadence, "timeoutMs" | "intervalMs">): number =>
  Math.min(timeoutMs, intervalMs);

/** Falling or rising: the next result can decide, so it should come soon. `unknown` with no failure is neither. */
export const isDeciding = ({ state, failures, passes }: Streak): boolean => (state === "down" ? passes > 0 : failures > 0);

export interface NextRun {
  readonly at: number;
  /** Whole intervals that the last run took: slots that it cost, counted, never queued. */
  readonly skipped: number;
}

export interface LastRun {
  readonly startedAt: number;
  readonly endedAt: number;
  readonly streak: Streak;
}

/** The gap between two starts is at most the interval, or the run's own length if that is longer. */
export const nextRun = (
  { startedAt, endedAt, streak }: LastRun,
  cadence: Pick<Cadence, "intervalMs" | "recheckMs">,
  phase: number,
): NextRun => {
  const { intervalMs } = cadence;
  if (isDeciding(streak)) return { at: Math.max(endedAt, startedAt + Math.min(cadence.recheckMs, intervalMs)), skipped: 0 };
  const slot = Math.max(slotAt(startedAt, { phase, intervalMs }) + 1, Math.ceil((endedAt - phase) / intervalMs));
  // A first run or a re-check starts between slots: one slot within it is no loss.
  return { at: phase + slot * intervalMs, skipped: Math.floor((endedAt - startedAt) / intervalMs) };
};
