/**
 * Times and durations as an operator reads them in a sentence. Pure arithmetic: the engine has no calendar, and a sentence about the last
 * minutes needs none. Used by every `why`.
 */
import type { Instant } from "@regent/contract";

const SECOND_MS = 1_000;
const DAY_S = 86_400;

/** Time of day in UTC, `HH:MM:SSZ`, cut (never rounded up) to the second. */
export const clockText = (at: Instant): string => {
  const second = ((Math.floor(at / SECOND_MS) % DAY_S) + DAY_S) % DAY_S;
  return `${twoDigits(Math.floor(second / 3_600))}:${twoDigits(Math.floor(second / 60) % 60)}:${twoDigits(second % 60)}Z`;
};

const twoDigits = (value: number): string => String(value).padStart(2, "0");
