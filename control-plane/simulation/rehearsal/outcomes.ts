/** What probes see while a rehearsal runs: the last line that says something of a probe counts; where none does, it passes. */
import type { ProbeResult } from "@regent/agents/core/probe-result.ts";
import type { Vantage } from "@regent/engine";
import type { ProbeStart } from "../world/probe-start.ts";
import { drawLot } from "../world/random.ts";
import { outcomeOf, type Part, type Sight } from "./notation.ts";

export interface OutcomeLine {
  /** In the file, from 0; lots are drawn by it. */
  readonly index: number;
  /** Null: all. `region/network`. */
  readonly vantages: ReadonlySet<string> | null;
  /** Only vantages in the target's own region, or only the others. */
  readonly side: "inside" | "outside" | null;
  readonly services: ReadonlySet<string> | null;
  readonly regions: ReadonlySet<string> | null;
  readonly checks: ReadonlySet<string> | null;
  readonly parts: readonly Part[];
  readonly latencyMs: number | null;
}

export interface OutcomeDeps {
  readonly lines: readonly OutcomeLine[];
  readonly seed: number;
  readonly stepMs: number;
  readonly isHttp: (service: string, check: string) => boolean;
}

/** Of a refused connection, an answer, and a probe that passes, ms. */
const REFUSED_MS = 3;
const ANSWER_MS = 40;
const PASS_MS_MIN = 10;
const PASS_MS_SPREAD = 110;

export const idOf = ({ region, network }: Vantage): string => `${region}/${network}`;

/** `at` of a probe is ms of the timeline; before it everything passes. */
export const createOutcomes = ({ lines, seed, stepMs, isHttp }: OutcomeDeps) => {
  /** By agent and target: the lines that are about it, the last first. */
  const about = new Map<string, readonly OutcomeLine[]>();

  const linesFor = (probe: ProbeStart): readonly OutcomeLine[] => {
    const key = `${probe.agent} ${probe.target}`;
    const known = about.get(key);
    if (known) return known;
    const found = lines.filter((line) => isAbout(line, probe)).toReversed();
    about.set(key, found);
    return found;
  };

  return (probe: ProbeStart, atMs: number): ProbeResult => {
    const pass = Math.round(PASS_MS_MIN + drawLot(seed, `${probe.agent} ${probe.target} ${probe.at}`) * PASS_MS_SPREAD);
    if (atMs < 0) return { outcome: "ok", latencyMs: pass };
    for (const line of linesFor(probe)) {
      const part = partAt(line.parts, atMs);
      if (!part || part.sight.kind === "silence") continue;
      const seen = toSeen(part.sight, {
        isOdd: Math.floor((atMs - part.fromMs) / stepMs) % 2 === 1,
        lot: () => drawLot(seed, `${line.index} ${probe.agent} ${probe.target} ${probe.at}`),
      });
      if (seen === null) continue;
      // A status is an answer: who only connects is content with it.
      const met = seen === "code" && !isHttp(probe.service, probe.check) ? "ok" : seen;
      return timed(met, { latencyMs: line.latencyMs, timeoutMs: probe.timeoutMs, pass });
    }
    return { outcome: "ok", latencyMs: pass };
  };
};

type Seen = "ok" | "code" | Exclude<ProbeResult["reason"], undefined>;

const toSeen = (sight: Sight, { isOdd, lot }: { readonly isOdd: boolean; readonly lot: () => number }): Seen | null => {
  switch (sight.kind) {
    case "ok":
      return "ok";
    case "alternate":
      return isOdd ? "tcp_refused" : "ok";
    case "random":
      return lot() < sight.rate ? "tcp_refused" : "ok";
    case "reason":
      return sight.reason;
    case "code":
      return "code";
    case "pass-on":
    case "silence":
      return null;
  }
};

interface Timing {
  readonly latencyMs: number | null;
  readonly timeoutMs: number;
  readonly pass: number;
}

/** What takes longer than a probe waits is a timeout, whatever it would have been. */
const timed = (seen: Seen, { latencyMs, timeoutMs, pass }: Timing): ProbeResult => {
  if ((latencyMs !== null && latencyMs >= timeoutMs) || TIMEOUTS.has(seen))
    return { outcome: "fail", reason: TIMEOUTS.has(seen) ? (seen as "tcp_timeout") : "tcp_timeout", latencyMs: timeoutMs };
  if (seen === "ok") return { outcome: "ok", latencyMs: latencyMs ?? pass };
  if (seen === "code") return { outcome: "fail", reason: "http_status", latencyMs: latencyMs ?? ANSWER_MS };
  return { outcome: outcomeOf(seen), reason: seen, latencyMs: latencyMs ?? (seen === "tcp_refused" ? REFUSED_MS : ANSWER_MS) };
};

const TIMEOUTS: ReadonlySet<Seen> = new Set<Seen>(["tcp_timeout", "http_timeout", "dns_timeout", "db_query_timeout"]);

const isAbout = ({ vantages, side, services, regions, checks }: OutcomeLine, probe: ProbeStart): boolean =>
  (vantages === null || vantages.has(idOf(probe.vantage))) &&
  (side === null || (side === "inside") === (probe.vantage.region === probe.region)) &&
  (services === null || services.has(probe.service)) &&
  (regions === null || regions.has(probe.region)) &&
  (checks === null || checks.has(probe.check));

const partAt = (parts: readonly Part[], atMs: number): Part | undefined =>
  parts.find(({ fromMs, toMs }) => atMs >= fromMs && atMs < toMs);

/** Whether the last line that says something of this vantage at that moment is silence. */
export const createSilence = (lines: readonly OutcomeLine[]) => {
  const about = new Map<string, readonly OutcomeLine[]>();
  return (vantage: string, atMs: number): boolean => {
    if (atMs < 0) return false;
    const known = about.get(vantage) ?? lines.filter((line) => isSilencing(line, vantage)).toReversed();
    about.set(vantage, known);
    for (const { parts } of known) {
      const kind = partAt(parts, atMs)?.sight.kind;
      if (kind === "silence") return true;
      if (kind !== undefined && kind !== "pass-on") return false;
    }
    return false;
  };
};

/** The reader has seen to it that such a line names vantages alone. */
const isSilencing = ({ parts, vantages }: OutcomeLine, vantage: string): boolean =>
  (vantages === null || vantages.has(vantage)) && parts.some(({ sight }) => sight.kind === "silence");
