/** What `plan` tells of names in DNS, what an applied owner does, and names of every kind: apex, wildcard, CNAME, alias, two types. */
import { type Declaration, Declaration as DeclarationSchema } from "@regent/contract";
import type { RecordSet } from "@regent/engine";
import { afterEach, describe, expect, test } from "vitest";
import { EPOCH_NAME, epochAt, look, NAME, ownOrder, rewrite, setsAt } from "../testing/hand.ts";
import { breakRegion, eventsOf, goOn, isHealthy, moveOrder, weightIn } from "../testing/play.ts";
import { testService, testWorld, type World } from "../testing/world.ts";

let world: World;
afterEach(() => world.stop());

const PASSIVE = { kind: "active-passive", failback: "manual" };
const start = async (options: Parameters<typeof testWorld>[0] = {}): Promise<void> => {
  world = await testWorld(options);
  await world.until("healthy", () => isHealthy(world));
};
const plan = async (services: readonly object[], more: Partial<Declaration> = {}) => {
  const text = JSON.stringify({ ...world.declaration, ...more, services });
  const planned = await world.controlPlane.planConfiguration(text, "regent.yaml");
  if (planned.kind !== "planned") throw new Error(JSON.stringify(planned));
  return planned.answer.names.map(({ service, step, owner, lines }) => ({ service, step, owner, text: lines.join(" ") }));
};
const own = (more: Parameters<typeof ownOrder>[1] = {}) => world.controlPlane.own(ownOrder("adopt", more));
const standing = (name: string, value: string): RecordSet => ({ name, type: "A", ttl: 60, values: [value] });
const FOREIGN = (name: string): RecordSet => ({
  name: `_regent.${name}`,
  type: "TXT",
  ttl: 60,
  values: ['"regent1 o=other-team t=3 r=9 p=01JD8ZK3M4N5P6Q7R8S9T0V1W2 m=auto d=0123456789abcdef"'],
});

describe("plan", () => {
  test("tells the step of every new, blocked, renamed and removed name, and nothing of those that are ours", async () => {
    const sets = [
      standing("old.example.test", "192.0.2.11"),
      standing("odd.example.test", "198.51.100.1"),
      standing("theirs.example.test", "192.0.2.10"),
      FOREIGN("theirs.example.test"),
    ];
    await start({ services: ["checkout", "gone", "named"].map((id) => testService(id, PASSIVE)), sets });
    const steps = await plan([
      testService("checkout", PASSIVE),
      testService("named", PASSIVE, { name: "renamed.example.test" }),
      ...["fresh", "old", "odd", "theirs"].map((id) => testService(id, PASSIVE)),
    ]);
    expect(steps.map(({ service, step, owner }) => `${service} ${step} ${owner}`)).toEqual([
      "named create null",
      "fresh create null",
      "old adopt null",
      "odd refused null",
      "theirs takeover other-team",
      "gone release test",
      "named release test",
    ]);
    const textOf = (service: string) => steps.find((one) => one.service === service)?.text ?? "";
    expect(textOf("old")).toMatch(
      /regent adopt old --reason .* is a simple record \(192\.0\.2\.11\); it becomes weighted: eu-west 0, us-east 255/,
    );
    expect(textOf("odd")).toMatch(/answers 198\.51\.100\.1, and no endpoint declares .* Declare an endpoint/);
    expect(textOf("theirs")).toMatch(/regent adopt theirs --takeover other-team --reason/);
    expect(textOf("gone")).toMatch(/regent release gone --reason/);
    expect(steps.at(-1)?.text).toMatch(/named\.example\.test would stay .* release it before you apply this/);
    expect(world.dns.sends()).toBe(1);
  });

  test("of a name that somebody else took tells how to take it back", async () => {
    await start({ services: [testService("checkout", PASSIVE)] });
    expect(await plan([testService("checkout", PASSIVE)])).toEqual([]);
    await rewrite(world, (set) => ({ ...FOREIGN(NAME), ttl: set.ttl ?? 5 }), EPOCH_NAME);
    await look(world);
    expect(await plan([testService("checkout", PASSIVE)])).toMatchObject([{ step: "takeover", owner: "other-team" }]);
  });

  test("says so when DNS can't be read", async () => {
    await start({ services: [testService("checkout", PASSIVE)] });
    world.dns.breakNextRead({ kind: "throttled" });
    const steps = await plan([testService("fresh", PASSIVE)]);
    expect(steps.find(({ service }) => service === "fresh")).toMatchObject({
      step: "unread",
      text: "DNS could not be read: Route 53 throttles reads.",
    });
  });
});

describe("another owner in the declaration", () => {
  const apply = (owner: string, takeover?: string) =>
    world.controlPlane.applyConfiguration({
      text: JSON.stringify({ ...world.declaration, owner }),
      fileName: "regent.yaml",
      baseVersion: world.controlPlane.configuration()?.version ?? 0,
      author: "ada",
      ...(takeover === undefined ? {} : { takeover }),
    });

  test("is refused without the name of the owner before; with it, nothing is written until each name is taken over", async () => {
    await start({ services: [testService("checkout", PASSIVE)] });
    for (const takeover of [undefined, "else"]) {
      const refused = await apply("renamed", takeover);
      expect(refused).toMatchObject({
        kind: "invalid",
        errors: [{ path: "owner", message: expect.stringContaining("--takeover test") }],
      });
    }
    expect((await apply("renamed", "test")).kind).toBe("applied");
    const sends = world.dns.sends();
    await look(world);
    expect((await eventsOf(world, "drift")).at(-1)?.why).toMatch(/names owner test, and this installation is renamed/);
    expect(world.dns.sends()).toBe(sends);
    expect((await own({ takeover: "test" })).kind).toBe("answered");
    await world.until("taken over", async () => (await epochAt(world))?.owner === "renamed");
    expect(await epochAt(world)).toMatchObject({ revision: 2 });
    await goOn(world, 300);
    expect((await eventsOf(world, "drift")).filter(({ page }) => page)).toHaveLength(1);
  });
});

