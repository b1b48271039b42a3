/** Laws of the suspect book: it answers as findSuspects over all evidence does, and casts no more than what changed. */
import { Declaration } from "@regent/contract";
import type { Instant, ServiceSpec } from "@regent/engine";
import { castTarget } from "@regent/engine/health/cast.ts";
import { findSuspects } from "@regent/engine/health/suspect.ts";
import fc from "fast-check";
import { expect, test } from "vitest";
import { toServiceSpecs } from "../../configuration/to-specs.ts";
import type { EvidenceStore, LiveLine, StoredAgent, StoredCheck } from "../../ports/evidence-store.ts";
import { createEvidenceCache } from "../evidence/evidence-cache.ts";
import { createSuspectBook } from "./suspect-book.ts";

const T0 = 1_700_000_000_000;
const REGIONS = ["r1", "r2", "r3"];
const AGENTS = ["r1-a", "r1-b", "r2-a", "r2-b", "r3-a"];
const declarationOf = (ids: readonly string[]) =>
  ({ agents: ids.map((id) => ({ id, region: id.slice(0, 2), network: id.slice(3) })) }) as unknown as Declaration;

const specsOf = (services: readonly string[]): ReadonlyMap<string, ServiceSpec> => {
  const parsed = Declaration.parse({
    regent: 1,
    owner: "test",
    zones: [{ id: "Z1", name: "example.test" }],
    regions: REGIONS.map((id) => ({ id })),
    agents: [],
    services: services.map((id) => ({
      id,
      name: `${id}.example.test`,
      zone: "example.test",
      strategy: { kind: "active-passive" },
      endpoints: REGIONS.map((region) => ({ region, A: ["192.0.2.1"] })),
      checks: [{ id: "web", kind: "tcp", port: 80 }],
    })),
  });
  return new Map(toServiceSpecs(parsed).map((spec) => [spec.id, spec]));
};

/** What one report says: by target, a new state, or `same` for a result that changes nothing; what it doesn't name grows old. */
type Said = Readonly<Record<string, StoredCheck["state"] | "same">>;

const setUp = (services: readonly string[]) => {
  let specs = specsOf(services);
  let declaration = declarationOf(AGENTS);
  const rows = new Map<string, StoredCheck>();
  const agents = new Map<string, StoredAgent>();
  const store = {
    readAgents: async () => [...agents.values()],
    readChecks: async (ids: readonly string[]) => [...rows.values()].filter(({ agent }) => ids.includes(agent)),
  } as unknown as EvidenceStore;
  const cache = createEvidenceCache(
    store,
    () => declaration,
    () => 5_000,
  );
  const cast: string[] = [];
  const look = createSuspectBook({
    cache,
    specs: () => specs,
    cast: (target) => {
      cast.push(`${target.spec.id}/${target.region}`);
      return castTarget(target);
    },
  });
  const report = async (agent: string, said: Said, at: Instant, selfHealthy = true): Promise<void> => {
    const live: Record<string, LiveLine> = { ...agents.get(agent)?.live };
    const changed: StoredCheck[] = [];
    for (const [target, state] of Object.entries(said)) {
      const before = rows.get(`${agent} ${target}`);
      if (state === "same" && !before) continue;
      live[target] = [at, 5, 0, 1, 0, 5, 5];
      if (state === "same" || before?.state === state) continue;
      const row = rowOf(agent, { target, state, at });
      rows.set(`${agent} ${target}`, row);
      changed.push(row);
    }
    const known = agents.get(agent);
    const version = (known?.version ?? 0) + (changed.length > 0 ? 1 : 0);
    const row = { ...agentOf(agent), sequence: (known?.sequence ?? 0) + 1, version, heardAt: at, selfHealthy, live };
    agents.set(agent, row);
    await cache.take(row, changed);
  };
  return {
    cache,
    report,
    suspects: (now: Instant) => [...look(now).suspects].sort(),
    plainSuspects: (now: Instant) => {
      const all = [...cache.seating().seatByAgent.values()].map(({ agent }) => agent);
      const checks = [...cache.targets()].flatMap((target) => cache.rowsOf(target));
      return [...findSuspects({ agents: all, checks, services: [...specs.values()], now })].sort();
    },
    /** Targets that were cast since it was last asked. */
    cast: () => cast.splice(0).sort(),
    /** Another replica found that the agent has rows no more. */
    forget: async (agent: string, target: string) => {
      const known = agents.get(agent);
      if (!known || !rows.delete(`${agent} ${target}`)) return;
      agents.set(agent, { ...known, version: known.version + 1 });
      await cache.refresh();
    },
    configure: (ids: readonly string[]) => {
      declaration = declarationOf(ids);
      specs = specsOf(services);
    },
  };
};

const agentOf = (agent: string): Omit<StoredAgent, "sequence" | "version" | "heardAt" | "selfHealthy" | "live"> => ({
  agent,
  boot: 1,
  window: "0",
  skewMs: 0,
  mode: "normal",
  build: "x",
  configurationVersion: 1,
});

type RowInput = Pick<StoredCheck, "target" | "state" | "at">;

const rowOf = (agent: string, { target, state, at }: RowInput): StoredCheck => ({
  agent,
  target,
  state,
  failures: state === "down" ? 3 : 0,
  passes: 0,
  since: at,
  failingSince: state === "down" ? at : null,
  at,
  outcome: state === "down" ? "fail" : state === "up" ? "ok" : "unknown",
  reason: null,
  latencyMs: 5,
  facts: null,
});

