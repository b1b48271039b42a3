/**
 * A rehearsal as one SVG: per service the regions' verdicts as bands, the shares that DNS answers as a stacked area, and changes and refusals as
 * numbered marks with their words below. Readable in light and dark, and without colour: every fill has a pattern or a word of its own. Pure.
 */
import type { Rehearsal } from "../rehearsal/rehearsal.ts";
import type { RehearsalRun, Told } from "../rehearsal/run-rehearsal.ts";
import { momentText } from "../rehearsal/time.ts";
import { toBands } from "./bands.ts";
import { type Mark, marksOf, toLegend, toMarks } from "./marks.ts";
import { LEFT, type Scale, text, WIDTH } from "./parts.ts";
import { toShares } from "./shares.ts";
import { DEFS, STYLE } from "./style.ts";

const TOP = 48;
const BAND_HEIGHT = 18;
const SHARES_HEIGHT = 84;
const FAMILY_GAP = 8;
const LINE_HEIGHT = 15;
const GAP = 34;
const RIGHT = 16;
const TICKS_MAX = 8;
/** From one moment that is named to the next. */
const TICKS_MS = [1, 5, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 21_600, 43_200, 86_400].map(
  (seconds) => seconds * 1_000,
);

export const toPicture = ({ name, why, forMs, installation }: Rehearsal, { told }: RehearsalRun): string => {
  const scale: Scale = (at) => LEFT + (Math.min(Math.max(0, at), forMs) / forMs) * (WIDTH - LEFT - RIGHT);
  const panels: string[] = [];
  let y = TOP;
  for (const { id, endpoints, families } of installation.applied.specs.values()) {
    const regions = endpoints.map(({ region }) => region);
    const panel = toPanel({ service: id, families: families.map((family) => family.id), regions, told, scale, forMs }, y);
    panels.push(panel.svg);
    y += panel.height + GAP;
  }
  const height = y;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="system-ui, sans-serif" font-size="11" role="img">`,
    `<title>${text(name)}</title>`,
    `<desc>${text(why ?? name)}</desc>`,
    `<style>${STYLE}</style>`,
    `<defs>${DEFS}</defs>`,
    `<rect class="paper" width="${WIDTH}" height="${height}"/>`,
    `<text x="12" y="24" font-size="15" font-weight="600">${text(name)}</text>`,
    ...panels,
    "</svg>",
    "",
  ].join("\n");
};

interface PanelInput {
  readonly service: string;
  readonly families: readonly string[];
  readonly regions: readonly string[];
  readonly told: Told;
  readonly scale: Scale;
  readonly forMs: number;
}

const toPanel = (
  { service, families, regions, told, scale, forMs }: PanelInput,
  top: number,
): { readonly svg: string; readonly height: number } => {
  const bandsTop = top + 16;
  const sharesTop = bandsTop + regions.length * BAND_HEIGHT + 8;
  const axisY = sharesTop + families.length * (SHARES_HEIGHT + FAMILY_GAP) - FAMILY_GAP;
  const marks: readonly Mark[] = marksOf(told, service);
  const legendTop = axisY + 34;
  const svg = [
    `<g role="group" aria-label="${text(service)}">`,
    `<text x="12" y="${top + 8}" font-weight="600">${text(service)}</text>`,
    ...regions.flatMap((region, row) =>
      toBands(told.turns, { service, region, y: bandsTop + row * BAND_HEIGHT, height: BAND_HEIGHT - 3, scale, forMs }),
    ),
    ...families.flatMap((family, row) => {
      const top = sharesTop + row * (SHARES_HEIGHT + FAMILY_GAP);
      const title = families.length === 1 ? "shares" : family;
      return toShares(told.standings, { service, family, title, regions, top, height: SHARES_HEIGHT, scale, forMs });
    }),
    ...toAxis(scale, axisY, forMs),
    ...toMarks(marks, { scale, top: bandsTop - 4, bottom: axisY }),
    ...toLegend(marks, { top: legendTop, lineHeight: LINE_HEIGHT }),
    "</g>",
  ].join("\n");
  return { svg, height: legendTop - top + marks.length * LINE_HEIGHT };
};

const toAxis = (scale: Scale, y: number, forMs: number): readonly string[] => {
  const everyMs = TICKS_MS.find((ms) => forMs / ms <= TICKS_MAX) ?? forMs;
  const moments = Array.from({ length: Math.floor(forMs / everyMs) + 1 }, (_, i) => i * everyMs);
  return [
    `<path class="axis" d="M${scale(0)} ${y}H${scale(forMs)}"/>`,
    ...moments.map((at) => {
      const x = scale(at).toFixed(1);
      // At the edge there is no room to the right.
      const anchor = at > forMs * 0.96 ? "end" : "middle";
      return `<path class="axis" d="M${x} ${y}v4"/><text class="faint" x="${x}" y="${y + 15}" text-anchor="${anchor}">${text(momentText(at))}</text>`;
    }),
  ];
};
