/** The order in which lanes are served, what each is bounded by, and that no flood of one delays another. */
import { describe, expect, test } from "vitest";
import { LANE_LIMITS, REPORT_PLACES } from "../limits.ts";
import { createLanes, type Lane, type LaneLimits, type LaneRefused, type Lanes, type LanesDeps, type Pass } from "./lanes.ts";
import type { Pressure } from "./pressure.ts";

const open = (deps: Partial<LanesDeps> = {}) => {
  let now = 0;
  const lanes = createLanes({ monotonic: () => now, random: () => 0, ...deps });
  return {
    lanes,
    pass: (ms: number) => {
      now += ms;
    },
  };
};

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const entered = (answer: Pass | LaneRefused): Pass => {
  if (answer.kind === "refused") throw new Error(answer.why);
  return answer;
};
const take = async (lanes: Lanes, lane: Lane, count: number): Promise<Pass[]> =>
  Promise.all(Array.from({ length: count }, async () => entered(await lanes.enter(lane, 100))));

const limitsWith = (lane: Lane, limits: Partial<LaneLimits>): Record<Lane, LaneLimits> => ({
  ...LANE_LIMITS,
  [lane]: { ...LANE_LIMITS[lane], ...limits },
});

test("places go to reports of changes first, then to live ones, then to the backlog, whoever came first", async () => {
  const { lanes } = open();
  const held = [...(await take(lanes, "live", LANE_LIMITS.live.places)), ...(await take(lanes, "transition", 8))];
  expect(held).toHaveLength(REPORT_PLACES);
  const served: Lane[] = [];
  const passes = (["backlog", "live", "transition", "live", "transition"] as const).map(async (lane) => {
    const pass = entered(await lanes.enter(lane, 100));
    served.push(lane);
    return pass;
  });
  for (const pass of held.slice(0, 5)) {
    pass.leave(true);
    await turn();
  }
  for (const pass of held.slice(5)) pass.leave(true);
  await Promise.all(passes);
  expect(served).toEqual(["transition", "transition", "live", "live", "backlog"]);
});

test("live reports never take the places that are kept for changes", async () => {
  const { lanes } = open();
  await take(lanes, "live", LANE_LIMITS.live.places);
  void lanes.enter("live", 100);
  await turn();
  expect(lanes.counts().live).toMatchObject({ underWay: LANE_LIMITS.live.places, waiting: 1 });
  await take(lanes, "transition", REPORT_PLACES - LANE_LIMITS.live.places);
});

test("with every report place taken and every queue full, an operator goes in at once", async () => {
  const { lanes } = open();
  await take(lanes, "transition", REPORT_PLACES);
  const waiting = (["transition", "live", "backlog"] as const).flatMap((lane) =>
    Array.from({ length: LANE_LIMITS[lane].waitingMax }, () => lanes.enter(lane, 100)),
  );
  expect(waiting).toHaveLength(5_000);
  expect(lanes.check("live")).toMatchObject({ kind: "refused", why: "3500 wait in the lane live" });
  const [operator] = await take(lanes, "operator", 1);
  expect(operator?.kind).toBe("pass");
  expect(lanes.counts().operator).toEqual({ waiting: 0, underWay: 1, admitted: 1, refused: 0 });
});

