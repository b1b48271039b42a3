/** Builders of services and evidence for the engine's tests: everything healthy, fresh and declared as usual unless a test says otherwise. */
import type { CheckEvidence, CheckSpec, Evidence, HealthMemory, ServiceSpec, Settings, Vantage } from "../model.ts";

import { NO_LIMITS, REPORT_ALL } from "./dns.ts";

/** A moment with a readable time of day: 03:12:00Z. */
export const T0 = 1_700_017_920_000;

/** Profile `standard`. */
export const STANDARD: Settings = {
  intervalMs: 5_000,
  recheckMs: 1_000,
  timeoutMs: 2_000,
  fall: 3,
  clear: 3,
  rise: 2,
  holdMinMs: 3_000,
  holdMaxMs: 15_000,
  reportMs: 5_000,
  freshnessMs: 17_000,
  softMs: 30_000,
  healMs: 60_000,
  recoverMs: 60_000,
  stableHoldMs: 1_800_000,
  rampMs: 600_000,
  rampStepMs: 60_000,
  cooldownMs: 300_000,
  panicHoldMs: 60_000,
  failedReturnMs: 3_600_000,
  escalationMs: 86_400_000,
  dampingHalfLifeMs: 1_800_000,
  dampingSuppress: 2_000,
  dampingReuse: 750,
};

export const testSettings = (changed: Partial<Settings> = {}): Settings => ({ ...STANDARD, ...changed });

export const testCheck = (changed: Partial<CheckSpec> & Pick<CheckSpec, "id">): CheckSpec => ({
  from: "everywhere",
  scope: "region",
  criticality: "critical",
  deep: false,
  weight: 1,
  ...changed,
});

export interface SpecChanges extends Partial<Omit<ServiceSpec, "settings">> {
  readonly settings?: Partial<Settings>;
  /** Regions with an endpoint, in order of priority. */
  readonly regions?: readonly string[];
}

/** Service `shop` with one family, endpoints in r1, r2 and r3, a check `web` from everywhere and a check `db` from inside. */
export const testServiceSpec = ({ settings, regions = ["r1", "r2", "r3"], ...changed }: SpecChanges = {}): ServiceSpec => ({
  id: "shop",
  name: "shop.example.com",
  zoneId: "Z1",
  priority: 100,
  owner: "test",
  epochName: "_regent.shop.example.com",
  ttlSeconds: 30,
  types: ["A"],
  mode: "automatic",
  strategy: { kind: "active-passive", failback: "manual", panic: "hold", trickle: 0 },
  settings: testSettings(settings),
  quorumNetworks: 2,
  regionsMin: 1,
  drift: REPORT_ALL,
  safety: NO_LIMITS,
  isSized: true,
  stateful: null,
  endpoints: regions.map((region, index) => ({
    region,
    priority: index + 1,
    capacity: 1,
    headroom: 1.4,
    answers: { A: [`192.0.2.${index + 1}`] },
  })),
  checks: [testCheck({ id: "web" }), testCheck({ id: "db", from: "inside" })],
  families: [
    {
      id: "default",
      name: "shop.example.com",
      priority: Object.fromEntries(regions.map((region, index) => [region, index + 1])),
      capacity: Object.fromEntries(regions.map((region) => [region, 1])),
    },
  ],
  ...changed,
});

/** How an agent sees a check. `falling`: up, with one failure; `blind`: it can't judge. */
export type Sight = "up" | "down" | "falling" | "slow" | "blind";

export interface AgentSight {
  /** `region/network`, or `region/network/2` for a second agent of that vantage. */
  readonly at: string;
  /** By check; `up` when absent. `null`: never reported. */
  readonly sees?: Readonly<Record<string, Sight | null>>;
  /** Milliseconds since it was heard of; null: never. */
  readonly heardMsAgo?: number | null;
  /** Milliseconds since its results. */
  readonly seenMsAgo?: number;
  readonly selfHealthy?: boolean;
}

