/** Reports that nobody can process: they hold nobody back, they are told, and a person brings them back or drops them. */
import { afterEach, describe, expect, test } from "vitest";
import { DEAD_LETTERS_MAX } from "../limits.ts";
import { DatabaseAway } from "../ports/database-away.ts";
import { eventsOf, isHealthy } from "../testing/play.ts";
import { testWorld, type World } from "../testing/world.ts";

let world: World;
afterEach(() => world.stop());

const AGENT = "eu-west-net-a";

/** Whatever this agent tells can't be stored. */
const poison = (error: () => Error = () => new Error("no such thing can be stored")): void => {
  world.faults.around = async ({ name, args }, proceed) => {
    if (name === "evidence.ingest" && args[0] === AGENT) throw error();
    return proceed();
  };
};

const heal = (): void => {
  world.faults.around = (_, proceed) => proceed();
};

const start = async (): Promise<void> => {
  world = await testWorld();
  await world.until("healthy", () => isHealthy(world));
};

const lettersOf = async () => (await world.controlPlane.deadLetters({ limit: 200 })).letters;
const order = (id: string) => ({ id, by: "ada", reason: "the bug is mended" });

describe("a report that can't be processed", () => {
  test("is acknowledged and kept, is told to be listed in full next time, and holds nobody back", async () => {
    await start();
    poison();
    const sent = world.draftReport(AGENT);
    const answer = await world.controlPlane.ingestReport(world.signed(AGENT, sent));
    expect(answer).toMatchObject({ kind: "taken", receipt: { ack: sent.sequence, listAll: true } });
    const [letter] = await lettersOf();
    expect(letter).toMatchObject({ kind: "report", subject: AGENT, why: "no such thing can be stored", attempts: 1 });
    expect((await world.controlPlane.deadLetter(letter?.id ?? ""))?.payload).toMatchObject({ report: sent });
    expect(await world.report("us-east-net-a")).toMatchObject({ kind: "taken" });
    expect(await world.controlPlane.metrics()).toContain('regent_dead_letters_total{kind="report"} 1');
  });

  test("that isn't signed, or was never valid, is refused and not kept", async () => {
    await start();
    poison();
    const signed = world.signed(AGENT, world.draftReport(AGENT));
    expect(await world.controlPlane.ingestReport({ ...signed, body: Buffer.from("{}") })).toMatchObject({
      kind: "unknown-signer",
    });
    const invalid = { ...world.draftReport(AGENT), region: "Nowhere" };
    expect(await world.controlPlane.ingestReport(world.signed(AGENT, invalid))).toMatchObject({ kind: "invalid-request" });
    expect(await lettersOf()).toEqual([]);
  });

  test.each(["ECONNREFUSED", "25006", "53100", "40001"])(
    "while the database is away (%s) stays with its agent, and comes in once when the database is back",
    async (code) => {
      await start();
      poison(() => new DatabaseAway(code, null));
      const report = world.draftReport(AGENT);
      await expect(world.controlPlane.ingestReport(world.signed(AGENT, report))).rejects.toBeInstanceOf(DatabaseAway);
      heal();
      expect(await lettersOf()).toEqual([]);
      expect(await world.controlPlane.ingestReport(world.signed(AGENT, report))).toMatchObject({ kind: "taken" });
      expect(await world.controlPlane.ingestReport(world.signed(AGENT, report))).toMatchObject({ kind: "replayed" });
    },
  );

  test("that can't even be put aside is not acknowledged", async () => {
    await start();
    world.faults.around = async ({ name, args }, proceed) => {
      if (name === "evidence.ingest" && args[0] === AGENT) throw new Error("broken");
      if (name === "deadLetters.keep") throw new DatabaseAway("ECONNRESET", null);
      return proceed();
    };
    await expect(world.report(AGENT)).rejects.toBeInstanceOf(DatabaseAway);
    heal();
    expect(await lettersOf()).toEqual([]);
  });

  test("makes the oldest go when there are too many, and they are counted", async () => {
    await start();
    poison();
    for (let i = 0; i < DEAD_LETTERS_MAX + 3; i += 1) await world.report(AGENT);
    const seen = new Set<string>();
    for (let cursor: string | undefined; ; ) {
      const page = await world.controlPlane.deadLetters({ limit: 200, ...(cursor === undefined ? {} : { cursor }) });
      for (const { id } of page.letters) seen.add(id);
      if (page.next === null) break;
      cursor = page.next;
    }
    expect(seen.size).toBe(DEAD_LETTERS_MAX);
    expect(await world.controlPlane.metrics()).toContain("regent_dead_letters_dropped_total 3");
  });
});

