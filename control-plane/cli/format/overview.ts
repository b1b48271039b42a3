/** `regent status`: services by regions with verdict and score, then what is wanted, written and seen. Pure. */
import type { AgentState, Evacuation, Overview, ServiceState } from "@regent/contract";
import { toWaitingMark } from "./approvals.ts";
import { toEvacuationMark } from "./evacuation.ts";
import { durationText, percentText, sharesText, weightsText } from "./numbers.ts";
import { toOverrideMark } from "./overrides.ts";
import { type Paint, verdictText } from "./paint.ts";
import { toTable } from "./table.ts";
import { toTransferMark } from "./transfers.ts";

export const toStatus = (overview: Overview, paint: Paint, evacuations: readonly Evacuation[] = []): string[] => [
  ...toHeader(overview, paint),
  ...evacuations.map((each) => paint.warn(toEvacuationMark(each))),
  "",
  ...toServices(overview, paint),
  "",
  ...toAgents(overview, paint),
];

export const toHeader = ({ owner, mode, leader, configurationVersion, frozen }: Overview, paint: Paint): string[] => {
  const led = leader === null ? paint.bad("✖ no leader") : `term ${leader.term}`;
  return [
    `${paint.bold(owner)}  ${mode === "normal" ? mode : paint.warn(`! ${mode}`)}  ${led}  configuration ${configurationVersion}`,
    ...(frozen === null ? [] : [paint.warn(`! frozen by ${frozen.by}: ${frozen.reason}`)]),
  ];
};

export const toServices = (overview: Overview, paint: Paint): string[] =>
  overview.services.flatMap((service, index) => [...(index > 0 ? [""] : []), ...toService(service, overview.at, paint)]);

/** One service: its line, then a row for each region. */
export const toService = (service: ServiceState, at: number, paint: Paint): string[] => {
  const marks = [
    service.mode === "automatic" ? "" : paint.warn(`! ${service.mode}`),
    service.frozen === null ? "" : paint.warn(`! frozen by ${service.frozen.by}: ${service.frozen.reason}`),
    service.blockedBy === null ? "" : paint.bad(toMark("✖ not ours to write", service.blockedBy, service.now)),
    service.drift === null ? "" : paint.bad(toMark("✖ edited in DNS, automation stands still", service.drift, service.now)),
  ].filter((mark) => mark !== "");
  const waiting = toWaitingMark(service.approval);
  const transfer = toTransferMark(service.transfer);
  const head = [
    paint.bold(service.id),
    service.name,
    service.strategy,
    `profile ${service.profile}`,
    `revision ${service.revision}`,
    ...marks,
  ];
  return [
    head.join("  "),
    `  ${service.now}`,
    ...(waiting === null ? [] : [`  ${paint.warn(waiting)}`]),
    ...(service.overrides ?? []).map((override) => `  ${paint.warn(toOverrideMark(override, at))}`),
    ...(transfer === null ? [] : [`  ${paint.warn(transfer)}`]),
    ...toTable(toRegionRows(service, at, paint)).map((line) => `  ${line}`),
  ];
};

/** The line below says `now`: what it says already isn't said twice. */
export const toMark = (mark: string, why: string, now: string): string => (why === now ? mark : `${mark}: ${why}`);

const toRegionRows = (service: ServiceState, at: number, paint: Paint): string[][] => {
  const header = ["region", "verdict", "score", "wanted", "written", "seen", "for", "why"].map(paint.dim);
  const rows = service.regions.map((region) => [
    region.region,
    service.drained[region.region] === undefined
      ? verdictText(region.verdict, paint)
      : `${verdictText(region.verdict, paint)} drained`,
    region.score === null ? "-" : String(region.score),
    partOf(service.wanted, service, region.region, percentText),
    partOf(service.written, service, region.region, String),
    service.seen?.shares == null ? "?" : partOf(service.seen.shares, service, region.region, percentText),
    durationText(at - region.since),
    region.why + (region.flags.length > 0 ? ` [${region.flags.join(", ")}]` : ""),
  ]);
  return [header, ...rows];
};

/** A service with one family shows its number; one with several shows each. */
const partOf = (
  byFamily: Readonly<Record<string, Readonly<Record<string, number>>>>,
  { families }: ServiceState,
  region: string,
  text: (n: number) => string,
): string => {
  const found = families.map((family) => byFamily[family]?.[region]);
  return found.map((number) => (number === undefined ? "-" : text(number))).join("/");
};

export const toAgents = ({ agents, at }: Pick<Overview, "agents" | "at">, paint: Paint): string[] => {
  if (agents.length === 0) return [paint.warn("! no agents are declared")];
  const fresh = agents.filter(({ fresh }) => fresh).length;
  const rows = agents.map((agent) => [
    `${agent.region}/${agent.network}`,
    agent.id,
    agentWord(agent, paint),
    agent.lastReportAt === null ? "never heard" : `heard ${durationText(Math.max(0, at - agent.lastReportAt))} ago`,
    `configuration ${agent.configurationVersion ?? "none"}`,
  ]);
  return [`${paint.bold("agents")}  ${fresh} of ${agents.length} heard lately`, ...toTable(rows).map((line) => `  ${line}`)];
};

const agentWord = ({ fresh, healthy, mode }: AgentState, paint: Paint): string => {
  if (!fresh) return paint.bad("✖ silent");
  if (healthy === false) return paint.warn("! no voice");
  return mode === null || mode === "normal" ? paint.good("● normal") : paint.warn(`! ${mode}`);
};

/** One line a service, for logs and pipes. */
export const toServiceLine = (service: ServiceState): string =>
  [
    service.id,
    service.regions.map(({ region, verdict, score }) => `${region}=${verdict}${score === null ? "" : `:${score}`}`).join(" "),
    `written ${weightsText(service.written)}`,
    `seen ${service.seen?.shares == null ? "unknown" : sharesText(service.seen.shares)}`,
  ].join("  ");
