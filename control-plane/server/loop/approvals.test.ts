/**
 * Moves that wait for a person: asked once, answered once, and made exactly as they were seen. History is compared as a whole, because what is told
 * twice or not at all is what wakes people for nothing, or leaves them asleep.
 */
import type { Approval } from "@regent/contract";
import { afterEach, describe, expect, test } from "vitest";
import type { ApprovalOrder } from "../operations/approval/find-approval.ts";
import { breakRegion, changesOf, eventsOf, goOn, isHealthy, moveOrder, weightIn } from "../testing/play.ts";
import { FAST_SETTINGS, OK, REFUSED, testService, testWorld, type World } from "../testing/world.ts";

let world: World;
afterEach(() => world.stop());

/**
 * The hold lets every vantage speak before anybody is asked, and a slow machine that reports late makes nobody silent: evidence that changes by
 * itself would be another question.
 */
const SETTINGS = { ...FAST_SETTINGS, holdMinSeconds: 0.4, holdMaxSeconds: 0.4, reportSeconds: 0.5, freshnessSeconds: 4 };

const start = async (safety: object = {}): Promise<void> => {
  const service = testService(
    "checkout",
    { kind: "active-passive" },
    { mode: "approve", settings: SETTINGS, safety: { approvalSeconds: 60, ...safety } },
  );
  world = await testWorld({ services: [service] });
  await world.until("healthy", () => isHealthy(world));
};

/** `waiting!`: told, and somebody is paged. Changes by their kind. */
const told = async (): Promise<string[]> =>
  (await eventsOf(world, "approval", "change", "refused")).map(({ kind, page, change, detail }) => {
    const word = kind === "approval" ? (detail.approval as Approval).state : kind === "change" ? change?.kind : kind;
    return `${word}${page ? "!" : ""}`;
  });

const approval = async (): Promise<Approval | undefined> => (await world.controlPlane.approvals())[0];

const waiting = async (butNot = ""): Promise<Approval> => {
  await world.until("asked", async () => {
    const now = await approval();
    return now?.state === "waiting" && now.id !== butNot;
  });
  return (await approval()) as Approval;
};

const order = (id: string, by = "ann"): ApprovalOrder => ({ id, by, reason: "I looked", scope: null });

const fail = async (): Promise<Approval> => {
  breakRegion(world, "eu-west");
  return waiting();
};

const moved = (region = "us-east"): Promise<void> =>
  world.until(`traffic at ${region}`, async () => (await weightIn(world, region)) === 255);

describe("asking", () => {
  test("a region dies: one question, one page, and nothing moves while it waits", async () => {
    await start();
    const asked = await fail();
    await goOn(world, 600);
    expect(await told()).toEqual(["create", "waiting!"]);
    expect(await weightIn(world, "eu-west")).toBe(255);
    expect(await approval()).toEqual(asked);
    expect(asked).toMatchObject({ kind: "failover", asks: ["mode"], onLapse: "stay", lapsesAt: asked.askedAt + 60_000 });
    const [entry] = await eventsOf(world, "approval");
    expect(entry?.why).toMatch(
      /^asks for a person: eu-west is unhealthy: .+; traffic goes to us-east 100 %; because of the mode approve; it waits until \d\d:\d\d:\d\dZ, and if nobody answers traffic stays; answer with: regent change approve \w{26} --reason … \(or refuse\)$/,
    );
  });

  test("it is declared anew: the question is stale, the same move is asked without a page, and the old id leads to the new one", async () => {
    await start();
    const asked = await fail();
    const [service] = world.declaration.services;
    if (!service) throw new Error("no service");
    await world.apply({ ...world.declaration, services: [{ ...service, safety: { ...service.safety, approvalSeconds: 61 } }] });
    const next = await waiting(asked.id);
    expect(await told()).toEqual(["create", "waiting!", "waiting"]);
    expect(next.lapsesAt).toBe(asked.lapsesAt);
    expect(await world.controlPlane.approve(order(asked.id))).toMatchObject({ kind: "stale-approval", next: next.id });
    expect(await world.controlPlane.refuse(order(asked.id))).toMatchObject({ kind: "stale-approval", next: next.id });
    expect(await weightIn(world, "eu-west")).toBe(255);
  });

  test("a region that has no part in it goes to and fro: one question, one page", async () => {
    await start();
    const asked = await fail();
    for (let round = 0; round < 3; round += 1) {
      world.see = (_, target) => (/eu-west|ap-south/.test(target) ? REFUSED : OK);
      await goOn(world, 700);
      world.see = (_, target) => (/eu-west/.test(target) ? REFUSED : OK);
      await goOn(world, 500);
    }
    expect(await told()).toEqual(["create", "waiting!"]);
    expect((await approval())?.id).toBe(asked.id);
    expect(await world.controlPlane.approve(order(asked.id))).toMatchObject({ kind: "answered" });
  });

  test("the region that would take it dies too: who answers the first question moves nothing, and the last one leads elsewhere", async () => {
    await start();
    const asked = await fail();
    world.see = (_, target) => (/eu-west|us-east/.test(target) ? REFUSED : OK);
    await world.until("asked for another region", async () => {
      const now = await approval();
      return now?.state === "waiting" && now.weightsAfter.default?.["ap-south"] === 255;
    });
    expect(await world.controlPlane.approve(order(asked.id))).toMatchObject({ kind: "stale-approval" });
    expect((await told()).join(" ")).toMatch(/^create waiting!( waiting)*( stale waiting!( waiting)*)+$/);
  });

  test("the region is well again: nothing is asked any more, and whoever looks at the service sees no question", async () => {
    await start();
    const asked = await fail();
    expect((await world.controlPlane.service("checkout"))?.approval?.id).toBe(asked.id);
    expect((await world.controlPlane.explain("checkout"))?.sentences.join(" ")).toContain(`regent change approve ${asked.id}`);
    world.see = () => OK;
    await world.until("withdrawn", async () => (await approval())?.state === "stale");
    expect(await world.controlPlane.approve(order(asked.id))).toMatchObject({ kind: "stale-approval", next: null });
    expect(await changesOf(world)).toHaveLength(1);
    expect((await world.controlPlane.service("checkout"))?.approval).toBeNull();
  });

  test("a new leader finds it waiting, asks nothing again, and takes the answer", async () => {
    await start();
    const asked = await fail();
    await world.restart();
    await world.until("leading", () => world.controlPlane.readiness().isLeader);
    await goOn(world, 1_400);
    expect(await told()).toEqual(["create", "waiting!"]);
    expect(await world.controlPlane.approve(order(asked.id))).toMatchObject({ kind: "answered" });
    await moved();
  });
});

