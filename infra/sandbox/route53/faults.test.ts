/** The API misbehaving on command, seen through the real SDK with retries off. */
import {
  ChangeResourceRecordSetsCommand,
  GetChangeCommand,
  ListHostedZonesCommand,
  ListResourceRecordSetsCommand,
  Route53Client,
} from "@aws-sdk/client-route-53";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createDraw } from "../regions/misbehaviour.ts";
import { create, listed, type Place, refusal, remove, send, txt } from "./conformance/subject.ts";
import { createFaults, type Faults } from "./faults.ts";
import { createRoute53, type FaultInput, type Route53 } from "./index.ts";
import { createTokenBucket } from "./rate-limit.ts";

const credentials = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "sandbox-secret" };
const CLIENT_TIMEOUT_MS = 150;

let route53: Route53;
let place: Place;
let endpoint: string;

const newClient = (): Route53Client =>
  new Route53Client({
    endpoint,
    region: "us-east-1",
    credentials,
    maxAttempts: 1,
    requestHandler: { requestTimeout: CLIENT_TIMEOUT_MS, throwOnRequestTimeout: true },
  });

beforeEach(async () => {
  route53 = createRoute53({ credentials: [credentials], propagation: { minMs: 0, maxMs: 0 } });
  const created = route53.store.createZone({ name: "example.test.", callerReference: "faults" });
  if (created.kind !== "created") throw new Error(created.kind);
  endpoint = `http://127.0.0.1:${(await route53.listen(0)).port}`;
  place = { client: newClient(), zoneId: created.zone.head.id, zoneName: "example.test", name: "f.example.test" };
});
afterEach(async () => {
  place.client.destroy();
  await route53.close();
});

const write = (revision: number) => send(place, create(txt(`r${revision}.${place.name}`, '"x"')));
const count = async (): Promise<number> => (await listed(place)).length;

