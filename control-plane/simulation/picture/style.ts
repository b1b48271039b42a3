/** Colours by the reader's scheme, and patterns that tell the same without colour. Pure. */
const LIGHT = {
  paper: "#ffffff",
  ink: "#1f2328",
  faint: "#59636e",
  healthy: "#aceebb",
  degraded: "#fae17d",
  recovering: "#b6e3ff",
  unhealthy: "#ffaba8",
  unknown: "#d1d9e0",
  maintenance: "#d8c2f0",
};
const DARK = {
  paper: "#0d1117",
  ink: "#e6edf3",
  faint: "#9198a1",
  healthy: "#145527",
  degraded: "#6c4a08",
  recovering: "#0c4a7a",
  unhealthy: "#8e1519",
  unknown: "#3d444d",
  maintenance: "#4a2f75",
};

/** Of regions, in their order; more regions begin anew, with the next pattern. */
const REGION_LIGHT = ["#54aeff", "#fb8f44", "#4ac26b", "#c297ff", "#ff80c8", "#d4a72c"];
const REGION_DARK = ["#1f6feb", "#bd561d", "#238636", "#8957e5", "#bf4b8a", "#9e6a03"];
export const REGION_STYLES = REGION_LIGHT.length;

const colours = (palette: typeof LIGHT, regions: readonly string[]): string =>
  [
    `.paper{fill:${palette.paper}}text{fill:${palette.ink}}.faint{fill:${palette.faint}}`,
    `.axis,.edge,.held{stroke:${palette.faint}}.change,.ink{stroke:${palette.ink}}.dot{fill:${palette.paper};stroke:${palette.ink}}`,
    ...(["healthy", "degraded", "recovering", "unhealthy", "unknown", "maintenance"] as const).map(
      (verdict) => `.${verdict}{fill:${palette[verdict]}}`,
    ),
    ...regions.map((colour, i) => `.r${i}{fill:${colour}}`),
  ].join("");

export const STYLE = [
  ".axis,.edge{fill:none;stroke-width:1}.change{stroke-width:1.4}.held{stroke-width:1.4;stroke-dasharray:3 3}.ink{stroke-width:1;fill:none;opacity:.45}",
  ".dot{stroke-width:1}.label{font-size:10px}",
  colours(LIGHT, REGION_LIGHT),
  `@media (prefers-color-scheme:dark){${colours(DARK, REGION_DARK)}}`,
].join("");

const pattern = (id: string, size: number, path: string): string =>
  `<pattern id="${id}" width="${size}" height="${size}" patternUnits="userSpaceOnUse"><path class="ink" d="${path}"/></pattern>`;

/** Laid over the colour. A healthy region and the first in a stack have none. */
export const VERDICT_PATTERNS: Readonly<Record<string, string>> = {
  unhealthy: "hatch",
  degraded: "dots",
  recovering: "lines",
  unknown: "cross",
  maintenance: "bars",
};
export const REGION_PATTERNS = [null, "hatch", "lines", "dots", "bars", "cross"] as const;

export const DEFS = [
  pattern("hatch", 6, "M0 6L6 0"),
  pattern("dots", 6, "M3 2.5v1"),
  pattern("lines", 5, "M0 2.5H5"),
  pattern("cross", 7, "M0 7L7 0M0 0L7 7"),
  pattern("bars", 5, "M2.5 0V5"),
].join("");
