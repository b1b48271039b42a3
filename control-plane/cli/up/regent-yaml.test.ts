import { parseDeclaration } from "@regent/server/configuration/parse-declaration.ts";
import { expect, test } from "vitest";
import { AGENTS, REGIONS } from "./layout.ts";
import { toRegentYaml } from "./regent-yaml.ts";

const publicKeyOf = (index: number): string => Buffer.alloc(32, index + 1).toString("base64");

const written = (healthCheckIds: Record<string, string>, hookPort?: number) => {
  const agents = AGENTS.map((agent, index) => ({ ...agent, publicKey: publicKeyOf(index) }));
  return parseDeclaration(toRegentYaml({ zoneId: "Z0EXAMPLE", agents, healthCheckIds, hookPort }), "regent.yaml");
};

test("what `up` writes is a valid configuration; its one warning is the shop's scarce headroom, which is there to be seen", () => {
  const parsed = written(Object.fromEntries(REGIONS.map(({ id }) => [id, `check-${id}`])));
  expect(parsed).toMatchObject({ kind: "valid", warnings: [expect.stringMatching(/^service shop: without eu-west .* 92 %/)] });
});

test("it holds one service of each strategy, all of profile sandbox, each going back by itself", () => {
  const parsed = written({});
  if (parsed.kind !== "valid") throw new Error(JSON.stringify(parsed.errors));
  const { profile, services, agents } = parsed.declaration;
  expect(profile).toBe("sandbox");
  expect(services.map(({ id, strategy }) => [id, strategy.kind, strategy.failback])).toEqual([
    ["checkout", "active-passive", "automatic"],
    ["shop", "active-active", "automatic"],
    ["api", "round-robin", "automatic"],
  ]);
  expect(services[1]?.endpoints.map(({ capacity, headroom }) => [capacity, headroom])).toEqual([
    [50, 1.2],
    [30, 1.4],
    [20, 2.5],
  ]);
  expect(agents).toHaveLength(6);
});

test("native checks are attached to checkout alone", () => {
  const parsed = written({ "eu-west": "check-1", "us-east": "check-2", "ap-south": "check-3" });
  if (parsed.kind !== "valid") throw new Error(JSON.stringify(parsed.errors));
  const attached = parsed.declaration.services.map(({ endpoints }) =>
    endpoints.map(({ healthCheckId }) => healthCheckId ?? null),
  );
  expect(attached).toEqual([
    ["check-1", "check-2", "check-3"],
    [null, null, null],
    [null, null, null],
  ]);
});

test("with a pair of databases there is one service more, whose role a hook leads", () => {
  const parsed = written({}, 20_001);
  if (parsed.kind !== "valid") throw new Error(JSON.stringify(parsed.errors));
  const ledger = parsed.declaration.services.at(-1);
  expect(ledger).toMatchObject({
    id: "ledger",
    strategy: { kind: "active-passive", failback: "manual" },
    endpoints: [{ region: "eu-west" }, { region: "us-east" }],
    stateful: { check: "role", hook: { url: "http://127.0.0.1:20001/", secret: { file: "promote-standby" } } },
  });
  expect(parsed.declaration.services).toHaveLength(4);
});