describe("a fault", () => {
  test("throttle answers Throttling as often as it says, then no more", async () => {
    route53.faults.set({ kind: "throttle", count: 2 });
    for (const _ of [1, 2])
      expect(await refusal(write(1))).toMatchObject({ name: "Throttling", status: 400, message: "Rate exceeded" });
    await write(1);
    expect(route53.faults.list()).toEqual([]);
  });
  test("fits only its operations; `*` fits all", async () => {
    route53.faults.set({ kind: "throttle" });
    await place.client.send(new ListHostedZonesCommand({}));
    route53.faults.set({ kind: "throttle", operations: ["*"] });
    expect((await refusal(place.client.send(new ListHostedZonesCommand({})))).name).toBe("Throttling");
  });
  test("server-error answers 5xx, having applied the change or not", async () => {
    route53.faults.set({ kind: "server-error", count: 1 });
    expect((await refusal(write(1))).status).toBe(500);
    expect(await count()).toBe(0);
    route53.faults.set({ kind: "server-error", status: 503, isApplied: true, count: 1 });
    expect((await refusal(write(1))).status).toBe(503);
    expect(await count()).toBe(1);
  });
  test("timeout-before leaves the caller without an answer and the zone as it was", async () => {
    route53.faults.set({ kind: "timeout-before", count: 1 });
    expect((await refusal(write(1))).name).toBe("TimeoutError");
    expect(await count()).toBe(0);
  });
  test("timeout-after leaves the caller without an answer and the zone changed", async () => {
    route53.faults.set({ kind: "timeout-after", count: 1 });
    expect((await refusal(write(1))).name).toBe("TimeoutError");
    expect(await count()).toBe(1);
  });
  test("late-apply changes the zone after the caller gave up", async () => {
    route53.faults.set({ kind: "late-apply", delayMs: 300, count: 1 });
    expect((await refusal(write(1))).name).toBe("TimeoutError");
    expect(await count()).toBe(0);
    await expect.poll(count, { timeout: 3_000 }).toBe(1);
  });
  test("late-apply is judged when it lands: a newer epoch record keeps it out", async () => {
    const epoch = (revision: number) => txt(place.name, `"r=${revision}"`);
    await send(place, create(epoch(1)));
    route53.faults.set({ kind: "late-apply", delayMs: 250, count: 1 });
    await refusal(send(place, remove(epoch(1)), create(epoch(2))));
    await send(place, remove(epoch(1)), create(epoch(3)));
    await expect
      .poll(() => route53.calls().some(({ outcome }) => outcome === "late-InvalidChangeBatch"), { timeout: 3_000 })
      .toBe(true);
    expect((await listed(place))[0]?.ResourceRecords).toEqual([{ Value: '"r=3"' }]);
  });
  test("prior-request answers PriorRequestNotComplete for its time", async () => {
    route53.faults.set({ kind: "prior-request", forMs: 200 });
    expect(await refusal(write(1))).toMatchObject({ name: "PriorRequestNotComplete", status: 400 });
    await expect.poll(() => route53.faults.list().length, { timeout: 3_000 }).toBe(0);
    await write(1);
  });
  test("slow-propagation keeps a change PENDING until it is cleared", async () => {
    const slow = route53.faults.set({ kind: "slow-propagation", delayMs: 3_600_000 });
    const { ChangeInfo } = await write(1);
    const statusNow = async () => (await place.client.send(new GetChangeCommand({ Id: ChangeInfo?.Id }))).ChangeInfo?.Status;
    expect(await statusNow()).toBe("PENDING");
    expect(await count()).toBe(1);
    route53.faults.clear(route53.faults.set({ kind: "throttle" }));
    expect(await statusNow()).toBe("PENDING");
    route53.faults.clear(slow);
    expect(await statusNow()).toBe("INSYNC");
  });
  test("staggered-propagation lets servers differ for that change alone", async () => {
    route53.faults.set({ kind: "staggered-propagation", perServerMs: [0, 3_600_000], count: 1 });
    const { ChangeInfo } = await write(1);
    const shown = [0, 1].map((server) => route53.store.shownZone(`${place.name}.`, server)?.records.has(`r1.${place.name}.`));
    expect([shown, route53.store.findChange(ChangeInfo!.Id!.slice("/change/".length))?.isPending]).toEqual([[true, false], true]);
  });
  test("strand takes an accepted change back, and leaves what was written since", async () => {
    const kept = txt(`kept.${place.name}`, '"x"');
    await send(place, create(txt(place.name, '"r=1"')));
    route53.faults.set({ kind: "strand", delayMs: 200, count: 1 });
    const { ChangeInfo } = await send(
      place,
      remove(txt(place.name, '"r=1"')),
      create(txt(place.name, '"r=2"')),
      create(txt(`new.${place.name}`, '"x"')),
    );
    await send(place, create(kept));
    expect(await count()).toBe(3);
    await expect.poll(count, { timeout: 3_000 }).toBe(2);
    expect((await listed(place)).map((set) => set.ResourceRecords?.[0]?.Value)).toEqual(['"r=1"', '"x"']);
    expect((await place.client.send(new GetChangeCommand({ Id: ChangeInfo?.Id }))).ChangeInfo?.Status).toBe("PENDING");
  });
  describe.each<[string, FaultInput]>([
    ["a document cut in its middle", { kind: "truncated" }],
    ["a connection that breaks in the answer's middle", { kind: "truncated", form: "connection" }],
    ["noise", { kind: "garbage" }],
  ])("that damages an answer: %s", (_, fault) => {
    test("is an error to the SDK, and the change was made", async () => {
      route53.faults.set({ ...fault, count: 1 } as FaultInput);
      await refusal(write(1));
      expect(await count()).toBe(1);
      expect(route53.calls()).toContainEqual({ operation: "ChangeResourceRecordSets", outcome: fault.kind, count: 1 });
    });
    test("is an error to the SDK, and the change never came that far where it is said so", async () => {
      route53.faults.set({ ...fault, isApplied: false, count: 1 } as FaultInput);
      await refusal(write(1));
      expect(await count()).toBe(0);
    });
    test("reaches reads too", async () => {
      await write(1);
      route53.faults.set({ ...fault, operations: ["ListResourceRecordSets"], count: 1 } as FaultInput);
      await refusal(listed(place));
      expect(await count()).toBe(1);
    });
  });
  test.each<[string, FaultInput]>([
    ["no byte at all", { kind: "empty" }],
    ["a root without content", { kind: "empty", form: "document" }],
    ["another document", { kind: "garbage", form: "page" }],
  ])("an answer of %s looks like success to the SDK, with every field missing", async (_, fault) => {
    route53.faults.set({ ...fault, count: 1 } as FaultInput);
    expect((await write(1)).ChangeInfo).toBeUndefined();
    route53.faults.set({ ...fault, operations: ["ListResourceRecordSets"], count: 1 } as FaultInput);
    const read = await place.client.send(new ListResourceRecordSetsCommand({ HostedZoneId: place.zoneId }));
    expect([read.ResourceRecordSets, read.IsTruncated]).toEqual([undefined, undefined]);
    expect(await count()).toBe(1);
  });
  test("duplicate lets a request arrive twice: the second copy finds the first one's work, and the zone is changed once", async () => {
    route53.faults.set({ kind: "duplicate", count: 1 });
    await write(1);
    const outcomes = () => route53.calls().map(({ outcome }) => outcome);
    await expect.poll(outcomes, { timeout: 3_000 }).toContain("again-InvalidChangeBatch");
    expect(await count()).toBe(1);
  });
  test("duplicate with the second answered tells the caller no, though its change was made", async () => {
    route53.faults.set({ kind: "duplicate", answered: "second", delayMs: 30, count: 1 });
    expect((await refusal(write(1))).name).toBe("InvalidChangeBatch");
    expect(await count()).toBe(1);
    expect(route53.calls()).toContainEqual({ operation: "ChangeResourceRecordSets", outcome: "lost-ok", count: 1 });
  });
  test("that isn't one is refused when it is set", () => {
    expect(() => route53.faults.set({ kind: "late-apply", delayMs: -1 })).toThrow();
    expect(() => route53.faults.set({ kind: "meteor" } as never)).toThrow();
  });
});

