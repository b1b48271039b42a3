/** Which record sets may stand beside each other: weighted groups, CNAME, apex, aliases. */
import assert from "node:assert/strict";
import type { ResourceRecordSet } from "@aws-sdk/client-route-53";
import {
  a,
  assertRefused,
  cname,
  create,
  type Expectation,
  expectation,
  listed,
  type Place,
  refusal,
  remove,
  send,
  txt,
  upsert,
  weighted,
} from "./subject.ts";

const alias = (place: Place, name: string, target: string, type: "A" | "AAAA" = "A"): ResourceRecordSet => ({
  Name: name,
  Type: type,
  AliasTarget: { HostedZoneId: place.zoneId, DNSName: target, EvaluateTargetHealth: true },
});

export const policyExpectations: readonly Expectation[] = [
  expectation("weights 0 and 255 are taken, and listed as they were given", async (place) => {
    await send(place, create(weighted(place.name, "eu", 0)), create(weighted(place.name, "us", 255)));
    assert.deepEqual(
      (await listed(place)).map((set) => [set.SetIdentifier, set.Weight]),
      [
        ["eu", 0],
        ["us", 255],
      ],
    );
  }),
  expectation("weight 256 is InvalidInput", async (place) => {
    await assertRefused(send(place, create(weighted(place.name, "eu", 256))), "InvalidInput", /256/);
  }),
  expectation("a weight without set identifier is InvalidInput", async (place) => {
    await assertRefused(send(place, create({ ...a(place.name, "192.0.2.1"), Weight: 1 })), "InvalidInput", /SetIdentifier/);
  }),
  expectation("a set identifier without policy is InvalidInput", async (place) => {
    await assertRefused(
      send(place, create({ ...a(place.name, "192.0.2.1"), SetIdentifier: "eu" })),
      "InvalidInput",
      /Expected exactly one of/,
    );
  }),
  expectation("a set identifier of 128 characters is taken, one of 129 is InvalidInput", async (place) => {
    await send(place, create(weighted(place.name, "e".repeat(128), 1)));
    assert.equal((await refusal(send(place, create(weighted(place.name, "e".repeat(129), 1))))).name, "InvalidInput");
  }),
  expectation("a simple record set is refused beside weighted ones", async (place) => {
    await send(place, create(weighted(place.name, "eu", 1)));
    await assertRefused(
      send(place, create(a(place.name, "192.0.2.1"))),
      "InvalidChangeBatch",
      /cannot be created as other RRSets exist with the same name and type/,
    );
  }),
  expectation("a weighted record set is refused beside a simple one", async (place) => {
    await send(place, create(a(place.name, "192.0.2.1")));
    await assertRefused(
      send(place, create(weighted(place.name, "eu", 1))),
      "InvalidChangeBatch",
      /cannot be created as a non-weighted set exists with the same name and type/,
    );
  }),
  expectation("simple becomes weighted in one batch of DELETE and CREATE", async (place) => {
    await send(place, create(a(place.name, "192.0.2.1")));
    await send(
      place,
      remove(a(place.name, "192.0.2.1")),
      create(weighted(place.name, "eu", 1)),
      create(weighted(place.name, "us", 0)),
    );
    assert.equal((await listed(place)).length, 2);
  }),
  expectation("a weighted group has one TTL: another one is refused, or becomes everybody's", async (place) => {
    await send(place, create(weighted(place.name, "eu", 1)), create(weighted(place.name, "us", 1)));
    try {
      await send(place, upsert({ ...weighted(place.name, "eu", 1), TTL: 30 }));
    } catch (error) {
      assert.match((error as Error).message, /weighted sets must contain the same TTL/);
    }
    assert.equal(new Set((await listed(place)).map((set) => set.TTL)).size, 1);
  }),
  expectation("more than 100 members of a weighted group are refused", async (place) => {
    const members = Array.from({ length: 101 }, (_, index) => weighted(place.name, `m${index}`, 1));
    assert.equal((await refusal(send(place, ...members.map(create)))).name, "InvalidChangeBatch");
    await send(place, ...members.slice(0, 100).map(create));
    assert.equal((await listed(place)).length, 100);
  }),
  expectation("nothing else stands beside a CNAME", async (place) => {
    await send(place, create(cname(place.name, "example.net")));
    await assertRefused(send(place, create(txt(place.name, '"x"'))), "InvalidChangeBatch", /conflicting RRSet of type\s+CNAME/);
  }),
  expectation("a CNAME doesn't join others", async (place) => {
    await send(place, create(txt(place.name, '"x"')));
    await assertRefused(
      send(place, create(cname(place.name, "example.net"))),
      "InvalidChangeBatch",
      /conflicts with other records with the same DNS name/,
    );
  }),
  expectation("a CNAME's own epoch record stands at another label", async (place) => {
    await send(place, create(cname(place.name, "example.net")), create(txt(`_regent.${place.name}`, '"regent1"')));
    assert.equal((await listed(place)).length, 2);
  }),
  expectation("a batch is applied in order: a CNAME before the DELETE that makes room is refused", async (place) => {
    await send(place, create(a(place.name, "192.0.2.1")));
    const error = await refusal(send(place, create(cname(place.name, "example.net")), remove(a(place.name, "192.0.2.1"))));
    assert.equal(error.name, "InvalidChangeBatch");
    await send(place, remove(a(place.name, "192.0.2.1")), create(cname(place.name, "example.net")));
    assert.equal((await listed(place))[0]?.Type, "CNAME");
  }),
  expectation("a CNAME at the apex is refused", async (place) => {
    assert.equal((await refusal(send(place, create(cname(place.zoneName, "example.net"))))).name, "InvalidChangeBatch");
  }),
  expectation("a name outside the zone is refused", async (place) => {
    await assertRefused(
      send(place, create(a("elsewhere.invalid", "192.0.2.1"))),
      "InvalidChangeBatch",
      /is not permitted in zone/,
    );
  }),
  expectation("an alias to a record set of the same type in the zone is taken and listed without TTL", async (place) => {
    await send(place, create(a(`target.${place.name}`, "192.0.2.1")));
    await send(place, create(alias(place, place.name, `target.${place.name}`)));
    const found = (await listed(place)).find((set) => set.AliasTarget);
    assert.deepEqual(found?.AliasTarget, {
      HostedZoneId: place.zoneId,
      DNSName: `target.${place.name}.`,
      EvaluateTargetHealth: true,
    });
    assert.equal(found?.TTL, undefined);
  }),
  expectation("an alias to what isn't there, or to another type, is refused", async (place) => {
    await send(place, create(a(`target.${place.name}`, "192.0.2.1")));
    await assertRefused(
      send(place, create(alias(place, place.name, `nobody.${place.name}`))),
      "InvalidChangeBatch",
      /Tried to create an alias that targets .* but that target was not found/,
    );
    await assertRefused(
      send(place, create(alias(place, place.name, `target.${place.name}`, "AAAA"))),
      "InvalidChangeBatch",
      /but that target was not found/,
    );
  }),
  expectation("DELETE of an alias must repeat EvaluateTargetHealth", async (place) => {
    await send(place, create(a(`target.${place.name}`, "192.0.2.1")));
    const set = alias(place, place.name, `target.${place.name}`);
    await send(place, create(set));
    const other = { ...set, AliasTarget: { ...set.AliasTarget!, EvaluateTargetHealth: false } };
    await assertRefused(send(place, remove(other)), "InvalidChangeBatch", /do not match the current values/);
  }),
  expectation("an alias with a TTL is InvalidInput", async (place) => {
    await send(place, create(a(`target.${place.name}`, "192.0.2.1")));
    await assertRefused(
      send(place, create({ ...alias(place, place.name, `target.${place.name}`), TTL: 60 })),
      "InvalidInput",
      /AliasTarget/,
    );
  }),
];
