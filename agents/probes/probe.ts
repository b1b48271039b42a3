/** Runs any assigned probe once. Never rejects: what went wrong on our side is `unknown`, `probe_bug`. */
import type { ProbeSpec } from "@regent/contract";
import type { ProbeResult } from "../core/probe-result.ts";
import { probeHttp } from "./http.ts";
import type { probePostgres } from "./postgres.ts";
import type { ProbeDeps } from "./probe-deps.ts";
import { probeTcp } from "./tcp.ts";

export const runProbe = async (probe: ProbeSpec, deps: ProbeDeps, deadlineMs: number): Promise<ProbeResult> => {
  try {
    return withinContract(await dispatch(probe, deps, deadlineMs));
  } catch {
    return { outcome: "unknown", reason: "probe_bug", latencyMs: 0 };
  }
};

const MS_MAX = 600_000;
const FACT_CHARACTERS_MAX = 200;

/** A target chooses some of the words, and one report with a word too long would be refused with everything else in it. */
export const withinContract = (result: ProbeResult): ProbeResult => {
  const { facts, phases, latencyMs, ...rest } = result;
  return {
    ...rest,
    latencyMs: Math.min(MS_MAX, latencyMs),
    ...(phases === undefined ? {} : { phases: mapValues<number | undefined>(phases, (ms) => ms && Math.min(MS_MAX, ms)) }),
    ...(facts === undefined ? {} : { facts: mapValues(facts, boundFact) }),
  };
};

type Fact = NonNullable<ProbeResult["facts"]>[string];

const boundFact = (fact: Fact): Fact => {
  if (typeof fact === "string") return fact.slice(0, FACT_CHARACTERS_MAX);
  return typeof fact === "number" && !Number.isFinite(fact) ? null : fact;
};

const mapValues = <V>(record: Readonly<Record<string, V>>, map: (value: V) => V): Record<string, V> =>
  Object.fromEntries(Object.entries(record).map(([name, value]) => [name, map(value)]));

/** The driver is loaded by the first check that needs it: most agents have none. */
const postgres = async (...args: Parameters<typeof probePostgres>): Promise<ProbeResult> => {
  const { probePostgres } = await import("./postgres.ts");
  return probePostgres(...args);
};

const dispatch = (probe: ProbeSpec, deps: ProbeDeps, deadlineMs: number): Promise<ProbeResult> => {
  switch (probe.kind) {
    case "http":
      return probeHttp(probe, deps, deadlineMs);
    case "tcp":
      return probeTcp(probe, deps, deadlineMs);
    case "postgres":
      return postgres(probe, deps, deadlineMs);
  }
};