describe("other clients of the account", () => {
  const LIMIT = { perSecond: 5, burst: 10 };
  const refused = async (calls: number): Promise<number> => {
    const asked = Array.from({ length: calls }, () => place.client.send(new ListHostedZonesCommand({})).catch(() => "throttled"));
    return (await Promise.all(asked)).filter((answer) => answer === "throttled").length;
  };
  test("throttle us at once where no limit was configured, and let go when they leave", async () => {
    route53.faults.set({ kind: "other-traffic", perSecond: 1_000 });
    await expect.poll(() => refused(1), { timeout: 3_000 }).toBe(1);
    expect(await refused(20)).toBeGreaterThanOrEqual(19);
    route53.faults.clear();
    expect(await refused(20)).toBe(0);
  });

  /** Calls of ours a second that get through during 200 s on a clock of our own, with ours at 2 a second. */
  const through = (perSecond: number, limit: typeof LIMIT | undefined, forMs?: number): number => {
    let clock = 1_000_000;
    const faults: Faults = createFaults({ now: () => clock, onCleared: () => undefined, onChange: () => bucket.catchUp() });
    const bucket = createTokenBucket(limit ?? LIMIT, {
      now: () => clock,
      random: createDraw(7),
      otherTraffic: faults.otherTraffic,
    });
    faults.set({ kind: "other-traffic", perSecond, ...(forMs === undefined ? {} : { forMs }) });
    let allowed = 0;
    for (let call = 0; call < 400; call++) {
      clock += 500;
      faults.list();
      if (bucket.isAllowed()) allowed += 1;
    }
    return allowed / 200;
  };
  test("leave us what they don't take: all of ours below the limit, a part of it above, next to nothing far above", () => {
    expect(through(1, LIMIT)).toBe(2);
    const [some, few] = [through(6, LIMIT), through(100, LIMIT)];
    expect(some).toBeGreaterThan(0.5);
    expect(some).toBeLessThan(1.9);
    expect(few).toBeLessThan(0.2);
  });
  test("stay gone after their time, which counts from their start even if nobody calls meanwhile", () => {
    // 20 s of the 200 are theirs: nearly nothing then, everything after.
    expect(through(1_000, LIMIT, 20_000)).toBeGreaterThan(1.75);
    expect(through(1_000, LIMIT, 20_000)).toBeLessThan(1.9);
  });
  test("take no call of ours for theirs", () => {
    const faults = createFaults({ now: Date.now, onCleared: () => undefined });
    faults.set({ kind: "other-traffic", perSecond: 5 });
    expect(faults.take("ListResourceRecordSets")).toBeUndefined();
    expect(() => faults.set({ kind: "other-traffic", perSecond: 5, count: 1 } as never)).toThrow();
  });
});

describe("limits of the account", () => {
  test("calls above rate and burst are Throttling, whatever they ask", async () => {
    route53.setRateLimit({ perSecond: 0.001, burst: 3 });
    for (const _ of [1, 2, 3]) await place.client.send(new ListHostedZonesCommand({}));
    expect((await refusal(place.client.send(new ListHostedZonesCommand({})))).name).toBe("Throttling");
    route53.setRateLimit(undefined);
    await place.client.send(new ListHostedZonesCommand({}));
  });
  test("a zone that is still processing a change refuses the next one", async () => {
    route53.setProcessingMs(250);
    await write(1);
    expect((await refusal(write(2))).name).toBe("PriorRequestNotComplete");
    await expect.poll(async () => (await write(2).catch(() => undefined)) !== undefined, { timeout: 3_000 }).toBe(true);
  });
  test("the other written form of a refused batch has no code, so the SDK can't name it", async () => {
    const other = createRoute53({ credentials: [credentials], invalidChangeBatchForm: "messages" });
    const { port } = await other.listen(0);
    const zone = other.store.createZone({ name: "example.test.", callerReference: "x" });
    if (zone.kind !== "created") throw new Error(zone.kind);
    const client = new Route53Client({ endpoint: `http://127.0.0.1:${port}`, region: "us-east-1", credentials, maxAttempts: 1 });
    const changes = [remove(txt("x.example.test", '"x"'))];
    const error = await refusal(
      client.send(new ChangeResourceRecordSetsCommand({ HostedZoneId: zone.zone.head.id, ChangeBatch: { Changes: changes } })),
    );
    expect(error).toMatchObject({ name: "Unknown", status: 400 });
    client.destroy();
    await other.close();
  });
});
