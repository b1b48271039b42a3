/** Times and numbers as people read them: always with zone, and relative beside it. */
import type { Verdict } from "@regent/contract";

export const clock = (at: number): string => `${new Date(at).toISOString().slice(11, 19)}Z`;

export const ago = (at: number, now: number): string => {
  const seconds = Math.max(0, Math.round((now - at) / 1000));
  if (seconds < 90) return `${seconds} s ago`;
  const minutes = Math.round(seconds / 60);
  return minutes < 90
    ? `${minutes} min ago`
    : minutes < 60 * 36
      ? `${Math.round(minutes / 60)} h ago`
      : `${Math.round(minutes / 1440)} d ago`;
};

export const span = (from: number | undefined, to: number | undefined): string =>
  from === undefined || to === undefined ? "…" : to - from < 1000 ? `${to - from} ms` : `${((to - from) / 1000).toFixed(1)} s`;

export const percent = (share: number | undefined): string =>
  share === undefined ? "?" : `${Number((share * 100).toFixed(1))} %`;

/** Reasons end as their author ended them; a sentence ends once. */
export const sentence = (text: string): string => `${text.replace(/[.\s]+$/, "")}.`;

/** A shape besides the colour, so that colour is never the only sign. */
export const MARKS: Readonly<Record<Verdict, string>> = {
  healthy: "●",
  degraded: "◐",
  unhealthy: "✕",
  recovering: "↻",
  unknown: "?",
  maintenance: "▬",
};