describe("names of every kind are adopted, edited and moved", () => {
  const ALIAS = (region: string) => ({
    alias: { hostedZoneId: "Z9ALIAS", name: `${region}.lb.example.net`, evaluateTargetHealth: true },
  });
  const answered = (answers: (region: string, at: number) => object) => {
    const base = testService("checkout", PASSIVE);
    return base.endpoints.map(({ A: _none, ...endpoint }, at) => ({ ...endpoint, ...answers(endpoint.region, at) }));
  };
  const KINDS: [string, object, readonly RecordSet[]][] = [
    [
      "the apex",
      { name: "example.test" },
      [standing("example.test", "192.0.2.11"), { name: "example.test", type: "MX", ttl: 60, values: ["10 mx.example.net"] }],
    ],
    ["a wildcard", { name: "*.example.test" }, [standing("*.example.test", "192.0.2.11")]],
    [
      "a CNAME",
      { endpoints: answered((region) => ({ CNAME: [`${region}.example.net`] })) },
      [{ name: NAME, type: "CNAME", ttl: 60, values: ["US-East.example.net."] }],
    ],
    ["an alias", { endpoints: answered((region) => ({ A: ALIAS(region) })) }, [{ name: NAME, type: "A", ...ALIAS("us-east") }]],
    [
      "two types",
      { endpoints: answered((_, at) => ({ A: [`192.0.2.${at + 10}`], AAAA: [`2001:db8::${at + 10}`] })) },
      [standing(NAME, "192.0.2.11"), { name: NAME, type: "AAAA", ttl: 60, values: ["2001:db8:0::11"] }],
    ],
  ];

  test.each(KINDS)("%s", async (_, more, sets) => {
    const service = testService("checkout", PASSIVE, more);
    const { services } = DeclarationSchema.pick({ services: true }).parse({ services: [service] });
    const name = services[0]?.name ?? NAME;
    world = await testWorld({ services: [service], sets });
    await world.until("told", async () => (await eventsOf(world, "drift")).length === 1);
    expect(await own()).toMatchObject({
      kind: "answered",
      answer: { weightsAfter: { default: { "eu-west": 0, "us-east": 255, "ap-south": 0 } } },
    });
    await world.until("healthy", () => isHealthy(world));
    const members = async () => (await setsAt(world, name)).filter(({ weight }) => weight !== undefined);
    expect((await members()).filter(({ weight }) => weight === 255).map(({ setIdentifier }) => setIdentifier)).toEqual(
      sets.filter(({ type }) => type !== "MX").map(() => "us-east"),
    );
    await rewrite(world, (set) => (set.setIdentifier === "ap-south" ? { ...set, weight: 9 } : set), name);
    await look(world);
    breakRegion(world, "us-east");
    await world.until("around the edit", async () =>
      (await members()).every(({ setIdentifier, weight }) => weight === (setIdentifier === "ap-south" ? 9 : 0)),
    );
    await goOn(world, 300);
    expect((await setsAt(world, name)).filter(({ type }) => type === "MX")).toEqual(sets.filter(({ type }) => type === "MX"));
  });

  const BOTH = KINDS[4]?.[1] ?? {};
  const only = (type: string, region: string, weight: number) => (set: RecordSet) =>
    set.type === type && set.setIdentifier === region ? { ...set, weight } : set;

  test.each([
    [
      "go on doing so in an emergency, but for the region that is bad",
      9,
      ["A ap-south 9", "A us-east 0", "AAAA ap-south 0", "AAAA us-east 50"],
    ],
    [
      "agree where one of them would have nothing left",
      0,
      ["A ap-south 0", "A us-east 50", "AAAA ap-south 0", "AAAA us-east 50"],
    ],
  ])("types that an edit made disagree %s; a person ends it", async (_, weight, expected) => {
    await start({ services: [testService("checkout", PASSIVE, BOTH)] });
    await rewrite(world, only("AAAA", "us-east", 50));
    await rewrite(world, only("A", "ap-south", weight));
    await look(world);
    breakRegion(world, "eu-west");
    await world.until("around", async () => (await weightIn(world, "eu-west")) === 0);
    const sends = world.dns.sends();
    await goOn(world, 800);
    const stands = (await setsAt(world)).map(({ type, setIdentifier, weight: each }) => `${type} ${setIdentifier} ${each}`);
    expect(stands.sort()).toEqual([...expected, "A eu-west 0", "AAAA eu-west 0"].sort());
    expect(world.dns.sends()).toBe(sends);
    expect((await world.controlPlane.service("checkout"))?.drift).toMatch(/AAAA us-east has weight 50/);
    expect((await eventsOf(world, "drift")).filter(({ page }) => page)).toHaveLength(1);
    await world.controlPlane.move(moveOrder({ kind: "failover", to: "us-east" }));
    await world.until("ended", async () => (await world.controlPlane.service("checkout"))?.drift === null);
    const after = await setsAt(world);
    expect(after.filter(({ weight: each }) => each !== 0).map(({ setIdentifier }) => setIdentifier)).toEqual([
      "us-east",
      "us-east",
    ]);
  });
});
