import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import type { Evidence, ServiceSpec } from "../model.ts";
import { mergeEvidence, T0, testCheck, testEvidence, testServiceSpec } from "../testing/evidence.ts";
import { findSuspects } from "./suspect.ts";
import { assess } from "./view.ts";

const VANTAGES = ["r1/a", "r1/b", "r2/a", "r2/b", "r3/a", "r3/b"];

interface World {
  readonly services?: readonly string[];
  readonly regions?: readonly string[];
  readonly vantages?: readonly string[];
  readonly quorumNetworks?: number;
  /** Whether the vantage fails the check of the service in the region. */
  readonly fails: (seen: { vantage: string; service: string; region: string; check: string }) => boolean;
  readonly selfHealthy?: boolean;
  readonly seenMsAgo?: number;
}

const build = (world: World): { readonly services: readonly ServiceSpec[]; readonly evidence: Evidence } => {
  const regions = world.regions ?? ["r1", "r2", "r3"];
  const vantages = world.vantages ?? VANTAGES;
  const services = (world.services ?? ["shop", "blog"]).map((id) =>
    testServiceSpec({ id, regions, quorumNetworks: world.quorumNetworks ?? 2 }),
  );
  const evidence = services.flatMap((spec) =>
    regions.map((region) =>
      testEvidence({
        spec,
        region,
        agents: vantages.map((at) => {
          const vantage = at.split("/").slice(0, 2).join("/");
          const sightOf = (check: string) => (world.fails({ vantage, service: spec.id, region, check }) ? "down" : "up");
          return {
            at,
            sees: { web: sightOf("web"), db: sightOf("db") },
            selfHealthy: world.selfHealthy ?? true,
            seenMsAgo: world.seenMsAgo ?? 1_000,
          };
        }),
      }),
    ),
  );
  return { services, evidence: mergeEvidence(evidence) };
};

const suspectsOf = (world: World): readonly string[] => {
  const { services, evidence } = build(world);
  return [...findSuspects({ agents: evidence.agents, checks: evidence.checks, services, now: T0 })].sort();
};

describe("suspect", () => {
  it.each<[string, World, readonly string[]]>([
    ["nobody, when all is well", { fails: () => false }, []],
    ["a vantage that fails everything alone", { fails: ({ vantage }) => vantage === "r2/a" }, ["r2/a"]],
    [
      "a region that lost its way out, though its two networks agree",
      { fails: ({ vantage, region }) => vantage.startsWith("r2/") && region !== "r2" },
      ["r2/a", "r2/b"],
    ],
    ["a network that is broken everywhere", { fails: ({ vantage }) => vantage.endsWith("/a") }, ["r1/a", "r2/a", "r3/a"]],
    [
      "half of the targets",
      { fails: ({ vantage, region }) => vantage === "r3/b" && region === "r1", regions: ["r1", "r2"] },
      ["r3/b"],
    ],
  ])("is %s", (_who, world, expected) => {
    expect(suspectsOf(world)).toEqual(expected);
  });

  it.each<[string, World]>([
    ["less than half of its targets", { fails: ({ vantage, region }) => vantage === "r3/b" && region === "r1" }],
    ["one service only", { fails: ({ vantage, service }) => vantage === "r3/b" && service === "shop" }],
    ["all targets of the only service", { services: ["shop"], fails: ({ vantage }) => vantage === "r3/b" }],
    ["what all others fail too: one region is dead", { fails: ({ region }) => region === "r1" }],
    ["what all others fail too: two of three regions are dead", { fails: ({ region }) => region !== "r3" }],
    [
      "what the last living region's networks agree on: the other two are dead with their agents",
      { vantages: ["r3/a", "r3/b"], fails: ({ region }) => region !== "r3" },
    ],
    [
      "what both networks agree on where there are only two regions and one died with its agents",
      { regions: ["r1", "r2"], vantages: ["r2/a", "r2/b"], fails: ({ region }) => region === "r1" },
    ],
    [
      "what the region's own two networks agree on: nobody elsewhere sees its database",
      {
        regions: ["r1", "r2"],
        vantages: ["r1/a", "r1/b", "r2/a", "r2/b"],
        fails: ({ region, check, vantage }) => region === "r1" && check === "db" && vantage.startsWith("r1"),
      },
    ],
    [
      "what two agents see where one network is declared enough",
      { quorumNetworks: 1, regions: ["r1", "r2"], vantages: ["r2/a/1", "r2/a/2"], fails: ({ region }) => region === "r1" },
    ],
    ["what it sees while it knows itself unwell", { selfHealthy: false, fails: ({ vantage }) => vantage === "r2/a" }],
    ["what it saw too long ago", { seenMsAgo: 17_001, fails: ({ vantage }) => vantage === "r2/a" }],
  ])("is nobody for failing %s", (_what, world) => {
    expect(suspectsOf(world)).toEqual([]);
  });

  test("one agent alone is not confirmed by itself where one network is declared enough", () => {
    const world: World = { quorumNetworks: 1, regions: ["r1", "r2"], vantages: ["r2/a"], fails: ({ region }) => region === "r1" };
    expect(suspectsOf(world)).toEqual(["r2/a"]);
  });

  test("checks that are major or shared make nobody suspect", () => {
    const { services, evidence } = build({ fails: ({ vantage }) => vantage === "r2/a" });
    const lesser = services.map((spec) => ({
      ...spec,
      checks: [testCheck({ id: "web", criticality: "major" }), testCheck({ id: "db", from: "inside", scope: "shared" })],
    }));
    expect(findSuspects({ agents: evidence.agents, checks: evidence.checks, services: lesser, now: T0 }).size).toBe(0);
  });

  test("a region cut off from the others can't make them look dead", () => {
    const { services, evidence } = build({ fails: ({ vantage, region }) => vantage.startsWith("r2/") && region !== "r2" });
    const suspects = findSuspects({ agents: evidence.agents, checks: evidence.checks, services, now: T0 });
    const seen = assess({ spec: services[0]!, region: "r1", evidence: { ...evidence, suspects }, previous: null, now: T0 });
    expect(seen).toMatchObject({ kind: "good", inside: "up", outside: "up", score: 100 });
  });
});