describe("a person", () => {
  const keepOne = async (): Promise<string> => {
    await start();
    poison();
    await world.report(AGENT);
    return (await lettersOf())[0]?.id ?? "";
  };

  test("tries again in vain: it stays, with the new reason and one try more", async () => {
    const id = await keepOne();
    poison(() => new Error("still broken"));
    expect(await world.controlPlane.retryDeadLetter(order(id))).toEqual({ kind: "tried", done: false, why: "still broken" });
    expect(await world.controlPlane.deadLetter(id)).toMatchObject({ attempts: 2, why: "still broken" });
  });

  test("tries again with success: it feeds history and no verdict, and is gone", async () => {
    await start();
    poison();
    await world.report(AGENT, (report) => ({
      ...report,
      observations: report.observations.map((each) => ({ ...each, outcome: "fail" as const, reason: "tcp_refused" as const })),
    }));
    const id = (await lettersOf())[0]?.id ?? "";
    heal();
    const before = await world.database.evidence.readChecks([AGENT]);
    expect(await world.controlPlane.retryDeadLetter(order(id))).toMatchObject({ kind: "tried", done: true });
    expect(await world.database.evidence.readChecks([AGENT])).toEqual(before);
    const late = (await world.database.evidence.readTransitions({ since: 0, limit: 500 })).filter(({ isBackfill }) => isBackfill);
    expect(late.length).toBeGreaterThan(0);
    expect(late.every(({ agent, to }) => agent === AGENT && to === "down")).toBe(true);
    expect(await lettersOf()).toEqual([]);
    expect(await world.controlPlane.retryDeadLetter(order(id))).toEqual({ kind: "gone" });
    expect(await eventsOf(world, "dead-letter")).toMatchObject([
      { actor: { kind: "operator", name: "ada" }, detail: { deadLetter: id, reason: "the bug is mended" } },
    ]);
    // The agent goes on as if nothing had been.
    expect(await world.report(AGENT)).toMatchObject({ kind: "taken" });
  });

  test("drops it, once, and history says who and why", async () => {
    const id = await keepOne();
    expect(await world.controlPlane.dropDeadLetter(order(id))).toMatchObject({ kind: "tried", done: true });
    expect(await world.controlPlane.dropDeadLetter(order(id))).toEqual({ kind: "gone" });
    expect((await eventsOf(world, "dead-letter")).map(({ why }) => why)).toEqual([`dead letter of ${AGENT} dropped`]);
  });

  test("is sent to the leader by a replica that doesn't lead", async () => {
    const id = await keepOne();
    const follower = await world.addReplica();
    expect(await follower.controlPlane.retryDeadLetter(order(id))).toEqual({ kind: "not-leader" });
    expect((await follower.controlPlane.deadLetters({ limit: 9 })).letters).toHaveLength(1);
  });
});

test("a clock of a change that can't be written down is put aside, the change stands, and a retry writes it", async () => {
  world = await testWorld();
  world.faults.around = async ({ name, args }, proceed) => {
    const commit = args[0] as { stages?: readonly { clock?: string }[] } | undefined;
    if (name === "decisions.commit" && commit?.stages?.some(({ clock }) => clock === "visible")) throw new Error("refused");
    return proceed();
  };
  await world.until("put aside", async () => (await lettersOf()).some(({ kind }) => kind === "strike"));
  heal();
  const letter = (await lettersOf()).find(({ kind }) => kind === "strike");
  const change = await world.controlPlane.change(letter?.subject ?? "");
  expect(change?.times.accepted).toBeDefined();
  expect(change?.times.visible).toBeUndefined();
  await world.until("leads", () => world.controlPlane.readiness().isLeader);
  expect(await world.controlPlane.retryDeadLetter(order(letter?.id ?? ""))).toMatchObject({ done: true });
  expect((await world.controlPlane.change(change?.id ?? ""))?.times.visible).toBeLessThanOrEqual(letter?.at ?? 0);
});
