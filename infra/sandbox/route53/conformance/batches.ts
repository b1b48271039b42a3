/** Batches: all or nothing, exact deletes, order, limits. What the compare-and-swap of an epoch record rests on. */
import assert from "node:assert/strict";
import { GetChangeCommand } from "@aws-sdk/client-route-53";
import {
  a,
  assertRefused,
  create,
  type Expectation,
  expectation,
  listed,
  refusal,
  remove,
  send,
  txt,
  upsert,
  values,
  weighted,
} from "./subject.ts";

const addresses = (count: number, third: number): string[] =>
  Array.from({ length: count }, (_, index) => `10.${third}.${index >> 8}.${index & 255}`);

export const batchExpectations: readonly Expectation[] = [
  expectation("an accepted batch is PENDING, has a change id, and is listed at once", async (place) => {
    const { ChangeInfo } = await send(place, create(a(place.name, "192.0.2.1")));
    assert.equal(ChangeInfo?.Status, "PENDING");
    assert.match(ChangeInfo?.Id ?? "", /^\/change\/[A-Z0-9]+$/);
    assert.ok(ChangeInfo?.SubmittedAt instanceof Date);
    assert.equal((await listed(place)).length, 1);
    const { ChangeInfo: again } = await place.client.send(new GetChangeCommand({ Id: ChangeInfo?.Id }));
    assert.equal(again?.Id, ChangeInfo?.Id);
    assert.match(again?.Status ?? "", /^(PENDING|INSYNC)$/);
  }),
  expectation("one refused change keeps the whole batch out", async (place) => {
    await send(place, create(a(place.name, "192.0.2.1")));
    await assertRefused(
      send(place, create(a(`x.${place.name}`, "192.0.2.2")), create(a(place.name, "192.0.2.3"))),
      "InvalidChangeBatch",
      /already exists/,
    );
    const after = await listed(place);
    assert.deepEqual(
      after.map((set) => [set.Name, set.ResourceRecords?.map(({ Value }) => Value)]),
      [[`${place.name}.`, ["192.0.2.1"]]],
    );
  }),
  expectation("CREATE of a record set that exists names it", async (place) => {
    await send(place, create(a(place.name, "192.0.2.1")));
    await assertRefused(
      send(place, create(a(place.name, "192.0.2.1"))),
      "InvalidChangeBatch",
      new RegExp(`Tried to create resource record set \\[name='${place.name}\\.', type='A'\\] but it already exists`),
    );
  }),
  expectation("CREATE of a member of a group that exists names its set identifier", async (place) => {
    await send(place, create(weighted(place.name, "eu", 1)));
    await assertRefused(
      send(place, create(weighted(place.name, "eu", 1))),
      "InvalidChangeBatch",
      new RegExp(`\\[name='${place.name}\\.', type='A', set identifier='eu'\\] but it already exists`),
    );
  }),
  expectation("DELETE of what isn't there says that it was not found", async (place) => {
    await assertRefused(
      send(place, remove(a(place.name, "192.0.2.1"))),
      "InvalidChangeBatch",
      new RegExp(`Tried to delete resource record set \\[name='${place.name}\\.', type='A'\\] but it was not found`),
    );
  }),
  expectation("DELETE with another set identifier says that it was not found", async (place) => {
    await send(place, create(weighted(place.name, "eu", 1)));
    await assertRefused(
      send(place, remove({ ...weighted(place.name, "eu", 1), SetIdentifier: "us" })),
      "InvalidChangeBatch",
      /set identifier='us'\] but it was not found/,
    );
  }),
  ...(
    [
      ["TTL", { TTL: 61 }],
      ["weight", { Weight: 2 }],
      ["value", { ResourceRecords: values("192.0.2.250") }],
      ["number of values", { ResourceRecords: values("192.0.2.7", "192.0.2.8") }],
    ] as const
  ).map(([what, other]) =>
    expectation(`DELETE with another ${what} does not match`, async (place) => {
      const set = { ...weighted(place.name, "eu", 1), ResourceRecords: values("192.0.2.7") };
      await send(place, create(set));
      await assertRefused(
        send(place, remove({ ...set, ...other })),
        "InvalidChangeBatch",
        new RegExp(
          `Tried to delete resource record set \\[name='${place.name}\\.', type='A', set identifier='eu'\\] but the values provided do not match the current values`,
        ),
      );
      assert.equal((await listed(place)).length, 1);
    }),
  ),
  expectation("DELETE takes the values in any order", async (place) => {
    await send(place, create(a(place.name, "192.0.2.1", "192.0.2.2", "192.0.2.3")));
    await send(place, remove(a(place.name, "192.0.2.3", "192.0.2.1", "192.0.2.2")));
    assert.deepEqual(await listed(place), []);
  }),
  expectation("DELETE and CREATE of one record set in one batch replace it: a compare-and-swap", async (place) => {
    const [old, next] = [txt(place.name, '"regent1 r=1"'), txt(place.name, '"regent1 r=2"')];
    await send(place, create(old));
    await send(place, remove(old), create(next));
    await assertRefused(
      send(place, remove(old), create(txt(place.name, '"regent1 r=9"'))),
      "InvalidChangeBatch",
      /do not match the current values/,
    );
    assert.deepEqual((await listed(place))[0]?.ResourceRecords, values('"regent1 r=2"'));
  }),
  expectation("a stale writer of an epoch record and a family is refused whole", async (place) => {
    const epoch = (revision: number) => txt(`_regent.${place.name}`, `"regent1 o=test t=1 r=${revision}"`);
    const family = (first: number) => [weighted(place.name, "eu", first), weighted(place.name, "us", 255 - first)];
    await send(place, create(epoch(1)), ...family(255).map(create));
    const write = (from: number, to: number, before: number, after: number) =>
      send(place, remove(epoch(from)), ...family(before).map(remove), create(epoch(to)), ...family(after).map(create));
    await write(1, 2, 255, 0);
    await assertRefused(write(1, 2, 255, 128), "InvalidChangeBatch", /do not match the current values/);
    assert.deepEqual(
      (await listed(place)).filter((set) => set.Type === "A").map((set) => set.Weight),
      [0, 255],
    );
  }),
  expectation("the same DELETE twice in a batch is refused", async (place) => {
    await send(place, create(a(place.name, "192.0.2.1")));
    const error = await refusal(send(place, remove(a(place.name, "192.0.2.1")), remove(a(place.name, "192.0.2.1"))));
    assert.equal(error.name, "InvalidChangeBatch");
    assert.equal((await listed(place)).length, 1);
  }),
  expectation("UPSERT makes what isn't there and replaces what is", async (place) => {
    await send(place, upsert(a(place.name, "192.0.2.1")));
    await send(place, upsert(a(place.name, "192.0.2.2")));
    assert.deepEqual((await listed(place))[0]?.ResourceRecords, values("192.0.2.2"));
  }),
  expectation("more than 1,000 values in a batch are refused", async (place) => {
    const sets = Array.from({ length: 11 }, (_, index) => a(`n${index}.${place.name}`, ...addresses(91, index)));
    await assertRefused(send(place, ...sets.map(create)), "InvalidChangeBatch", /Number of records limit of 1000 exceeded/);
  }),
  expectation("UPSERT counts its values twice: 501 are too many, and as CREATE they are not", async (place) => {
    const sets = Array.from({ length: 6 }, (_, index) =>
      a(`n${index}.${place.name}`, ...addresses(index === 5 ? 86 : 83, index)),
    );
    await assertRefused(send(place, ...sets.map(upsert)), "InvalidChangeBatch", /Number of records limit of 1000 exceeded/);
    await send(place, ...sets.map(create));
    assert.equal((await listed(place)).length, 6);
  }),
  expectation("more than 32,000 characters of values in a batch are refused", async (place) => {
    const long = Array.from({ length: 15 }, () => `"${"x".repeat(255)}"`).join(" ");
    const sets = Array.from({ length: 9 }, (_, index) => txt(`n${index}.${place.name}`, long));
    await assertRefused(send(place, ...sets.map(create)), "InvalidChangeBatch", /character limit of 32000 exceeded/);
  }),
];
