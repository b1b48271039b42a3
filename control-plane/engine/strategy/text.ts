/** Numbers as a tired operator reads them. Pure; no Date in the engine. */
import type { Instant } from "@regent/contract";

const two = (n: number): string => String(n).padStart(2, "0");

/** `03:12:09Z`, time of day of a database instant. */
export const clockText = (at: Instant): string => {
  const second = Math.floor(at / 1000) % 86_400;
  return `${two(Math.floor(second / 3600))}:${two(Math.floor(second / 60) % 60)}:${two(second % 60)}Z`;
};

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
