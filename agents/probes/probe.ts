/** Runs any assigned probe once. Never rejects: what went wrong on our side is `unknown`, `probe_bug`. */
import type { ProbeSpec } from "@regent/contract";
import type { ProbeResult } from "../core/probe-result.ts";
import { probeHttp } from "./http.ts";
import type { probePostgres } from "./postgres.ts";
import type { ProbeDeps } from "./probe-deps.ts";
import { probeTcp } from "./tcp.ts";

export const runProbe = async (probe: ProbeSpec, deps: ProbeDeps, deadlineMs: number): Promise<ProbeResult> => {
  try {
    return await dispatch(probe, deps, deadlineMs);
  } catch {
    return { outcome: "unknown", reason: "probe_bug", latencyMs: 0 };
  }
};

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
