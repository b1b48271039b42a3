/**
 * What probes saw, from what is kept of it: each check's turns up and down. A check is taken to have failed since the results that brought it down began,
 * and to have passed since those that brought it up did; a turn says when the last of them came. Pure.
 */
import type { Declaration, RecordedTurn, Recording } from "@regent/contract";
import type { Settings } from "@regent/engine";
import { toServiceSettings } from "@regent/server/configuration/service-settings.ts";
import { idOf } from "../rehearsal/outcomes.ts";

export interface SightLine {
  readonly vantages: string;
  readonly services?: string;
  readonly regions?: string;
  readonly checks?: string;
  readonly what: string;
}

const TIMEOUTS = ["tcp_timeout", "http_timeout", "dns_timeout", "db_query_timeout"];
const MINUTE_MS = 60_000;

export const sightsOf = (declaration: Declaration, recording: Recording): readonly SightLine[] => [
  ...merge(turnLines(declaration, recording)),
  ...silences(declaration, recording),
];

// ------------------------------------------------------------------------------------------------ turns

interface Piece {
  readonly fromMs: number;
  readonly sight: string;
}

const turnLines = (declaration: Declaration, { from, before, turns }: Recording): readonly SightLine[] => {
  const vantageOf = new Map(declaration.agents.map((agent) => [agent.id, idOf(agent)]));
  const settings = new Map(declaration.services.map((service) => [service.id, toServiceSettings(declaration, service)]));
  const byCheck = new Map<string, RecordedTurn[]>();
  for (const turn of [...before, ...turns]) {
    const key = `${turn.agent} ${turn.target}`;
    byCheck.set(key, [...(byCheck.get(key) ?? []), turn]);
  }
  return [...byCheck.values()].flatMap((own): readonly SightLine[] => {
    const [{ agent, target }] = own as [RecordedTurn];
    const [services = "", regions = "", checks = ""] = target.split("/");
    const vantages = vantageOf.get(agent);
    const of = settings.get(services);
    if (vantages === undefined || of === undefined || own.every(({ to }) => to !== "down")) return [];
    const pieces = own.map((turn) => ({ fromMs: Math.max(0, beganAt(turn, of) - from), sight: sightOf(turn) }));
    return [{ vantages, services, regions, checks, what: toNotation(pieces) }];
  });
};

/** When the results began of which the last made it turn: the first of them came up to an interval after what they saw. */
const beganAt = ({ at, to, reason }: RecordedTurn, { fall, rise, recheckMs, timeoutMs, intervalMs }: Settings): number => {
  if (to !== "down") return at - (rise - 1) * recheckMs - intervalMs / 2;
  const probeMs = reason !== null && TIMEOUTS.includes(reason) ? timeoutMs : 0;
  return at - (fall - 1) * Math.max(recheckMs, probeMs) - probeMs - intervalMs / 2;
};

const sightOf = ({ to, reason }: RecordedTurn): string => (to === "down" ? (reason ?? "refused") : "ok");

const toNotation = (pieces: readonly Piece[]): string => {
  const inOrder = pieces.filter(({ fromMs }, at) => fromMs < (pieces[at + 1]?.fromMs ?? Number.POSITIVE_INFINITY));
  const [first] = inOrder;
  const parts = [
    ...(first !== undefined && first.fromMs > 0 ? [`ok*${Math.round(first.fromMs)}ms`] : []),
    ...inOrder.map(({ fromMs, sight }, at) => {
      const next = inOrder[at + 1];
      return next === undefined ? sight : `${sight}*${Math.round(next.fromMs) - Math.round(fromMs)}ms`;
    }),
  ];
  return parts.join(" ");
};

/** Checks of one vantage and region that saw the same are told in one line. */
const merge = (lines: readonly SightLine[]): readonly SightLine[] => {
  const kept = new Map<string, SightLine>();
  for (const line of lines) kept.set(JSON.stringify(line), line);
  return [...kept.values()];
};

// ------------------------------------------------------------------------------------------------ silence

/** An agent that saw nothing at all for whole minutes. The first and the last minute may be counted only in part, and say nothing. */
const silences = ({ agents }: Declaration, { from, to, heard }: Recording): readonly SightLine[] =>
  agents.flatMap((agent): readonly SightLine[] => {
    const minutes = new Set(heard.find((one) => one.agent === agent.id)?.minutes ?? []);
    const first = Math.ceil(from / MINUTE_MS) * MINUTE_MS;
    const pieces: Piece[] = [];
    let wasSilent = false;
    // What is being counted isn't kept yet: the last two minutes are taken as the one before them.
    for (let minute = first; minute < to - 2 * MINUTE_MS; minute += MINUTE_MS) {
      const isSilent = !minutes.has(minute);
      if (isSilent !== wasSilent) pieces.push({ fromMs: minute - from, sight: isSilent ? "silence" : "-" });
      wasSilent = isSilent;
    }
    if (pieces.length === 0 || minutes.size === 0) return [];
    return [{ vantages: idOf(agent), what: toNotation(pieces).replace(/^ok\*/, "-*") }];
  });
