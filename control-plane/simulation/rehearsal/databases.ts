/**
 * The databases of stateful services while a rehearsal runs: what probes are told of them, and what a hook does to them. In the beginning the preferred
 * region's is the primary and all others follow it without lag; lines of `facts` say otherwise for a while, and a promotion changes who is the primary.
 */
import type { Declaration, Facts } from "@regent/contract";
import type { HookCaller } from "@regent/server/ports/hook-caller.ts";
import type { ProbeStart } from "../world/probe-start.ts";
import { idOf } from "./outcomes.ts";

export interface FactLine {
  readonly fromMs: number;
  /** Infinite: to the end. */
  readonly toMs: number;
  /** Null: all. `region/network`. */
  readonly vantages: ReadonlySet<string> | null;
  readonly services: ReadonlySet<string> | null;
  readonly regions: ReadonlySet<string> | null;
  readonly role: "primary" | "standby" | "read-only" | null;
  readonly lagMs: number | null;
  readonly isCut: boolean | null;
}

/** What the hook does when it is called. */
export type HookWay = "promotes" | "refuses" | "silent";

export interface Databases {
  /** What a probe that gets through is told; nothing of what isn't a stateful service's database. */
  readonly factsFor: (probe: ProbeStart, atMs: number) => Facts | undefined;
  readonly hooks: HookCaller;
}

export const createDatabases = ({ services }: Declaration, lines: readonly FactLine[], way: HookWay): Databases => {
  const checks = new Map(services.flatMap(({ id, stateful }) => (stateful === undefined ? [] : [[id, stateful.check] as const])));
  const primaries = new Map(services.map(({ id, endpoints }) => [id, endpoints[0]?.region ?? ""]));
  const latest = [...lines].reverse();
  return {
    factsFor: (probe, atMs) => {
      const { service, region, check } = probe;
      if (checks.get(service) !== check) return undefined;
      const about = latest.filter((line) => isAbout(line, probe, atMs));
      const role = about.find((line) => line.role !== null)?.role ?? (primaries.get(service) === region ? "primary" : "standby");
      if (role !== "standby") return { role: "primary", readOnly: role === "read-only" };
      const isCut = about.find((line) => line.isCut !== null)?.isCut ?? false;
      const lagMs = about.find((line) => line.lagMs !== null)?.lagMs ?? 0;
      const lag = isCut ? null : lagMs / 1_000;
      return { role, readOnly: true, walReceivers: isCut ? 0 : 1, replayGapBytes: lagMs === 0 ? 0 : 1, lagSeconds: lag };
    },
    hooks: {
      call: async (_, { service, to }) => {
        if (way === "silent") return { answer: "failed", isFenced: null, why: "no answer" };
        if (way === "refuses") return { answer: "refused", isFenced: null, why: "it was rehearsed so" };
        primaries.set(service, to);
        return { answer: "promoted", isFenced: true, why: "" };
      },
    },
  };
};

const isAbout = (line: FactLine, { vantage, service, region }: ProbeStart, atMs: number): boolean =>
  atMs >= line.fromMs &&
  atMs < line.toMs &&
  (line.vantages?.has(idOf(vantage)) ?? true) &&
  (line.services?.has(service) ?? true) &&
  (line.regions?.has(region) ?? true);
