/** The lanes at the door: claimed by a header, confirmed by contents, and never in the way of people. */
import type { Report } from "@regent/contract";
import { expect, test } from "vitest";
import { createLanes } from "../access/lanes.ts";
import { LANE_LIMITS, REPORT_PLACES } from "../limits.ts";
import type { Ingested, Recheck } from "../operations/evidence/ingest-report.ts";
import { testDoors } from "./testing/doors.ts";

const TAKEN: Ingested = { kind: "taken", receipt: { ack: 1, serverTime: 1 } };
const contents = (observations: number, backfill: number): Report =>
  ({ observations: Array(observations).fill({}), unchanged: [], backfill: Array(backfill).fill({}) }) as unknown as Report;

const setUp = (ingestReport: (request: unknown, recheck?: Recheck) => Promise<Ingested>) => {
  const lanes = createLanes({ monotonic: () => performance.now() });
  const doors = testDoors({ ingestReport }, { lanes });
  const report = (lane?: string) =>
    doors.ask("POST", "/v1/reports", { body: "{}", headers: lane === undefined ? {} : { "regent-lane": lane } });
  return { lanes, report, ...doors };
};

test.each([
  ["transition", "transition"],
  ["live", "live"],
  ["backlog", "backlog"],
  ["operator", "live"],
  [undefined, "live"],
] as const)("a report that claims %s waits in %s", async (claimed, lane) => {
  const { lanes, report } = setUp(async () => TAKEN);
  expect((await report(claimed)).status).toBe(200);
  const { operator, ...counts } = lanes.counts();
  expect(operator.admitted).toBe(0);
  expect(Object.entries(counts).flatMap(([name, { admitted }]) => (admitted > 0 ? [name] : []))).toEqual([lane]);
});

test("what tells nothing of the present is a backlog, whatever it claims", async () => {
  const { lanes, report } = setUp(async (_, recheck) => (await recheck?.(contents(0, 3))) ?? TAKEN);
  expect((await report("transition")).status).toBe(200);
  expect(lanes.counts().backlog.admitted).toBe(1);
});

test.each([
  ["with something live in it", contents(1, 3)],
  ["that is a sign of life", contents(0, 0)],
])("a report %s keeps its lane", async (_, report) => {
  const doors = setUp(async (__, recheck) => (await recheck?.(report)) ?? TAKEN);
  expect((await doors.report("live")).status).toBe(200);
  expect(doors.lanes.counts().backlog.admitted).toBe(0);
});

test("a place is given back whatever becomes of the report", async () => {
  const { lanes, report } = setUp(async () => {
    throw new Error("broken");
  });
  expect((await report("live")).status).toBe(500);
  expect(lanes.counts().live.underWay).toBe(0);
});

test("with reports waiting in every place, people get their answers; a full lane is told when to come back", async () => {
  let release = (): void => undefined;
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  const { lanes, report, ask, tokenOf, controlPlane } = setUp(async () => {
    await held;
    return TAKEN;
  });
  const token = await tokenOf("operator");
  const reports = Array.from({ length: REPORT_PLACES + 5 }, () => report("transition"));
  const backlog = Array.from({ length: LANE_LIMITS.backlog.waitingMax }, () => lanes.enter("backlog", 1));
  const [overview, freeze, full] = await Promise.all([
    ask("GET", "/v1/overview", { token }),
    ask("POST", "/v1/freeze", { token, body: { reason: "a drill" } }),
    report("backlog"),
  ]);
  expect([overview.status, freeze.status]).toEqual([200, 200]);
  expect(full.status).toBe(429);
  expect(Number(full.headers.get("retry-after"))).toBeGreaterThan(0);
  expect(controlPlane.refusals).toContain("reports too-many-requests");
  const { places } = LANE_LIMITS.backlog;
  expect(lanes.counts().transition).toMatchObject({ underWay: REPORT_PLACES - places, waiting: 5 + places });
  release();
  expect((await Promise.all(reports)).every(({ status }) => status === 200)).toBe(true);
  await Promise.all(backlog);
});

test("whoever names no declared key fills no lane and keeps nobody out, whatever lane it claims", async () => {
  let release = (): void => undefined;
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  const lanes = createLanes({ monotonic: () => performance.now() });
  const doors = testDoors(
    {
      isDeclaredKey: (agent, keyId) => agent === "east-a" && keyId === "ours",
      ingestReport: async () => {
        await held;
        return TAKEN;
      },
    },
    { lanes },
  );
  const send = (id: string, key: string, address?: string) =>
    doors.ask("POST", "/v1/reports", {
      body: "{}",
      headers: { "regent-lane": "transition", "webhook-id": id, "regent-key": key },
      ...(address === undefined ? {} : { address }),
    });
  const busy = Array.from({ length: REPORT_PLACES }, () => send("east-a.1.1", "ours"));
  const flood = await Promise.all(
    Array.from({ length: LANE_LIMITS.transition.waitingMax + 10 }, (_, i) => send("east-a.1.1", `guess${i}`, "192.0.2.66")),
  );
  expect(new Set(flood.map(({ status }) => status))).toEqual(new Set([401]));
  expect(lanes.counts().transition).toMatchObject({ underWay: REPORT_PLACES, waiting: 0 });
  const news = send("east-a.1.2", "ours");
  release();
  expect((await news).status).toBe(200);
  await Promise.all(busy);
});
