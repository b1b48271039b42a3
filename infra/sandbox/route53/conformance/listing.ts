/** Listing and looking up: order, paging, things that aren't there. */
import assert from "node:assert/strict";
import {
  GetChangeCommand,
  GetHostedZoneCommand,
  ListHostedZonesByNameCommand,
  ListHostedZonesCommand,
  ListResourceRecordSetsCommand,
} from "@aws-sdk/client-route-53";
import { a, assertRefused, create, type Expectation, expectation, listed, send, txt, weighted } from "./subject.ts";

export const listingExpectations: readonly Expectation[] = [
  expectation("record sets are listed by labels from the right, then type, then set identifier", async (place) => {
    const { name } = place;
    await send(
      place,
      create(a(`b.${name}`, "192.0.2.1")),
      create(txt(`_regent.${name}`, '"x"')),
      create(a(`z.a.${name}`, "192.0.2.1")),
      create(a(`a.${name}`, "192.0.2.1")),
      create(weighted(name, "us", 1)),
      create(weighted(name, "eu", 1)),
      create(txt(name, '"x"')),
      create(a(`*.${name}`, "192.0.2.1")),
    );
    assert.deepEqual(
      (await listed(place)).map((set) => [set.Name?.replace(`${name}.`, ""), set.Type, set.SetIdentifier]),
      [
        ["", "A", "eu"],
        ["", "A", "us"],
        ["", "TXT", undefined],
        ["\\052.", "A", undefined],
        ["_regent.", "TXT", undefined],
        ["a.", "A", undefined],
        ["z.a.", "A", undefined],
        ["b.", "A", undefined],
      ],
    );
  }),
  expectation("pages join into the whole, and each says where the next one starts", async (place) => {
    const { client, zoneId, name } = place;
    await send(place, ...["a", "b", "c", "d", "e"].map((id) => create(weighted(name, id, 1))));
    const seen: (string | undefined)[] = [];
    let start: { StartRecordName?: string; StartRecordType?: "A"; StartRecordIdentifier?: string } = { StartRecordName: name };
    for (let pages = 0; pages < 3 && seen.length < 5; pages++) {
      const page = await client.send(new ListResourceRecordSetsCommand({ HostedZoneId: zoneId, MaxItems: 2, ...start }));
      const here = page.ResourceRecordSets?.filter((set) => set.Name === `${name}.`) ?? [];
      seen.push(...here.map((set) => set.SetIdentifier));
      assert.equal(page.MaxItems, 2);
      if (pages < 2) {
        assert.equal(page.IsTruncated, true);
        assert.equal(page.NextRecordType, "A");
        assert.ok(page.NextRecordName && page.NextRecordIdentifier);
        start = { StartRecordName: page.NextRecordName, StartRecordType: "A", StartRecordIdentifier: page.NextRecordIdentifier };
      }
    }
    assert.deepEqual(seen, ["a", "b", "c", "d", "e"]);
  }),
  expectation("a listing may start at a name that isn't there", async (place) => {
    await send(place, create(a(`b.${place.name}`, "192.0.2.1")));
    const { ResourceRecordSets } = await place.client.send(
      new ListResourceRecordSetsCommand({ HostedZoneId: place.zoneId, StartRecordName: `a.${place.name}`, MaxItems: 1 }),
    );
    assert.equal(ResourceRecordSets?.[0]?.Name, `b.${place.name}.`);
  }),
  expectation("a start type without a start name is InvalidInput", async ({ client, zoneId }) => {
    await assertRefused(
      client.send(new ListResourceRecordSetsCommand({ HostedZoneId: zoneId, StartRecordType: "A" })),
      "InvalidInput",
      /./,
    );
  }),
  expectation("a zone that isn't there is NoSuchHostedZone for every operation", async ({ client }) => {
    const Id = "Z0000000000000000000X";
    await assertRefused(client.send(new GetHostedZoneCommand({ Id })), "NoSuchHostedZone", /./);
    await assertRefused(client.send(new ListResourceRecordSetsCommand({ HostedZoneId: Id })), "NoSuchHostedZone", /./);
    await assertRefused(send({ client, zoneId: Id, zoneName: "x" }, create(a("x", "192.0.2.1"))), "NoSuchHostedZone", /./);
  }),
  expectation("a change that isn't there is NoSuchChange", async ({ client }) => {
    await assertRefused(client.send(new GetChangeCommand({ Id: "C0000000000000000000X" })), "NoSuchChange", /./);
  }),
  expectation("the zone is found by id, in the list, and by name; it names its servers", async ({ client, zoneId, zoneName }) => {
    const { HostedZone, DelegationSet } = await client.send(new GetHostedZoneCommand({ Id: zoneId }));
    assert.equal(HostedZone?.Id, `/hostedzone/${zoneId}`);
    assert.equal(HostedZone?.Name, `${zoneName}.`);
    assert.ok((DelegationSet?.NameServers?.length ?? 0) >= 1);
    const byName = await client.send(new ListHostedZonesByNameCommand({ DNSName: zoneName, MaxItems: 1 }));
    assert.equal(byName.HostedZones?.[0]?.Name, `${zoneName}.`);
    const { HostedZones = [] } = await client.send(new ListHostedZonesCommand({}));
    assert.ok(HostedZones.some((zone) => zone.Id === `/hostedzone/${zoneId}`));
  }),
];
