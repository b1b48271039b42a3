/** Colour for a terminal, never the only signal: every coloured thing also has a word or a symbol of its own. */
import type { Verdict } from "@regent/contract";
import pc from "picocolors";

export interface Paint {
  readonly bold: (text: string) => string;
  readonly dim: (text: string) => string;
  readonly good: (text: string) => string;
  readonly warn: (text: string) => string;
  readonly bad: (text: string) => string;
}

export const createPaint = (isColoured: boolean): Paint => {
  const { bold, dim, green, yellow, red } = pc.createColors(isColoured);
  return { bold, dim, good: green, warn: yellow, bad: red };
};

const SYMBOLS: Readonly<Record<Verdict, string>> = {
  healthy: "●",
  degraded: "◐",
  recovering: "◔",
  unhealthy: "✖",
  unknown: "?",
  maintenance: "▬",
};

export const verdictText = (verdict: Verdict, paint: Paint): string => {
  const text = `${SYMBOLS[verdict]} ${verdict}`;
  switch (verdict) {
    case "healthy":
      return paint.good(text);
    case "unhealthy":
      return paint.bad(text);
    case "degraded":
    case "recovering":
      return paint.warn(text);
    case "unknown":
    case "maintenance":
      return paint.dim(text);
  }
};
