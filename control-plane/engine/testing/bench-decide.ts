/**
 * How long the whole judgement takes: 1,000 services in 5 regions, seen by 10 agents with 3 checks, from evidence to decisions, nothing kept
 * from before. Run it with `node control-plane/engine/testing/bench-decide.ts`. The number to reach is under 100 ms (DESIGN 15).
 */
import type { RegionVerdict } from "@regent/contract";
import { decide } from "../decide.ts";
import { type Casting, castTarget } from "../health/cast.ts";
import { seatAgents } from "../health/seats.ts";
import { markVantages, suspectsIn } from "../health/suspect.ts";
import { judge, toRegionVerdict } from "../health/verdict.ts";
import { assessCasting } from "../health/view.ts";
import type { Evidence, HealthMemory, ServiceSpec, Situation } from "../model.ts";
import { firstTraffic } from "../strategy/first.ts";
import { toWeights } from "../strategy/weights.ts";
import { ALONE } from "./dns.ts";
import { T0, testCheck, testEvidence, testMemory, testServiceSpec } from "./evidence.ts";
import { STANDARD_LIMITS } from "./rules.ts";
import { NO_CONTROLS } from "./situation.ts";

const SERVICES = 1_000;
const REGIONS = ["r1", "r2", "r3", "r4", "r5"];
const RUNS = 15;
const TARGET_MS = 100;

const AGENTS = REGIONS.flatMap((region) => [`${region}/a`, `${region}/b`]);
const CHECKS = [
  testCheck({ id: "web" }),
  testCheck({ id: "db", from: "inside" }),
  testCheck({ id: "orders", from: "outside", criticality: "major", latencyWarnMs: 200, latencyCritMs: 800 }),
];
const STRATEGIES: readonly ServiceSpec["strategy"][] = [
  { kind: "active-passive", failback: "automatic", panic: "hold", trickle: 0 },
  { kind: "active-active", failback: "automatic", panic: "hold", panicBelow: 0.5 },
  { kind: "round-robin", failback: "automatic", panic: "hold" },
];

const specOf = (n: number): ServiceSpec => {
  const spec = testServiceSpec({ regions: REGIONS, checks: CHECKS, strategy: STRATEGIES[n % STRATEGIES.length]! });
  return { ...spec, id: `s${n}`, name: `s${n}.example.com`, safety: STANDARD_LIMITS };
};

interface Seen {
  readonly spec: ServiceSpec;
  /** By region, as the server keeps it. */
  readonly evidence: ReadonlyMap<string, Evidence>;
  /** Regions that somebody sees failing: the server knows them from the reports. */
  readonly failing: readonly string[];
  readonly situation: Omit<Situation, "verdicts" | "health">;
}

/** `dead`: a region that everybody sees failing. */
const seeAll = (dead: string | null): readonly Seen[] =>
  Array.from({ length: SERVICES }, (_, n) => {
    const spec = specOf(n);
    const evidence = REGIONS.map((region) => {
      const sees = region === dead ? ({ web: "down", db: "down", orders: "down" } as const) : {};
      return [region, testEvidence({ spec, region, agents: AGENTS.map((at) => ({ at, sees })) })] as const;
    });
    return { spec, evidence: new Map(evidence), failing: dead === null ? [] : [dead], situation: writtenOnce(spec) };
  });

const writtenOnce = (spec: ServiceSpec): Seen["situation"] => {
  const traffic = firstTraffic(spec, []);
  return {
    spec,
    configurationVersion: 1,
    traffic,
    controls: NO_CONTROLS,
    written: Object.fromEntries(Object.entries(traffic.shares).map(([id, shares]) => [id, toWeights(shares)])),
    areRecordsOutdated: false,
    epoch: "1 A",
    isChangeInFlight: false,
    blockedBy: null,
    drift: null,
    edit: null,
    modeWritten: "auto",
    surroundings: ALONE,
    approved: null,
    databases: [],
    transfer: null,
    now: T0,
  };
};

interface Round {
  readonly ms: number;
  /** Processor time, which other work on the machine doesn't stretch as much. */
  readonly cpuMs: number;
  readonly parts: Readonly<Record<"suspects" | "health" | "decide", number>>;
  readonly moves: number;
}

