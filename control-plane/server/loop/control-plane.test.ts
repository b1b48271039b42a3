/** The whole control plane over memory twins: from signed reports to records in DNS. */
import { afterEach, describe, expect, test } from "vitest";
import { FAST_SETTINGS, OK, REFUSED, testService, testWorld, type World } from "../testing/world.ts";

let world: World;
afterEach(() => world.stop());

const healthy = async (): Promise<boolean> => {
  const { services } = await world.controlPlane.overview();
  return (
    services.length > 0 &&
    services.every(
      ({ regions, revision }) => revision > 0 && regions.length === 3 && regions.every(({ verdict }) => verdict === "healthy"),
    )
  );
};

const FOREIGN = '"regent1 o=other-team t=3 r=9 p=01JCXW2M7N0000000000000000 m=auto d=0123456789abcdef"';

const moveOrder = (move: object, more: object = {}) =>
  ({
    service: "checkout",
    request: { move, by: "ada", reason: "rehearsing", breakGlass: [] },
    dryRun: false,
    expectedRevision: null,
    ...more,
  }) as Parameters<World["controlPlane"]["move"]>[0];

/** Everything about a region fails, as everybody sees it. */
const breakRegion = (region: string) => {
  world.see = (_, target) => (target.split("/")[1] === region ? REFUSED : OK);
};

const changes = async () => {
  const { events } = await world.controlPlane.history({ limit: 100, kinds: ["change"] });
  return events.flatMap(({ change }) => change ?? []).reverse();
};

describe("active-passive", () => {
  test("a declared name is created with the preferred region serving", async () => {
    world = await testWorld();
    await world.until("healthy", healthy);
    expect(await world.weights("checkout.example.test")).toEqual({ "eu-west": 255, "us-east": 0, "ap-south": 0 });
    const [created] = await changes();
    expect(created).toMatchObject({ kind: "create", revision: 1, actor: { kind: "automation" } });
  });

  test("a region that everybody sees failing loses the traffic, with evidence and clocks in one history entry", async () => {
    world = await testWorld();
    await world.until("healthy", healthy);
    breakRegion("eu-west");
    await world.until("moved", async () => (await world.weights("checkout.example.test"))["us-east"] === 255);
    await world.until("seen by all servers", async () =>
      (await changes()).some(
        ({ kind, times }) => kind === "failover" && times.visible !== undefined && times.inSync !== undefined,
      ),
    );
    const made = await changes();
    expect(made.map(({ kind, revision }) => [kind, revision])).toEqual([
      ["create", 1],
      ["failover", 2],
    ]);
    const failover = made[1];
    expect(failover?.weightsBefore).toEqual({ default: { "eu-west": 255, "us-east": 0, "ap-south": 0 } });
    expect(failover?.why).toMatch(/eu-west is unhealthy/);
    expect(failover?.evidence.find(({ region }) => region === "eu-west")?.votes.length).toBeGreaterThanOrEqual(4);
    const { detected, decided, accepted, visible } = failover?.times ?? { decided: 0 };
    expect([detected, decided, accepted, visible]).toEqual(
      [...[detected, decided, accepted, visible]].sort((a, b) => (a ?? 0) - (b ?? 0)),
    );
  });

  test("traffic returns in steps when the region is well again, and stays until then", async () => {
    world = await testWorld();
    await world.until("healthy", healthy);
    breakRegion("eu-west");
    await world.until("moved", async () => (await world.weights("checkout.example.test"))["us-east"] === 255);
    world.see = () => OK;
    await world.until("returned", async () => {
      const weights = await world.weights("checkout.example.test");
      return weights["eu-west"] === 255 && weights["us-east"] === 0;
    });
    const steps = (await changes()).filter(({ kind }) => kind === "failback");
    expect(steps.length).toBe(4);
  });

  test("agents that fall silent move nothing", async () => {
    world = await testWorld();
    await world.until("healthy", healthy);
    world.see = (agent) => (agent.startsWith("eu-west") ? "silent" : OK);
    await new Promise((resolve) => setTimeout(resolve, 100));
    await world.until("blind", async () => {
      const { services } = await world.controlPlane.overview();
      return services[0]?.regions.find(({ region }) => region === "eu-west")?.flags.includes("blind-inside") ?? false;
    });
    expect((await changes()).length).toBe(1);
  });

  test("one lying inside agent moves nothing", async () => {
    world = await testWorld();
    await world.until("healthy", healthy);
    world.see = (agent, target) => (agent === "eu-west-net-a" && target.includes("eu-west") ? REFUSED : OK);
    for (let i = 0; i < 20; i++) {
      await world.reportAll();
      await new Promise((resolve) => setTimeout(resolve, 40));
    }
    expect((await changes()).length).toBe(1);
  });
});

