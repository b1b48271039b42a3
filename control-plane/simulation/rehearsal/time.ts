/** Moments of a timeline as they are written and as they are told. Pure. */
import type { WrittenTime } from "./shape.ts";

const MS_BY_UNIT = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** The shape has checked that it is one. */
export const toMs = (written: WrittenTime): number => {
  if (typeof written === "number") return Math.round(written * 1_000);
  const [, amount = "0", unit = "s"] = /^([\d.]+)([a-z]+)$/.exec(written) ?? [];
  return Math.round(Number(amount) * MS_BY_UNIT[unit as keyof typeof MS_BY_UNIT]);
};

/** `+43.2s`, `+12m03.1s`, `+2h00m00s`; infinite is the end. */
export const momentText = (ms: number): string => {
  if (!Number.isFinite(ms)) return "the end";
  const tenths = Math.round(ms / 100);
  const [hours, minutes, seconds] = [Math.floor(tenths / 36_000), Math.floor(tenths / 600) % 60, (tenths % 600) / 10];
  const secondsText = Number.isInteger(seconds) ? String(seconds) : seconds.toFixed(1);
  const padded = (text: string): string => ((text.split(".")[0] ?? "").length < 2 ? `0${text}` : text);
  if (hours > 0) return `+${hours}h${padded(String(minutes))}m${padded(secondsText)}s`;
  return minutes > 0 ? `+${minutes}m${padded(secondsText)}s` : `+${secondsText}s`;
};
