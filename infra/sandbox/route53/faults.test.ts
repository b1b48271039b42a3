/** The API misbehaving on command, seen through the real SDK with retries off. */
import {
  ChangeResourceRecordSetsCommand,
  GetChangeCommand,
  ListHostedZonesCommand,
  Route53Client,
} from "@aws-sdk/client-route-53";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { create, listed, type Place, refusal, remove, send, txt } from "./conformance/subject.ts";
import { createRoute53, type Route53 } from "./index.ts";

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
    route53.faults.set({ kind: "slow-propagation", delayMs: 3_600_000 });
    const { ChangeInfo } = await write(1);
    const statusNow = async () => (await place.client.send(new GetChangeCommand({ Id: ChangeInfo?.Id }))).ChangeInfo?.Status;
    expect(await statusNow()).toBe("PENDING");
    expect(await count()).toBe(1);
    route53.faults.clear();
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
  test("that isn't one is refused when it is set", () => {
    expect(() => route53.faults.set({ kind: "late-apply", delayMs: -1 })).toThrow();
    expect(() => route53.faults.set({ kind: "meteor" } as never)).toThrow();
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
