/** Small line charts as one SVG, readable in light and dark: what docs/BENCHMARKS.md shows. Pure. */

export interface Series {
  readonly name: string;
  /** [x, y], x growing. */
  readonly points: readonly (readonly [number, number])[];
}

export interface Plot {
  readonly title: string;
  readonly xName: string;
  /** Log scales show growth: a straight line at 45 degrees is proportional. */
  readonly isLog: boolean;
  readonly series: readonly Series[];
}

const WIDTH = 340;
const HEIGHT = 190;
const LEFT = 52;
const TOP = 34;
const RIGHT = 14;
const BOTTOM = 34;
const COLUMNS = 2;

/** Each series in a chart of its own: they have different units. */
export const toSvg = ({ title, xName, isLog, series }: Plot): string => {
  const rows = Math.ceil(series.length / COLUMNS);
  const charts = series.map((one, i) =>
    toChart(one, { x: (i % COLUMNS) * WIDTH, y: Math.floor(i / COLUMNS) * HEIGHT + 30, xName, isLog }),
  );
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH * COLUMNS} ${rows * HEIGHT + 36}" font-family="system-ui, sans-serif" font-size="11" role="img">`,
    `<title>${escapeXml(title)}</title>`,
    "<style>text{fill:#57606a}.line{fill:none;stroke:#0969da;stroke-width:1.8}.dot{fill:#0969da}.axis{stroke:#8c959f;stroke-width:1;fill:none}",
    "@media (prefers-color-scheme:dark){text{fill:#9198a1}.line{stroke:#4493f8}.dot{fill:#4493f8}.axis{stroke:#656c76}}</style>",
    `<text x="10" y="20" font-size="14" font-weight="600">${escapeXml(title)}</text>`,
    ...charts,
    "</svg>",
    "",
  ].join("\n");
};

interface Place {
  readonly x: number;
  readonly y: number;
  readonly xName: string;
  readonly isLog: boolean;
}

const toChart = ({ name, points }: Series, { x, y, xName, isLog }: Place): string => {
  const finite = points.filter(([a, b]) => Number.isFinite(a) && Number.isFinite(b));
  const xs = finite.map(([a]) => a);
  const ys = finite.map(([, b]) => b);
  const scale = isLog ? (value: number): number => Math.log10(Math.max(value, 0.1)) : (value: number): number => value;
  const [xMin, xMax] = [scale(Math.min(...xs)), scale(Math.max(...xs))];
  const [yMin, yMax] = isLog ? [scale(Math.min(...ys) / 2), scale(Math.max(...ys) * 2)] : [0, Math.max(...ys) * 1.15 || 1];
  const toX = (value: number): number => LEFT + ((scale(value) - xMin) / (xMax - xMin || 1)) * (WIDTH - LEFT - RIGHT);
  const toY = (value: number): number => HEIGHT - BOTTOM - ((scale(value) - yMin) / (yMax - yMin || 1)) * (HEIGHT - TOP - BOTTOM);
  const path = finite.map(([a, b], i) => `${i === 0 ? "M" : "L"}${toX(a).toFixed(1)} ${toY(b).toFixed(1)}`).join("");
  const marks = isLog ? finite : finite.slice(-1);
  const label = (value: number): string => (value >= 10 ? String(Math.round(value)) : String(Number(value.toFixed(1))));
  return [
    `<g transform="translate(${x} ${y})">`,
    `<text x="${LEFT}" y="18" font-weight="600">${escapeXml(name)}</text>`,
    `<path class="axis" d="M${LEFT} ${TOP}V${HEIGHT - BOTTOM}H${WIDTH - RIGHT}"/>`,
    ...(isLog
      ? []
      : [0, yMax / 2, yMax].map(
          (value) => `<text x="${LEFT - 6}" y="${toY(value) + 4}" text-anchor="end">${label(value)}</text>`,
        )),
    ...(isLog ? xs : [Math.min(...xs), Math.max(...xs)]).map(
      (value) => `<text x="${toX(value)}" y="${HEIGHT - BOTTOM + 14}" text-anchor="middle">${label(value)}</text>`,
    ),
    `<text x="${(LEFT + WIDTH - RIGHT) / 2}" y="${HEIGHT - BOTTOM + 28}" text-anchor="middle">${escapeXml(xName)}</text>`,
    `<path class="line" d="${path}"/>`,
    ...marks.map(
      ([a, b]) =>
        `<circle class="dot" cx="${toX(a).toFixed(1)}" cy="${toY(b).toFixed(1)}" r="3"/><text x="${toX(a).toFixed(1)}" y="${(toY(b) - 8).toFixed(1)}" text-anchor="middle">${label(b)}</text>`,
    ),
    "</g>",
  ].join("\n");
};

const escapeXml = (text: string): string => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