describe("active-active and round-robin", () => {
  const shares = async (name: string) => {
    const weights = await world.weights(name);
    const sum = Object.values(weights).reduce((a, b) => a + b, 0);
    return Object.fromEntries(
      Object.entries(weights).map(([region, weight]) => [region, Math.round((weight / sum) * 1000) / 1000]),
    );
  };

  test.each([
    ["ap-south", { "eu-west": 0.6, "us-east": 0.4, "ap-south": 0 }],
    ["eu-west", { "eu-west": 0, "us-east": 0.457, "ap-south": 0.543 }],
  ])("losing %s pours its share up to the survivors' headroom", async (region, expected) => {
    world = await testWorld({ services: [testService("shop", { kind: "active-active", failback: "automatic" })] });
    await world.until("healthy", healthy);
    expect(await shares("shop.example.test")).toEqual({ "eu-west": 0.5, "us-east": 0.3, "ap-south": 0.2 });
    breakRegion(region);
    await world.until("moved", async () => (await world.weights("shop.example.test"))[region] === 0);
    const seen = await shares("shop.example.test");
    for (const [r, share] of Object.entries(expected)) expect(seen[r]).toBeCloseTo(share, 2);
  });

  test("a return takes its steps, and a new failure in the second goes back to 0 in one batch", async () => {
    world = await testWorld({ services: [testService("api", { kind: "round-robin", failback: "automatic" })] });
    await world.until("healthy", healthy);
    breakRegion("us-east");
    await world.until("out", async () => (await world.weights("api.example.test"))["us-east"] === 0);
    world.see = () => OK;
    await world.until("second step", async () => (await changes()).filter(({ kind }) => kind === "return").length === 2);
    const before = (await changes()).length;
    breakRegion("us-east");
    await world.until("out again", async () => (await world.weights("api.example.test"))["us-east"] === 0);
    const after = (await changes()).slice(before).filter(({ kind }) => kind === "failover");
    expect(after.length).toBe(1);
    expect(after[0]?.weightsBefore.default?.["us-east"]).toBeGreaterThan(0);
  });
});

describe("the fence", () => {
  test("a rival's write is never overwritten, and nothing more is written until an operator decides", async () => {
    world = await testWorld();
    await world.until("healthy", healthy);
    const names = ["checkout.example.test", "_regent.checkout.example.test"];
    const read = await world.dns.provider.readNames(world.zoneId, names);
    const epoch = read.kind === "sets" ? read.sets.find(({ type }) => type === "TXT") : undefined;
    if (!epoch) throw new Error("no epoch record");
    world.dns.edit(world.zoneId, { deletes: [epoch], creates: [{ ...epoch, values: [FOREIGN] }] });
    const sends = world.dns.sends();
    breakRegion("eu-west");
    await world.until("told", async () => (await world.controlPlane.history({ limit: 9, kinds: ["drift"] })).events.length === 1);
    for (let i = 0; i < 10; i++) await world.reportAll();
    expect(world.dns.sends()).toBe(sends);
    expect(await world.weights("checkout.example.test")).toMatchObject({ "eu-west": 255 });
  });

  test("an answer lost after the batch was applied is found as applied, once", async () => {
    world = await testWorld();
    await world.until("healthy", healthy);
    world.dns.breakNextSend({ kind: "unknown-after" });
    breakRegion("eu-west");
    await world.until("accepted", async () =>
      (await changes()).some(({ kind, times }) => kind === "failover" && times.accepted !== undefined),
    );
    expect((await changes()).filter(({ kind }) => kind === "failover").length).toBe(1);
    expect(await world.weights("checkout.example.test")).toMatchObject({ "us-east": 255 });
  });

  test("a batch that never arrived is sent again as the same change", async () => {
    world = await testWorld();
    await world.until("healthy", healthy);
    world.dns.breakNextSend({ kind: "unknown-before" });
    breakRegion("eu-west");
    await world.until("moved", async () => (await world.weights("checkout.example.test"))["us-east"] === 255);
    expect((await changes()).filter(({ kind }) => kind === "failover").length).toBe(1);
  });

  test("throttling delays a change and loses nothing", async () => {
    world = await testWorld();
    await world.until("healthy", healthy);
    for (let i = 0; i < 3; i++) world.dns.breakNextSend({ kind: "throttled" });
    breakRegion("eu-west");
    await world.until("moved", async () => (await world.weights("checkout.example.test"))["us-east"] === 255);
    expect((await changes()).filter(({ kind }) => kind === "failover").length).toBe(1);
  });
});

