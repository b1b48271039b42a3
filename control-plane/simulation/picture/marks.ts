/** What was decided, held back and asked for, as numbered marks over a service's timeline, with their words below. Pure. */
import { changeText } from "../rehearsal/check.ts";
import type { Told } from "../rehearsal/run-rehearsal.ts";
import { momentText } from "../rehearsal/time.ts";
import { type Scale, text } from "./parts.ts";

export interface Mark {
  readonly at: number;
  readonly kind: "change" | "held" | "asked";
  readonly words: string;
}

/** More marks than these are a texture; the first say how it began. */
const MARKS_MAX = 24;
const WORDS_LENGTH_MAX = 150;

export const marksOf = (told: Told, service: string): readonly Mark[] =>
  [
    ...told.changes
      .filter((change) => change.service === service)
      .map((change): Mark => ({ at: change.at, kind: "change", words: `${changeText(change)}: ${change.why}` })),
    ...told.held
      .filter((held) => held.service === service && held.at >= 0)
      .map(({ at, rules, mode, sentence }): Mark => {
        const by = [...rules.map(({ rule }) => rule), ...(mode === null ? [] : ["mode"])].join(", ");
        return { at, kind: "held", words: `held by ${by}: ${sentence}` };
      }),
    ...told.standstills
      .filter((still) => still.service === service && still.at >= 0)
      .map(({ at, sentence }): Mark => ({ at, kind: "held", words: `stands still: ${sentence}` })),
    ...told.answers
      .filter((answer) => answer.service === service || answer.service === null)
      .map(({ at, by, do: act, is, why }): Mark => ({ at, kind: "asked", words: `${by} asked for ${act}, ${is}: ${why}` })),
  ]
    .sort((a, b) => a.at - b.at)
    .slice(0, MARKS_MAX);

export const toMarks = (
  marks: readonly Mark[],
  { scale, top, bottom }: { readonly scale: Scale; readonly top: number; readonly bottom: number },
): readonly string[] =>
  marks.flatMap(({ at, kind, words }, i) => {
    const x = scale(at).toFixed(1);
    // Marks of one moment would hide each other: their numbers stand in rows.
    const y = top - (i % 2) * 12;
    return [
      `<path class="${kind === "held" ? "held" : "change"}" d="M${x} ${y}V${bottom}"/>`,
      `<g><title>${text(words)}</title>${shapeOf(kind, Number(x), y)}<text class="label" x="${x}" y="${y + 3.5}" text-anchor="middle">${i + 1}</text></g>`,
    ];
  });

/** Another shape for each kind: round for changes, square for what was held back, a diamond for what people asked for. */
const shapeOf = (kind: Mark["kind"], x: number, y: number): string => {
  switch (kind) {
    case "change":
      return `<circle class="dot" cx="${x}" cy="${y}" r="7.5"/>`;
    case "held":
      return `<rect class="dot" x="${(x - 7).toFixed(1)}" y="${y - 7}" width="14" height="14"/>`;
    case "asked":
      return `<path class="dot" d="M${x} ${y - 9.5}l9.5 9.5l-9.5 9.5l-9.5 -9.5z"/>`;
  }
};

export const toLegend = (
  marks: readonly Mark[],
  { top, lineHeight }: { readonly top: number; readonly lineHeight: number },
): readonly string[] =>
  marks.map(({ at, words }, i) => {
    const line = `${i + 1}  ${momentText(at)}  ${words}`;
    const shown = line.length > WORDS_LENGTH_MAX ? `${line.slice(0, WORDS_LENGTH_MAX - 1)}…` : line;
    return `<text x="12" y="${top + i * lineHeight}">${text(shown)}</text>`;
  });