describe("laws", () => {
  const failures = fc.uniqueArray(
    fc.tuple(fc.constantFrom(...VANTAGES), fc.constantFrom("shop", "blog"), fc.constantFrom("r1", "r2", "r3")),
    {
      maxLength: 36,
      selector: (one) => one.join(),
    },
  );
  const worldOf = (drawn: readonly (readonly string[])[]): World => {
    const failing = new Set(drawn.map((one) => one.join()));
    return { fails: ({ vantage, service, region }) => failing.has([vantage, service, region].join()) };
  };

  test("order and repetition of the evidence change nothing", () => {
    fc.assert(
      fc.property(failures, fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true })), (drawn, chance) => {
        const { services, evidence } = build(worldOf(drawn));
        const shuffled = [...evidence.checks, ...evidence.checks]
          .map((row) => [chance.next().value, row] as const)
          .sort(([a], [b]) => a - b)
          .map(([, row]) => row);
        const ask = (checks: Evidence["checks"], agents: Evidence["agents"]) =>
          [...findSuspects({ agents, checks, services, now: T0 })].sort();
        expect(ask(shuffled, evidence.agents.toReversed())).toEqual(ask(evidence.checks, evidence.agents));
      }),
    );
  });

  test("a suspect fails half or more of its targets, across two services", () => {
    fc.assert(
      fc.property(failures, (drawn) => {
        for (const suspect of suspectsOf(worldOf(drawn))) {
          const own = drawn.filter(([vantage]) => vantage === suspect);
          expect(own.length).toBeGreaterThanOrEqual(3);
          expect(new Set(own.map(([, service]) => service)).size).toBe(2);
        }
      }),
    );
  });

  test("who fails nothing that others pass is never suspect", () => {
    fc.assert(
      fc.property(fc.subarray(["shop/r1", "shop/r2", "shop/r3", "blog/r1", "blog/r2", "blog/r3"]), (dead) => {
        expect(suspectsOf({ fails: ({ service, region }) => dead.includes(`${service}/${region}`) })).toEqual([]);
      }),
    );
  });
});