describe("operators", () => {
  test("a dry run shows the exact batch and sends nothing; the move then names operator and reason", async () => {
    world = await testWorld();
    await world.until("healthy", healthy);
    const dry = await world.controlPlane.move(moveOrder({ kind: "failover", to: "ap-south" }, { dryRun: true }));
    expect(dry).toMatchObject({ kind: "answered", answer: { allowed: true, changeId: null } });
    expect(dry.kind === "answered" && dry.answer.batch.length).toBe(8);
    expect(await world.weights("checkout.example.test")).toMatchObject({ "eu-west": 255 });
    const moved = await world.controlPlane.move(moveOrder({ kind: "failover", to: "ap-south" }, { expectedRevision: 1 }));
    expect(moved).toMatchObject({ kind: "answered", answer: { allowed: true, revision: 2 } });
    await world.until("moved", async () => (await world.weights("checkout.example.test"))["ap-south"] === 255);
    expect((await changes()).at(-1)).toMatchObject({
      kind: "failover",
      actor: { kind: "operator", name: "ada" },
      reason: "rehearsing",
    });
  });

  test("an old expected revision is refused", async () => {
    world = await testWorld();
    await world.until("healthy", healthy);
    expect(await world.controlPlane.move(moveOrder({ kind: "failover", to: "ap-south" }, { expectedRevision: 0 }))).toEqual({
      kind: "stale-revision",
      revision: 1,
    });
  });

  test("a failover into an unhealthy region needs its rule named", async () => {
    world = await testWorld();
    await world.until("healthy", healthy);
    breakRegion("ap-south");
    await world.until("ap-south is unhealthy", async () => {
      const { services } = await world.controlPlane.overview();
      return services[0]?.regions.find(({ region }) => region === "ap-south")?.verdict === "unhealthy";
    });
    const refused = await world.controlPlane.move(moveOrder({ kind: "failover", to: "ap-south" }));
    expect(refused.kind).toBe("refused-by-rule");
    const request = {
      move: { kind: "failover", to: "ap-south" } as const,
      by: "ada",
      reason: "I know better",
      breakGlass: ["A6" as const],
    };
    const forced = await world.controlPlane.move({ service: "checkout", request, dryRun: false, expectedRevision: null });
    expect(forced).toMatchObject({ kind: "answered", answer: { allowed: true } });
  });

  test("a freeze stands in DNS and holds automation; unfreezing lets it move", async () => {
    world = await testWorld();
    await world.until("healthy", healthy);
    await world.controlPlane.setFreeze({ scope: { kind: "global" }, isFrozen: true, by: "ada", reason: "release night" });
    const mode = async () => {
      const read = await world.dns.provider.readNames(world.zoneId, ["_regent.checkout.example.test"]);
      return read.kind === "sets" ? read.sets[0]?.values?.[0] : "";
    };
    await world.until("m=frozen", async () => (await mode())?.includes("m=frozen") ?? false);
    breakRegion("eu-west");
    await world.until(
      "refused",
      async () => (await world.controlPlane.history({ limit: 50, kinds: ["refused"] })).events.length === 1,
    );
    expect(await world.weights("checkout.example.test")).toMatchObject({ "eu-west": 255 });
    await world.controlPlane.setFreeze({ scope: { kind: "global" }, isFrozen: false, by: "ada", reason: "done" });
    await world.until("moved", async () => (await world.weights("checkout.example.test"))["us-east"] === 255);
    expect(await mode()).toContain("m=auto");
  });
});

describe("names that aren't ours", () => {
  test.each([
    [
      "a simple record",
      { name: "checkout.example.test", type: "A", ttl: 60, values: ["192.0.2.99"] },
      /checkout\.example\.test A/,
    ],
    [
      "a CNAME at the label",
      { name: "_regent.checkout.example.test", type: "CNAME", ttl: 60, values: ["x.example.test"] },
      /_regent\.checkout/,
    ],
    ["a foreign epoch record", { name: "_regent.checkout.example.test", type: "TXT", ttl: 60, values: [FOREIGN] }, /other-team/],
  ])("%s at the name is refused before writing, with the exact fix", async (_, standing, expected) => {
    world = await testWorld({ sets: [standing] });
    await world.until("told", async () => (await world.controlPlane.history({ limit: 9, kinds: ["drift"] })).events.length === 1);
    const [told] = (await world.controlPlane.history({ limit: 9, kinds: ["drift"] })).events;
    expect(told?.why).toMatch(expected);
    expect(told?.page).toBe(true);
    expect(await changes()).toEqual([]);
    expect(world.dns.sends()).toBe(0);
    const move = await world.controlPlane.move(moveOrder({ kind: "failover", to: "us-east" }));
    expect(move.kind).toBe("name-taken");
  });

  test("a human edit is reported as drift, and an emergency moves around it", async () => {
    world = await testWorld();
    await world.until("healthy", healthy);
    const read = await world.dns.provider.readNames(world.zoneId, ["checkout.example.test"]);
    const standby = read.kind === "sets" ? read.sets.find(({ setIdentifier }) => setIdentifier === "us-east") : undefined;
    if (!standby) throw new Error("no standby");
    world.dns.edit(world.zoneId, { deletes: [standby], creates: [{ ...standby, weight: 7 }] });
    breakRegion("eu-west");
    await world.until(
      "drift told",
      async () => (await world.controlPlane.history({ limit: 50, kinds: ["drift"] })).events.length > 0,
    );
    await world.until("moved", async () => (await world.weights("checkout.example.test"))["eu-west"] === 0);
    expect(await world.weights("checkout.example.test")).toEqual({ "eu-west": 0, "us-east": 7, "ap-south": 0 });
    const { events } = await world.controlPlane.history({ limit: 50, kinds: ["change"], service: "checkout" });
    expect(events[0]?.why).toMatch(/everything else stays as another hand wrote it/);
  });
});

