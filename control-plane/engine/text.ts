/**
 * Numbers as a tired operator reads them. Pure arithmetic: the engine has no calendar, and a sentence about the last minutes needs none. Used
 * by every `why`.
 */
import type { Instant } from "@regent/contract";

const SECOND_MS = 1_000;
const DAY_S = 86_400;

/** Time of day in UTC, `HH:MM:SSZ`, cut (never rounded up) to the second. */
export const clockText = (at: Instant): string => {
  const second = ((Math.floor(at / SECOND_MS) % DAY_S) + DAY_S) % DAY_S;
  return `${twoDigits(Math.floor(second / 3_600))}:${twoDigits(Math.floor(second / 60) % 60)}:${twoDigits(second % 60)}Z`;
};

/** Two moments that read the same. */
export const isSameSecond = (a: Instant, b: Instant): boolean => Math.floor(a / SECOND_MS) === Math.floor(b / SECOND_MS);

const twoDigits = (value: number): string => String(value).padStart(2, "0");

/** `850 ms`, `12 s`, `4 min 30 s`, `2 h 5 min`. */
export const durationText = (ms: number): string => {
  if (ms < 1000) return `${Math.max(0, Math.round(ms))} ms`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 120) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 120) return seconds % 60 === 0 ? `${minutes} min` : `${minutes} min ${seconds % 60} s`;
  return minutes % 60 === 0 ? `${minutes / 60} h` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
};

/** `eu-west 60 %, us-east 40 %`: the largest first, regions without traffic left out. */
export const sharesText = (shares: Readonly<Record<string, number>>): string => {
  const parts = Object.entries(shares).filter(([, share]) => share > 0);
  parts.sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1));
  return parts.length === 0 ? "nobody" : parts.map(([region, share]) => `${region} ${percentText(share)}`).join(", ");
};

export const percentText = (share: number): string => `${Number((share * 100).toFixed(1))} %`;
