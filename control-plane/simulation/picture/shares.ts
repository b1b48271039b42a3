/** What part of the answers each region gets over time, stacked. Weights stand until the next write, so the area has steps. Pure. */
import { partsOf } from "../rehearsal/check.ts";
import type { Standing } from "../world/story.ts";
import { LEFT, LETTER_WIDTH, type Scale, text } from "./parts.ts";
import { REGION_PATTERNS, REGION_STYLES } from "./style.ts";

interface SharesInput {
  readonly service: string;
  readonly family: string;
  /** What stands beside it. */
  readonly title: string;
  readonly regions: readonly string[];
  readonly top: number;
  readonly height: number;
  readonly scale: Scale;
  readonly forMs: number;
}

/** A part this small has no room for a word. */
const LABEL_PART_MIN = 0.2;

export const toShares = (standings: readonly Standing[], input: SharesInput): readonly string[] => {
  const { service, family, title, regions, top, height, scale, forMs } = input;
  const own = standings.filter((standing) => standing.service === service);
  const boxes = own.flatMap(({ at, weights }, i) => {
    const parts = partsOf(weights[family] ?? {});
    const [from, until] = [scale(at), scale(own[i + 1]?.at ?? forMs)];
    let above = 0;
    return regions.flatMap((region, index) => {
      const part = parts[region] ?? 0;
      if (part === 0) return [];
      const y = top + above * height;
      above += part;
      const box = `x="${from.toFixed(1)}" y="${y.toFixed(1)}" width="${(until - from).toFixed(1)}" height="${(part * height).toFixed(1)}"`;
      const over = REGION_PATTERNS[index % REGION_PATTERNS.length];
      const label = `${region} ${Math.round(part * 100)} %`;
      const hasRoom = part >= LABEL_PART_MIN && until - from > label.length * LETTER_WIDTH + 8;
      return [
        `<rect class="r${index % REGION_STYLES}" ${box}><title>${text(label)}</title></rect>`,
        ...(over == null ? [] : [`<rect fill="url(#${over})" ${box}/>`]),
        ...(hasRoom
          ? [
              `<text class="label" x="${(from + 4).toFixed(1)}" y="${(y + (part * height) / 2 + 3).toFixed(1)}">${text(label)}</text>`,
            ]
          : []),
      ];
    });
  });
  return [
    `<text class="faint" x="${LEFT - 8}" y="${top + 10}" text-anchor="end">${text(title)}</text>`,
    ...boxes,
    `<path class="edge" d="M${scale(0)} ${top}V${top + height}"/>`,
  ];
};