const round = (all: readonly Seen[], memoryOf: () => HealthMemory | null): Round => {
  const cpu = process.cpuUsage();
  const started = performance.now();
  const seating = seatAgents(all[0]!.evidence.get(REGIONS[0]!)!.agents);
  const cast = ({ spec, evidence }: Seen, region: string): Casting =>
    castTarget({ spec, region, seating, rows: evidence.get(region)!.checks, now: T0 });
  const failing = all.map((seen) => new Map(seen.failing.map((region) => [region, cast(seen, region)])));
  const suspects = suspectsIn(
    failing.flatMap((castings) => [...castings.values()].map(markVantages)),
    () => all.flatMap((seen) => REGIONS.map((region) => markVantages(cast(seen, region)))),
  );
  const suspected = performance.now();
  const judged = all.map((seen, n): Situation => {
    const { spec, situation } = seen;
    const verdicts: RegionVerdict[] = [];
    const health: Record<string, HealthMemory> = {};
    for (const region of REGIONS) {
      const casting = failing[n]!.get(region) ?? cast(seen, region);
      const before = memoryOf();
      const memory = before === null ? null : { ...before, region };
      const assessment = assessCasting({ casting, suspects, previous: memory });
      const next = judge({ assessment, memory, settings: spec.settings, maintenance: null, now: T0 });
      health[region] = next;
      verdicts.push(toRegionVerdict(next, assessment));
    }
    return { ...situation, verdicts, health };
  });
  const judgedAt = performance.now();
  const moves = judged.filter((situation) => decide(situation, null).proposal !== null).length;
  const ended = performance.now();
  return {
    ms: ended - started,
    cpuMs: sum(process.cpuUsage(cpu)) / 1_000,
    parts: { suspects: suspected - started, health: judgedAt - suspected, decide: ended - judgedAt },
    moves,
  };
};

const sum = ({ user, system }: ReturnType<typeof process.cpuUsage>): number => user + system;

const median = (numbers: readonly number[]): number => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0;

interface Measured {
  readonly title: string;
  readonly results: number;
  readonly proposals: number;
  readonly runsMs: readonly number[];
  readonly processorMs: number;
  readonly processorBestMs: number;
  readonly partsMs: Readonly<Record<keyof Round["parts"], number>>;
}

const measure = (title: string, dead: string | null, memoryOf: () => HealthMemory | null): Measured => {
  const all = seeAll(dead);
  const rounds = Array.from({ length: RUNS }, () => round(all, memoryOf));
  const partOf = (part: keyof Round["parts"]): number => median(rounds.map(({ parts }) => parts[part]));
  return {
    title,
    results: all.reduce(
      (count, { evidence }) => count + [...evidence.values()].reduce((rows, { checks }) => rows + checks.length, 0),
      0,
    ),
    proposals: rounds[0]!.moves,
    runsMs: rounds.map(({ ms }) => ms),
    processorMs: median(rounds.map(({ cpuMs }) => cpuMs)),
    processorBestMs: Math.min(...rounds.map(({ cpuMs }) => cpuMs)),
    partsMs: { suspects: partOf("suspects"), health: partOf("health"), decide: partOf("decide") },
  };
};

const toLine = ({ title, results, proposals, runsMs, processorMs, processorBestMs, partsMs }: Measured): string => {
  const text = (ms: number): string => `${ms.toFixed(1)} ms`;
  const parts = Object.entries(partsMs).map(([part, ms]) => `${part} ${text(ms)}`);
  const total = median(runsMs);
  return (
    `${title}: best ${text(Math.min(...runsMs))}, median ${text(total)} (${parts.join(", ")}), processor best ${text(processorBestMs)}, median ${text(processorMs)}, ` +
    `first ${text(runsMs[0]!)}, target < ${TARGET_MS} ms: ${total < TARGET_MS ? "reached" : "missed"}; ${results} results, ${proposals} proposals`
  );
};

/** Bad for a minute: the hold is over and the region is left now. */
const badForLong = (): HealthMemory => testMemory({ evidence: "bad", evidenceSince: T0 - 60_000, detectedAt: T0 - 63_000 });

const measured = [
  measure("all healthy", null, () => null),
  measure("one region dead for every service", "r1", () => null),
  measure("one region dead, left now", "r1", badForLong),
];
console.log(process.argv.includes("--json") ? JSON.stringify(measured) : measured.map(toLine).join("\n"));