describe("a flood of backlog", () => {
  /** Each report needs 5 turns of work. Live ones come in the middle of the flood. */
  const play = async (backlog: number) => {
    let clock = 0;
    const waits: { lane: Lane; turns: number }[] = [];
    const lanes = createLanes({
      monotonic: () => clock,
      random: () => 0,
      onWaited: (lane, turns) => waits.push({ lane, turns }),
    });
    const work = async (lane: Lane): Promise<string> => {
      const pass = await lanes.enter(lane, 1_000);
      if (pass.kind === "refused") return "refused";
      for (let i = 0; i < 5; i += 1) await turn();
      pass.leave(true);
      return "done";
    };
    const flood = Array.from({ length: backlog }, () => work("backlog"));
    const live: Promise<string>[] = [];
    for (let i = 0; i < 200; i += 1) {
      clock += 1;
      if (i % 4 === 0) live.push(work(i % 16 === 0 ? "transition" : "live"));
      await turn();
    }
    const liveAnswers = await Promise.all(live);
    const waited = waits.filter(({ lane }) => lane !== "backlog").map(({ turns }) => turns);
    const done = lanes.counts();
    return {
      liveAnswers,
      longest: Math.max(...waited),
      backlogTaken: done.backlog.admitted,
      backlogRefused: done.backlog.refused,
      flood,
    };
  };

  test("makes no live report wait, and is refused beyond its queue", async () => {
    const calm = await play(0);
    const flooded = await play(2_000);
    expect(calm.liveAnswers).toEqual(flooded.liveAnswers);
    expect(flooded.longest).toBe(calm.longest);
    expect(flooded.backlogRefused).toBe(2_000 - LANE_LIMITS.backlog.waitingMax - LANE_LIMITS.backlog.places);
    // 200 turns of 1 ms: the pace is 20 a second.
    expect(flooded.backlogTaken).toBeLessThanOrEqual(LANE_LIMITS.backlog.places + 20 * 0.2 + 1);
    expect(flooded.backlogTaken).toBeGreaterThan(1);
  });

  test("that claims to be live goes to the end of its own queue, and its place is free for others", async () => {
    const { lanes } = open();
    const liars = await take(lanes, "live", LANE_LIMITS.live.places);
    const honest = lanes.enter("live", 100);
    const moved = Promise.all(liars.map((liar) => liar.moveTo("backlog")));
    expect((await honest).kind).toBe("pass");
    await turn();
    expect(lanes.counts().backlog.underWay + lanes.counts().backlog.waiting).toBe(LANE_LIMITS.live.places);
    expect((await moved).filter((refused) => refused !== null)).toHaveLength(
      LANE_LIMITS.live.places - LANE_LIMITS.backlog.places,
    );
    for (const liar of liars) liar.leave(true);
    expect(lanes.counts().live.underWay + lanes.counts().backlog.underWay).toBe(1);
  });

  test("what nobody signed doesn't use up its pace", async () => {
    const { lanes, pass } = open();
    for (let i = 0; i < 100; i += 1) entered(await lanes.enter("backlog", 100)).leave(false);
    const [first] = await take(lanes, "backlog", 1);
    first?.leave(true);
    void lanes.enter("backlog", 100);
    await turn();
    expect(lanes.counts().backlog).toMatchObject({ underWay: 0, waiting: 1 });
    pass(51);
    expect((await lanes.enter("backlog", 100)).kind).toBe("pass");
  });
});

test("a queue is bounded in bytes too, and says when to come back", async () => {
  const { lanes } = open({ limits: limitsWith("live", { places: 1, bytesMax: 1_000 }) });
  await take(lanes, "live", 1);
  void lanes.enter("live", 1_000);
  const refused = await lanes.enter("live", 1);
  expect(refused).toMatchObject({ kind: "refused", retryAfterMs: 1_000 });
  expect(lanes.counts().live).toMatchObject({ waiting: 1, refused: 1 });
});

test("who waits too long is told so, and leaves nothing behind", async () => {
  const { lanes } = open({ limits: limitsWith("live", { places: 1, waitMsMax: 10 }) });
  const [held] = await take(lanes, "live", 1);
  expect(await lanes.enter("live", 500)).toMatchObject({ kind: "refused", why: "no place in the lane live within 10 ms" });
  expect(lanes.counts().live).toMatchObject({ waiting: 0, underWay: 1 });
  held?.leave(true);
  held?.leave(true);
  expect(lanes.counts().live.underWay).toBe(0);
});

describe("when the event loop is behind", () => {
  const under = (pressure: Pressure): Lanes => open({ pressure: () => pressure }).lanes;

  test("a backlog waits first", async () => {
    const lanes = under("queue");
    void lanes.enter("backlog", 1);
    await take(lanes, "live", 20);
    expect(lanes.counts().backlog).toMatchObject({ waiting: 1, underWay: 0 });
  });

  test("then live reports get fewer places", async () => {
    const lanes = under("throttle");
    for (let i = 0; i < 20; i += 1) void lanes.enter("live", 1);
    await take(lanes, "transition", 20);
    expect(lanes.counts().live).toMatchObject({ waiting: 12, underWay: 8 });
  });

  test("then only changes and operators are served", async () => {
    const lanes = under("break");
    expect(lanes.check("live")).toMatchObject({ kind: "refused" });
    expect(lanes.check("backlog")).toMatchObject({ kind: "refused" });
    expect(lanes.check("transition")).toBeNull();
    await take(lanes, "operator", 20);
    await take(lanes, "transition", 20);
  });
});
