/** One region's verdicts over time, as a band. Pure. */
import type { Turn } from "../world/story.ts";
import { LEFT, LETTER_WIDTH, type Scale, text } from "./parts.ts";
import { VERDICT_PATTERNS } from "./style.ts";

interface BandInput {
  readonly service: string;
  readonly region: string;
  readonly y: number;
  readonly height: number;
  readonly scale: Scale;
  readonly forMs: number;
}

export const toBands = (turns: readonly Turn[], { service, region, y, height, scale, forMs }: BandInput): readonly string[] => {
  const own = turns.filter((turn) => turn.service === service && turn.region === region);
  const baseline = y + height - 4;
  return [
    `<text class="faint" x="${LEFT - 8}" y="${baseline}" text-anchor="end">${text(region)}</text>`,
    ...own.flatMap(({ at, to, why }, i) => {
      const [from, until] = [scale(at), scale(own[i + 1]?.at ?? forMs)];
      const box = `x="${from.toFixed(1)}" y="${y}" width="${(until - from).toFixed(1)}" height="${height}"`;
      const over = VERDICT_PATTERNS[to];
      return [
        `<rect class="${to}" ${box}><title>${text(`${region} ${to}: ${why}`)}</title></rect>`,
        ...(over === undefined ? [] : [`<rect fill="url(#${over})" ${box}/>`]),
        ...(until - from > to.length * LETTER_WIDTH + 8
          ? [`<text class="label" x="${(from + 4).toFixed(1)}" y="${baseline}">${to}</text>`]
          : []),
      ];
    }),
  ];
};