describe("answering", () => {
  test("yes: moved once, in one revision, by the change that has the approval's id", async () => {
    await start();
    const { id } = await fail();
    const answered = await world.controlPlane.approve(order(id));
    expect(answered).toMatchObject({ kind: "answered", answer: { changeId: id, revision: 2, allowed: true } });
    await moved();
    await goOn(world, 400);
    expect(await told()).toEqual(["create", "waiting!", "approved", "failover!"]);
    const [, change] = await changesOf(world);
    expect(change).toMatchObject({ id, revision: 2, actor: { kind: "automation" } });
    expect(change?.why).toMatch(/; approved by ann: I looked$/);
    expect(await world.controlPlane.approve(order(id, "bob"))).toMatchObject({
      kind: "approval-closed",
      state: "approved",
      by: "ann",
    });
  });

  test("no: traffic stays and nobody is asked again, until the region was well and dies once more", async () => {
    await start();
    const { id } = await fail();
    expect(await world.controlPlane.refuse(order(id))).toMatchObject({ kind: "refused", approval: { by: "ann" } });
    await goOn(world, 600);
    expect(await told()).toEqual(["create", "waiting!", "refused"]);
    expect(await weightIn(world, "eu-west")).toBe(255);
    expect(await world.controlPlane.approve(order(id, "bob"))).toMatchObject({ kind: "approval-closed", state: "refused" });
    world.see = () => OK;
    await world.until("well again", () => isHealthy(world));
    breakRegion(world, "eu-west");
    expect((await waiting(id)).id).not.toBe(id);
  });

  test("nobody: it lapses, traffic stays, and it is asked again after as long", async () => {
    await start({ approvalSeconds: 0.8 });
    const asked = await fail();
    const next = await waiting(asked.id);
    expect(await told()).toEqual(["create", "waiting!", "lapsed", "waiting!"]);
    expect(next.askedAt).toBeGreaterThanOrEqual(asked.lapsesAt + 800);
    expect(next.digest).toBe(asked.digest);
    const lapsed = (await eventsOf(world, "approval"))[1];
    expect((lapsed?.at ?? 0) - asked.lapsesAt).toBeLessThan(400);
    expect(await weightIn(world, "eu-west")).toBe(255);
    expect(await world.controlPlane.approve(order(asked.id))).toMatchObject({ kind: "approval-closed", state: "lapsed" });
  });

  test("nobody, where it is declared to proceed: moved, and told so", async () => {
    await start({ approvalSeconds: 0.6, onApprovalTimeout: { mode: "proceed" } });
    const { id, lapsesAt } = await fail();
    await moved();
    expect(await told()).toEqual(["create", "waiting!", "approved", "failover!"]);
    const [, change] = await changesOf(world);
    expect(change).toMatchObject({ id, revision: 2 });
    expect(change?.times.decided).toBeGreaterThanOrEqual(lapsesAt);
    expect(change?.why).toMatch(/; approved, as nobody answered in time and it is declared to proceed$/);
  });

  test("who doesn't reach the service finds nothing", async () => {
    await start();
    const { id } = await fail();
    for (const answer of [world.controlPlane.approve, world.controlPlane.refuse])
      expect(await answer({ ...order(id), scope: ["mail"] })).toEqual({ kind: "not-found", what: `approval ${id}` });
    expect(await told()).toEqual(["create", "waiting!"]);
  });
});