export interface EvidenceInput {
  readonly spec: ServiceSpec;
  readonly region: string;
  readonly agents: readonly AgentSight[];
  readonly suspects?: readonly string[];
  readonly now?: number;
}

/** What the given agents report about one region. Every agent runs every check that asks for its side. */
export const testEvidence = ({ spec, region, agents, suspects = [], now = T0 }: EvidenceInput): Evidence => ({
  agents: agents.map((agent) => ({
    agent: agentIdOf(agent.at),
    vantage: vantageOf(agent.at),
    heardAt: agent.heardMsAgo === null ? null : now - (agent.heardMsAgo ?? 1_000),
    selfHealthy: agent.selfHealthy ?? true,
    reportMs: spec.settings.reportMs,
  })),
  checks: agents.flatMap((agent) => rowsOf(agent, { spec, region, now })),
  suspects: new Set(suspects),
});

/** Evidence about several regions of several services, as one. */
export const mergeEvidence = (all: readonly Evidence[]): Evidence => ({
  agents: all.flatMap(({ agents }) => agents),
  checks: all.flatMap(({ checks }) => checks),
  suspects: new Set(all.flatMap(({ suspects }) => [...suspects])),
});

/** A region judged healthy long ago. */
export const testMemory = (changed: Partial<HealthMemory> = {}): HealthMemory => ({
  region: "r1",
  verdict: "healthy",
  since: T0 - 3_600_000,
  why: "",
  evidence: "good",
  evidenceSince: T0 - 3_600_000,
  before: null,
  detectedAt: null,
  penalty: 0,
  penaltyAt: T0 - 3_600_000,
  isSuppressed: false,
  factor: 1,
  ...changed,
});

const agentIdOf = (at: string): string => at.replaceAll("/", "-");

const vantageOf = (at: string): Vantage => {
  const [region = "", network = ""] = at.split("/");
  return { region, network };
};

const rowsOf = (agent: AgentSight, about: { readonly spec: ServiceSpec; readonly region: string; readonly now: number }) => {
  const vantage = vantageOf(agent.at);
  const side = vantage.region === about.region ? "inside" : "outside";
  return about.spec.checks
    .filter(({ from }) => from === "everywhere" || from === side)
    .flatMap((check): readonly CheckEvidence[] => {
      const sight = agent.sees?.[check.id];
      return sight === null ? [] : [toRow(agent, check, { ...about, vantage, sight: sight ?? "up" })];
    });
};

interface RowInput {
  readonly spec: ServiceSpec;
  readonly region: string;
  readonly now: number;
  readonly vantage: Vantage;
  readonly sight: Sight;
}

const toRow = (agent: AgentSight, check: CheckSpec, { spec, region, now, vantage, sight }: RowInput): CheckEvidence => {
  const at = now - (agent.seenMsAgo ?? 1_000);
  return {
    agent: agentIdOf(agent.at),
    vantage,
    service: spec.id,
    region,
    check: check.id,
    since: at - 60_000,
    at,
    ...seen(sight, { at, fall: spec.settings.fall, latencyMs: check.latencyCritMs ?? 1_000 }),
  };
};

type Seen = Pick<CheckEvidence, "streak" | "failingSince" | "outcome" | "reason" | "latencyMs">;

const seen = (sight: Sight, { at, fall, latencyMs }: { at: number; fall: number; latencyMs: number }): Seen => {
  const up = { state: "up", failures: 0, passes: 0 } as const;
  const failing = { outcome: "fail", reason: "tcp_refused", latencyMs: 0, failingSince: at - 3_000 } as const;
  switch (sight) {
    case "up":
      return { streak: up, failingSince: null, outcome: "ok", reason: null, latencyMs: 20 };
    case "slow":
      return { streak: up, failingSince: null, outcome: "degraded", reason: "latency", latencyMs };
    case "falling":
      return { streak: { ...up, failures: 1 }, ...failing };
    case "down":
      return { streak: { state: "down", failures: fall, passes: 0 }, ...failing };
    case "blind":
      return { streak: up, failingSince: null, outcome: "unknown", reason: "agent_overloaded", latencyMs: 0 };
  }
};
