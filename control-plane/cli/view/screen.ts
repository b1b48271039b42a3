/** A live screen as lines. Pure: what there is to see, the colours and the size of the terminal go in. */
import type { ServiceState } from "@regent/contract";
import { toEventLine } from "../format/history.ts";
import { clockText, percentText } from "../format/numbers.ts";
import { overrideText } from "../format/overrides.ts";
import { toMark } from "../format/overview.ts";
import { type Paint, verdictText } from "../format/paint.ts";
import { clip, toBar, toTable } from "../format/table.ts";
import type { Picture } from "./gather.ts";

export interface ScreenInput extends Picture {
  readonly title: string;
  /** Region by the address that DNS answers for it. */
  readonly regionOf: Readonly<Record<string, string>>;
  /** What can be typed; the last lines, never cut. */
  readonly foot: readonly string[];
  /** One line each, newest last; shown above the foot. */
  readonly notes: readonly string[];
}

export interface Size {
  readonly columns: number;
  readonly rows: number;
}

/** Exactly as many lines as fit: history gives way first, then notes. */
export const toScreen = (input: ScreenInput, paint: Paint, { columns, rows }: Size): string[] => {
  const top = [...toTop(input, paint), "", ...toServiceTable(input, paint)];
  const foot = ["", ...input.foot];
  const notes = input.notes.slice(-3);
  const room = rows - top.length - foot.length - (notes.length > 0 ? notes.length + 1 : 0) - 2;
  const history =
    room > 0 ? ["", paint.bold("history"), ...input.events.slice(0, room).map((event) => `  ${toEventLine(event)}`)] : [];
  return [...top, ...history, ...(notes.length > 0 ? ["", ...notes.map((note) => `  ${note}`)] : []), ...foot]
    .slice(0, rows)
    .map((line) => clip(line, columns));
};

const toTop = ({ title, overview, away }: ScreenInput, paint: Paint): string[] => {
  if (overview === null) return [paint.bold(title), `waiting for the control plane${away === null ? "" : `: ${away}`}`];
  const fresh = overview.agents.filter((agent) => agent.fresh).length;
  const leader = overview.leader === null ? paint.bad("✖ no leader") : `term ${overview.leader.term}`;
  const frozen = overview.frozen === null ? [] : [paint.warn(`! frozen by ${overview.frozen.by}: ${overview.frozen.reason}`)];
  const mode = overview.mode === "normal" ? paint.good("● normal") : paint.warn(`! ${overview.mode}`);
  return [
    paint.bold(title),
    [
      mode,
      leader,
      `${fresh} of ${overview.agents.length} agents heard`,
      `configuration ${overview.configurationVersion}`,
      ...frozen,
    ].join("  "),
    ...(away === null ? [] : [paint.bad(`✖ the control plane is away (${away}); what follows is the last that it said`)]),
  ];
};

const HEADER = ["", "region", "verdict", "score", "wanted", "written", "seen", "answers sampled", "why"];

const toServiceTable = (input: ScreenInput, paint: Paint): string[] => {
  const services = input.overview?.services ?? [];
  if (services.length === 0) return [];
  const rows = services.flatMap((service) => toRows(service, input, paint));
  const lines = toTable([HEADER.map((name) => (name === "" ? "" : paint.dim(name))), ...rows.map(({ cells }) => cells)]);
  // The first line of each service is its own sentence, which would stretch a column.
  return [lines[0] ?? "", ...rows.flatMap(({ above }, index) => [...above, lines[index + 1] ?? ""])];
};

const toRows = (service: ServiceState, input: ScreenInput, paint: Paint): { above: string[]; cells: string[] }[] => {
  const family = service.families[0] ?? "default";
  const answers = byRegion(input.answers[service.id] ?? {}, input.regionOf);
  const marks = [
    service.approval?.state === "waiting"
      ? paint.warn(` ! waits for a person until ${clockText(service.approval.lapsesAt)}`)
      : "",
    service.frozen === null ? "" : paint.warn(` ! frozen by ${service.frozen.by}`),
    ...(service.overrides ?? []).map((override) => paint.warn(` ! ${overrideText(override)} by ${override.by}`)),
    service.blockedBy === null ? "" : paint.bad(toMark(" ✖ not ours to write", service.blockedBy, service.now)),
    service.drift === null ? "" : paint.bad(toMark(" ✖ edited in DNS", service.drift, service.now)),
  ].join("");
  return service.regions.map((region, index) => {
    const seen = service.seen?.shares?.[family]?.[region.region];
    const drained = service.drained[region.region] === undefined ? "" : " drained";
    return {
      above:
        index > 0 ? [] : [`${paint.bold(service.id)}  ${service.strategy}  revision ${service.revision}${marks}  ${service.now}`],
      cells: [
        "",
        region.region,
        verdictText(region.verdict, paint) + drained,
        region.score === null ? "-" : String(region.score),
        shareOf(service.wanted[family]?.[region.region]),
        String(service.written[family]?.[region.region] ?? "-"),
        seen === undefined ? "?" : percentText(seen),
        barOf(answers, region.region),
        region.why,
      ],
    };
  });
};

const shareOf = (share: number | undefined): string => (share === undefined ? "-" : percentText(share));

const byRegion = (
  counts: Readonly<Record<string, number>>,
  regionOf: Readonly<Record<string, string>>,
): Record<string, number> => {
  const regions: Record<string, number> = {};
  for (const [address, count] of Object.entries(counts)) {
    const region = regionOf[address] ?? address;
    regions[region] = (regions[region] ?? 0) + count;
  }
  return regions;
};

const barOf = (counts: Readonly<Record<string, number>>, region: string): string => {
  const all = Object.values(counts).reduce((total, count) => total + count, 0);
  if (all === 0) return "";
  const part = (counts[region] ?? 0) / all;
  return `${toBar(part, 10)} ${Math.round(part * 100)} %`;
};