describe("reports", () => {
  test("forged, misplaced and replayed reports change nothing", async () => {
    world = await testWorld();
    await world.until("healthy", healthy);
    const draft = world.draftReport("eu-west-net-a");
    expect((await world.controlPlane.ingestReport(world.signed("eu-west-net-a", draft))).kind).toBe("taken");
    expect((await world.controlPlane.ingestReport(world.signed("eu-west-net-a", draft))).kind).toBe("replayed");
    const forged = { ...world.signed("eu-west-net-a", world.draftReport("eu-west-net-a")), body: Buffer.from("{}") };
    expect((await world.controlPlane.ingestReport(forged)).kind).toBe("unknown-signer");
    expect((await world.report("eu-west-net-a", (r) => ({ ...r, region: "us-east" }))).kind).toBe("wrong-place");
    expect((await world.report("eu-west-net-a", (r) => ({ ...r, aud: "other/v1/reports" }))).kind).toBe("wrong-place");
  });
});

describe("restart", () => {
  test("agents get time to be heard: nothing is told and nothing moves while we were the ones away", async () => {
    world = await testWorld();
    await world.until("healthy", healthy);
    const before = (await world.controlPlane.history({ limit: 100 })).events.length;
    await world.restart(1_700);
    await world.until("healthy again", healthy);
    expect((await world.controlPlane.history({ limit: 100 })).events.length).toBe(before);
  });

  test("a bad region is left for the next in order, though a later one is heard of first", async () => {
    const settings = { ...FAST_SETTINGS, reportSeconds: 1 };
    world = await testWorld({ services: [testService("checkout", { kind: "active-passive" }, { settings })] });
    await world.until("healthy", healthy);
    world.faults.around = ({ name }, proceed) =>
      name === "dns.readNames" ? Promise.resolve({ kind: "failed", why: "cut" }) : proceed();
    breakRegion("eu-west");
    await world.until("unhealthy", async () => {
      const { services } = await world.controlPlane.overview();
      return services[0]?.regions.find(({ region }) => region === "eu-west")?.verdict === "unhealthy";
    });
    await world.restart(1_700);
    for (let n = 0; n < 8; n++) {
      for (const agent of ["ap-south-net-a", "ap-south-net-b"])
        await world.report(agent, (report) => ({
          ...report,
          observations: report.observations.filter(({ target }) => !target.includes("/us-east/")),
          unchanged: report.unchanged.filter(({ target }) => !target.includes("/us-east/")),
        }));
      await new Promise((resolve) => setTimeout(resolve, 60));
    }
    expect(await world.weights("checkout.example.test")).toEqual({ "eu-west": 255, "us-east": 0, "ap-south": 0 });
    await world.until("moved", async () => (await world.weights("checkout.example.test"))["eu-west"] === 0);
    expect(await world.weights("checkout.example.test")).toEqual({ "eu-west": 0, "us-east": 255, "ap-south": 0 });
  });

  test("verdicts, revision and outbox survive; nothing is written twice", async () => {
    world = await testWorld();
    await world.until("healthy", healthy);
    breakRegion("eu-west");
    await world.until("moved", async () => (await world.weights("checkout.example.test"))["us-east"] === 255);
    await world.restart();
    await world.until("unhealthy again at once", async () => {
      const { services } = await world.controlPlane.overview();
      return services[0]?.regions.find(({ region }) => region === "eu-west")?.verdict === "unhealthy";
    });
    expect((await changes()).map(({ revision }) => revision)).toEqual([1, 2]);
  });
});