describe("at the same moment", () => {
  test("two say yes: one wins, the other is told who answered what", async () => {
    await start();
    const { id } = await fail();
    const results = await Promise.all(["ann", "bob"].map((by) => world.controlPlane.approve(order(id, by))));
    expect(results.map(({ kind }) => kind)).toEqual(["answered", "approval-closed"]);
    expect(results[1]).toMatchObject({ state: "approved", by: "ann" });
    await moved();
    expect(await told()).toEqual(["create", "waiting!", "approved", "failover!"]);
  });

  test("yes and no: whoever comes first counts", async () => {
    await start();
    const { id } = await fail();
    const [yes, no] = await Promise.all([
      world.controlPlane.approve(order(id, "ann")),
      world.controlPlane.refuse(order(id, "bob")),
    ]);
    expect([yes.kind, no.kind].sort()).toContain("approval-closed");
    await goOn(world, 300);
    expect(await told()).toEqual(
      no.kind === "refused" ? ["create", "waiting!", "refused"] : ["create", "waiting!", "approved", "failover!"],
    );
  });

  test("a freeze that is committed while DNS is read for a yes holds the move", async () => {
    await start();
    const { id } = await fail();
    let isFrozen = false;
    world.faults.around = async ({ name }, proceed) => {
      if (name === "dns.readNames" && !isFrozen) {
        isFrozen = true;
        const scope = { kind: "service", service: "checkout" } as const;
        await world.controlPlane.setFreeze({ scope, isFrozen: true, by: "bob", reason: "hands off" });
      }
      return proceed();
    };
    expect(await world.controlPlane.approve(order(id))).toMatchObject({ kind: "stale-approval", next: null });
    await goOn(world, 400);
    expect(await weightIn(world, "eu-west")).toBe(255);
    expect((await told()).slice(0, 3)).toEqual(["create", "waiting!", "stale"]);
  });

  test("another operator moved the service first: the question is stale, and the second move isn't made", async () => {
    await start();
    const { id } = await fail();
    const [move, yes] = await Promise.all([
      world.controlPlane.move(moveOrder({ kind: "failover", to: "ap-south" })),
      world.controlPlane.approve(order(id)),
    ]);
    expect(move.kind).toBe("answered");
    expect(yes).toMatchObject({ kind: "stale-approval", next: null });
    await moved("ap-south");
    await goOn(world, 300);
    expect(await told()).toEqual(["create", "waiting!", "failover!", "stale"]);
  });

  test.each([{ kind: "late", delayMs: 400 }, { kind: "unknown-before" }, { kind: "unknown-after" }] as const)(
    "the approved batch meets $kind: still one change, and nobody is asked again",
    async (fault) => {
      await start();
      const { id } = await fail();
      world.dns.breakNextSend(fault);
      expect(await world.controlPlane.approve(order(id))).toMatchObject({ kind: "answered", answer: { changeId: id } });
      await moved();
      await goOn(world, 600);
      expect(await told()).toEqual(["create", "waiting!", "approved", "failover!"]);
    },
  );
});

describe("how a service is declared", () => {
  const declared = async () => (await world.database.decisions.load()).services[0]?.declared;

  test("the first declaration has no beginning, another one begins when it is seen, and the same one again changes nothing", async () => {
    await start();
    await world.until("noted", async () => (await declared()) != null);
    const first = await declared();
    expect(first?.since).toBeNull();
    await world.apply(world.declaration);
    await goOn(world, 300);
    expect(await declared()).toEqual(first);
    const before = world.clock.now();
    const [service] = world.declaration.services;
    if (!service) throw new Error("no service");
    await world.apply({ ...world.declaration, services: [{ ...service, mode: "automatic" }] });
    await world.until("noted anew", async () => (await declared())?.digest !== first?.digest);
    expect((await declared())?.since).toBeGreaterThanOrEqual(before);
    await world.restart();
    await world.until("leading", () => world.controlPlane.readiness().isLeader);
    const kept = await declared();
    await goOn(world, 300);
    expect(await declared()).toEqual(kept);
  });
});
