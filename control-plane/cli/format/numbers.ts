/** Times, shares and weights as the command prints them. Pure. */
import type { Shares, Weights } from "@regent/contract";
import { clockText, durationText, percentText } from "@regent/engine/text.ts";

export { clockText, durationText, percentText };

/** `12:03:09.417Z`: clocks of a change differ by milliseconds. */
export const clockMsText = (at: number): string => `${clockText(at).slice(0, -1)}.${String(at % 1_000).padStart(3, "0")}Z`;

/** `+0.82 s` */
export const laterText = (ms: number): string => `+${(ms / 1_000).toFixed(2)} s`;

/** `eu-west 128, us-east 127`; of several families each with its name. `nothing yet` before the first write. */
export const weightsText = (weights: Weights): string => perFamily(weights, (weight) => String(weight));

/** `eu-west 60 %, us-east 40 %, ap-south 0 %` */
export const sharesText = (shares: Shares): string => perFamily(shares, percentText);

const perFamily = (families: Readonly<Record<string, Readonly<Record<string, number>>>>, text: (n: number) => string): string => {
  const entries = Object.entries(families);
  if (entries.length === 0) return "nothing yet";
  return entries
    .map(([family, regions]) => {
      const parts = Object.entries(regions).map(([region, number]) => `${region} ${text(number)}`);
      return entries.length === 1 ? parts.join(", ") : `${family}: ${parts.join(", ")}`;
    })
    .join("; ");
};