const targetsOf = (services: readonly string[]): readonly string[] =>
  services.flatMap((service) => REGIONS.map((region) => `${service}/${region}/web`));
const all = (targets: readonly string[], state: StoredCheck["state"] | "same"): Said =>
  Object.fromEntries(targets.map((target) => [target, state]));

const MANY = Array.from({ length: 100 }, (_, n) => `s${n}`);

test("while nothing is down nothing is cast, and one failing target casts itself alone", async () => {
  const { report, suspects, cast } = setUp(MANY);
  for (const agent of AGENTS) await report(agent, all(targetsOf(MANY), "up"), T0);
  expect(suspects(T0 + 1)).toEqual([]);
  expect(cast()).toEqual([]);
  await report("r1-a", { "s7/r2/web": "down" }, T0 + 2);
  expect(suspects(T0 + 3)).toEqual([]);
  expect(cast()).toEqual(["s7/r2"]);
});

test("with a dead region, which everybody confirms, a changed report casts its target alone", async () => {
  const { report, suspects, cast } = setUp(MANY);
  const dead = MANY.map((service) => `${service}/r1/web`);
  for (const agent of AGENTS) await report(agent, { ...all(targetsOf(MANY), "up"), ...all(dead, "down") }, T0);
  expect(suspects(T0 + 1)).toEqual([]);
  expect(cast()).toHaveLength(100);
  await report("r2-a", { ...all(targetsOf(MANY), "same"), "s3/r1/web": "up" }, T0 + 1_000);
  expect(suspects(T0 + 1_001)).toEqual([]);
  expect(cast()).toEqual(["s3/r1"]);
  expect(suspects(T0 + 1_002)).toEqual([]);
  expect(cast()).toEqual([]);
});

test("with a suspect, who takes everybody's votes to find, a changed report casts its targets alone", async () => {
  const { report, suspects, cast } = setUp(MANY);
  for (const agent of AGENTS) await report(agent, all(targetsOf(MANY), agent === "r3-a" ? "down" : "up"), T0);
  expect(suspects(T0 + 1)).toEqual(["r3/a"]);
  expect(cast()).toHaveLength(300);
  await report("r3-a", { "s4/r1/web": "up", "s4/r2/web": "up" }, T0 + 1_000);
  expect(suspects(T0 + 1_001)).toEqual(["r3/a"]);
  expect(cast()).toEqual(["s4/r1", "s4/r2"]);
});

test("what grew stale is cast again, and so is what is heard again after that", async () => {
  const { report, suspects, cast } = setUp(["s0", "s1"]);
  const targets = targetsOf(["s0", "s1"]);
  for (const agent of AGENTS) await report(agent, all(targets, agent === "r3-a" ? "down" : "up"), T0);
  expect(suspects(T0 + 17_000)).toEqual(["r3/a"]);
  cast();
  for (const agent of AGENTS) await report(agent, {}, T0 + 9_000);
  for (const agent of AGENTS) await report(agent, {}, T0 + 17_000);
  expect(suspects(T0 + 17_001)).toEqual([]);
  expect(cast()).toHaveLength(6);
  await report("r3-a", all(targets, "same"), T0 + 18_000);
  expect(suspects(T0 + 18_001)).toEqual(["r3/a"]);
  expect(cast()).toHaveLength(6);
});

const SERVICES = ["s0", "s1", "s2"];
const TARGETS = targetsOf(SERVICES);

const said = fc.oneof(
  fc.constantFrom("up" as const, "down" as const, "same" as const).map((state) => all(TARGETS, state)),
  fc.dictionary(
    fc.constantFrom(...TARGETS),
    fc.constantFrom("up" as const, "down" as const, "same" as const, "unknown" as const),
  ),
);
const event = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: fc.constant("report" as const), agent: fc.constantFrom(...AGENTS), said }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("unwell" as const), agent: fc.constantFrom(...AGENTS) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("forget" as const),
      agent: fc.constantFrom(...AGENTS),
      target: fc.constantFrom(...TARGETS),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("configure" as const), agents: fc.subarray(AGENTS, { minLength: 2 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("reload" as const) }) },
);
const steps = fc.array(fc.tuple(event, fc.constantFrom(-6_000, 0, 1, 1_000, 5_000, 9_000, 17_001)), {
  minLength: 1,
  maxLength: 25,
});

test("it always answers as findSuspects does", async () => {
  let found = 0;
  await fc.assert(
    fc.asyncProperty(steps, async (drawn) => {
      const { cache, report, suspects, plainSuspects, forget, configure } = setUp(SERVICES);
      let now = T0;
      for (const agent of AGENTS) await report(agent, all(TARGETS, agent === "r2-a" ? "down" : "up"), now);
      for (const [next, ms] of drawn) {
        now += ms;
        if (next.kind === "report") await report(next.agent, next.said, now);
        else if (next.kind === "unwell") await report(next.agent, {}, now, false);
        else if (next.kind === "forget") await forget(next.agent, next.target);
        else if (next.kind === "configure") configure(next.agents);
        else {
          cache.clear();
          await cache.refresh();
        }
        const answer = suspects(now);
        found += answer.length;
        expect(answer).toEqual(plainSuspects(now));
      }
    }),
    { numRuns: 300 },
  );
  expect(found).toBeGreaterThan(100);
});
