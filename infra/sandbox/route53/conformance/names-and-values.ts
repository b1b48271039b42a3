/** Names, values and what the apex must keep. */
import assert from "node:assert/strict";
import { ListResourceRecordSetsCommand } from "@aws-sdk/client-route-53";
import {
  a,
  assertRefused,
  create,
  type Expectation,
  expectation,
  listed,
  type Place,
  remove,
  send,
  txt,
  values,
} from "./subject.ts";

const apexSets = async ({ client, zoneId, zoneName }: Place) => {
  const { ResourceRecordSets = [] } = await client.send(
    new ListResourceRecordSetsCommand({ HostedZoneId: zoneId, StartRecordName: zoneName, MaxItems: 10 }),
  );
  return ResourceRecordSets.filter((set) => set.Name === `${zoneName}.`);
};

export const nameAndValueExpectations: readonly Expectation[] = [
  expectation("names are listed in lower case with their last dot", async (place) => {
    await send(place, create(a(`WwW.${place.name}`, "192.0.2.1")));
    assert.deepEqual(
      (await listed(place)).map((set) => set.Name),
      [`www.${place.name}.`],
    );
  }),
  expectation("an asterisk is listed as \\052, and can be deleted by either spelling", async (place) => {
    await send(place, create(a(`*.${place.name}`, "192.0.2.1")));
    assert.deepEqual(
      (await listed(place)).map((set) => set.Name),
      [`\\052.${place.name}.`],
    );
    await send(place, remove(a(`\\052.${place.name}`, "192.0.2.1")));
    assert.deepEqual(await listed(place), []);
  }),
  expectation("an empty label is refused by its name", async (place) => {
    await assertRefused(send(place, create(a(`x..${place.name}`, "192.0.2.1"))), "InvalidChangeBatch", /DomainLabelEmpty/);
  }),
  expectation("a label of 64 bytes is refused by its name", async (place) => {
    await assertRefused(
      send(place, create(a(`${"x".repeat(64)}.${place.name}`, "192.0.2.1"))),
      "InvalidChangeBatch",
      /DomainLabelTooLong/,
    );
  }),
  expectation("a TXT value without quotation marks is refused", async (place) => {
    await assertRefused(
      send(place, create(txt(place.name, "bare"))),
      "InvalidChangeBatch",
      /Value should be enclosed in quotation marks/,
    );
  }),
  expectation("a TXT string of 255 bytes is taken, one of 256 is refused, two of 255 are taken", async (place) => {
    await send(place, create(txt(`a.${place.name}`, `"${"x".repeat(255)}"`)));
    await assertRefused(
      send(place, create(txt(`b.${place.name}`, `"${"x".repeat(256)}"`))),
      "InvalidChangeBatch",
      /CharacterStringTooLong/,
    );
    await send(place, create(txt(`b.${place.name}`, `"${"x".repeat(255)}" "${"y".repeat(255)}"`)));
  }),
  expectation("a TXT value is listed as it was given, markup and all", async (place) => {
    const value = '"a <b> & \\"c\\" \\101 = d"';
    await send(place, create(txt(place.name, value)));
    assert.deepEqual((await listed(place))[0]?.ResourceRecords, values(value));
  }),
  expectation("an A value that isn't an IPv4 address is refused", async (place) => {
    await assertRefused(send(place, create(a(place.name, "192.0.2.256"))), "InvalidChangeBatch", /ARRDATAIllegalIPv4Address/);
  }),
  expectation("an AAAA value that isn't an IPv6 address is refused", async (place) => {
    await assertRefused(
      send(place, create({ Name: place.name, Type: "AAAA", TTL: 60, ResourceRecords: values("192.0.2.1") })),
      "InvalidChangeBatch",
      /AAAARRDATAIllegalIPv6Address/,
    );
  }),
  expectation("a record set without TTL and without alias is InvalidInput", async (place) => {
    await assertRefused(
      send(place, create({ Name: place.name, Type: "A", ResourceRecords: values("192.0.2.1") })),
      "InvalidInput",
      /TTL/,
    );
  }),
  expectation("the apex keeps its SOA and NS records", async (place) => {
    const apex = await apexSets(place);
    const soa = apex.find((set) => set.Type === "SOA");
    const ns = apex.find((set) => set.Type === "NS");
    assert.ok(soa && ns);
    await assertRefused(send(place, remove(soa)), "InvalidChangeBatch", /must contain exactly one SOA record/);
    await assertRefused(send(place, remove(ns)), "InvalidChangeBatch", /must contain at least one NS record/);
  }),
];
