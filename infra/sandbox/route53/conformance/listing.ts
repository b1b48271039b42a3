/** Listing and looking up: order, pages, progress, things that aren't there. */
import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";
import {
  GetChangeCommand,
  type GetChangeCommandOutput,
  GetHostedZoneCommand,
  ListResourceRecordSetsCommand,
} from "@aws-sdk/client-route-53";
import { apiReference } from "./sources.ts";
import {
  a,
  assertRefused,
  create,
  type ExpectationGroup,
  expectation,
  list,
  listed,
  nextPage,
  send,
  txt,
  weighted,
} from "./subject.ts";

const pages = (says: string, beyond?: string) =>
  apiReference("ListResourceRecordSets", {
    section: "Displaying the next page of results",
    says,
    ...(beyond === undefined ? {} : { beyond }),
  });
const startAt = (says: string, beyond?: string) =>
  apiReference("ListResourceRecordSets", {
    section: "Specifying where to start listing records",
    says,
    ...(beyond === undefined ? {} : { beyond }),
  });
const noSuch = (operation: string, code: string) =>
  apiReference(operation, { section: `Errors, ${code}`, says: "the error for an id that doesn't exist, with HTTP status 404" });

/** AWS: changes generally arrive within 60 seconds. Twice that, and a little. */
const IN_SYNC_MS = 150_000;

export const listingExpectations: ExpectationGroup = {
  title: "Listing, pages and progress",
  expectations: [
    expectation(
      {
        title: "record sets are listed by labels from the right with a dot after each, then type, then set identifier",
        why: "a service, its members and its epoch record are read in one page, and a name is whole when the page moves on",
        source: apiReference("ListResourceRecordSets", {
          section: "Sort order",
          says: "by name with the labels reversed and a trailing dot, which counts (so a-b comes before a), then by type",
          beyond: "the order of set identifiers, and that * sorts as itself and not as its escape, are assumed",
        }),
      },
      async (place) => {
        const { name } = place;
        await send(
          place,
          create(a(`b.${name}`, "192.0.2.1")),
          create(txt(`_regent.${name}`, '"x"')),
          create(a(`z.a.${name}`, "192.0.2.1")),
          create(a(`a.${name}`, "192.0.2.1")),
          create(a(`a-b.${name}`, "192.0.2.1")),
          create(weighted(name, "us", 1)),
          create(weighted(name, "eu", 1)),
          create(txt(name, '"x"')),
          create(a(`0.${name}`, "192.0.2.1")),
          create(a(`*.${name}`, "192.0.2.1")),
        );
        assert.deepEqual(
          (await listed(place)).map((set) => [set.Name?.replace(`${name}.`, ""), set.Type, set.SetIdentifier]),
          [
            ["", "A", "eu"],
            ["", "A", "us"],
            ["", "TXT", undefined],
            ["\\052.", "A", undefined],
            ["0.", "A", undefined],
            ["_regent.", "TXT", undefined],
            ["a-b.", "A", undefined],
            ["a.", "A", undefined],
            ["z.a.", "A", undefined],
            ["b.", "A", undefined],
          ],
        );
      },
    ),
    expectation(
      {
        title: "pages join into the whole, and each says where the next one starts",
        why: "a family may lie across pages",
        source: pages(
          "a truncated page gives NextRecordName, NextRecordType and NextRecordIdentifier, to be sent as the next start",
        ),
      },
      async (place) => {
        await send(place, ...["a", "b", "c", "d", "e"].map((id) => create(weighted(place.name, id, 1))));
        const seen: (string | undefined)[] = [];
        let start: Parameters<typeof list>[1] = { StartRecordName: place.name };
        for (let page = 0; page < 3; page++) {
          const answer = await list(place, { ...start, MaxItems: 2 });
          seen.push(
            ...(answer.ResourceRecordSets ?? []).filter((set) => set.Name === `${place.name}.`).map((set) => set.SetIdentifier),
          );
          assert.equal(answer.MaxItems, 2);
          if (page === 2) break;
          assert.equal(answer.IsTruncated, true);
          assert.equal(answer.NextRecordType, "A");
          assert.ok(answer.NextRecordName && answer.NextRecordIdentifier);
          start = nextPage(answer);
        }
        assert.deepEqual(seen, ["a", "b", "c", "d", "e"]);
      },
    ),
    expectation(
      {
        title: "a page holds at most 300 record sets, whatever is asked for",
        why: "reads are counted in pages",
        source: apiReference("ListResourceRecordSets", {
          section: "Description",
          says: "up to 300 record sets at a time",
          beyond: "that a greater MaxItems is cut and not refused is assumed",
        }),
      },
      async (place) => {
        const sets = Array.from({ length: 301 }, (_, index) =>
          a(`n${String(index).padStart(3, "0")}.${place.name}`, "192.0.2.1"),
        );
        await send(place, ...sets.map(create));
        const page = await list(place, { StartRecordName: place.name, MaxItems: 400 });
        assert.equal(page.ResourceRecordSets?.length, 300);
        assert.equal(page.IsTruncated, true);
        assert.equal(page.NextRecordName, `n300.${place.name}.`);
        assert.equal((await listed(place)).length, 301);
      },
    ),
    expectation(
      {
        title: "a listing may start at a name that isn't there",
        why: "a service's name is read before it exists",
        source: startAt("it begins with the first record set whose name is greater than or equal to the name"),
      },
      async (place) => {
        await send(place, create(a(`b.${place.name}`, "192.0.2.1")));
        const { ResourceRecordSets } = await list(place, { StartRecordName: `a.${place.name}`, MaxItems: 1 });
        assert.equal(ResourceRecordSets?.[0]?.Name, `b.${place.name}.`);
      },
    ),
    expectation(
      {
        title: "a listing may start at a name and type, and at a wildcard in either spelling",
        why: "a page goes on in the middle of a name",
        source: startAt(
          "with name and type it begins at or after both",
          "that a start may be spelled * or \\052 follows from DNS domain name format",
        ),
      },
      async (place) => {
        await send(place, create(a(`*.${place.name}`, "192.0.2.1")), create(txt(`*.${place.name}`, '"x"')));
        for (const spelling of ["*", "\\052"]) {
          const page = await list(place, { StartRecordName: `${spelling}.${place.name}`, StartRecordType: "TXT", MaxItems: 1 });
          assert.deepEqual(
            [page.ResourceRecordSets?.[0]?.Name, page.ResourceRecordSets?.[0]?.Type],
            [`\\052.${place.name}.`, "TXT"],
          );
        }
      },
    ),
    expectation(
      {
        title: "a start type without a start name is InvalidInput",
        why: "a mistake in paging is an error, not another page",
        source: startAt("a type without a name returns InvalidInput"),
      },
      async ({ client, zoneId }) => {
        await assertRefused(
          client.send(new ListResourceRecordSetsCommand({ HostedZoneId: zoneId, StartRecordType: "A" })),
          "InvalidInput",
          /./,
        );
      },
    ),
    expectation(
      {
        title: "an accepted batch is PENDING, has a change id, and is INSYNC in the end",
        why: "verification begins with it",
        source: apiReference("GetChange", {
          section: "Description",
          says: "PENDING is the initial state of every batch, INSYNC says that all Route 53 DNS servers of the zone have it",
          beyond: "the form of the id was seen in aws/aws-sdk-go-v2#1838",
        }),
      },
      async (place) => {
        const { ChangeInfo } = await send(place, create(a(place.name, "192.0.2.1")));
        assert.equal(ChangeInfo?.Status, "PENDING");
        assert.match(ChangeInfo?.Id ?? "", /^\/change\/[A-Z0-9]+$/);
        assert.ok(ChangeInfo?.SubmittedAt instanceof Date);
        const deadline = performance.now() + IN_SYNC_MS;
        for (;;) {
          const progress: GetChangeCommandOutput = await place.client.send(new GetChangeCommand({ Id: ChangeInfo?.Id }));
          assert.equal(progress.ChangeInfo?.Id, ChangeInfo?.Id);
          if (progress.ChangeInfo?.Status === "INSYNC") return;
          assert.equal(progress.ChangeInfo?.Status, "PENDING");
          assert.ok(performance.now() < deadline, "still PENDING");
          await pause(2_000);
        }
      },
    ),
    expectation(
      {
        title: "a change that isn't there is NoSuchChange",
        why: "an accepted batch that Route 53 lost is found by it",
        source: noSuch("GetChange", "NoSuchChange"),
      },
      async ({ client }) => {
        await assertRefused(client.send(new GetChangeCommand({ Id: "C0000000000000000000X" })), "NoSuchChange", /./);
      },
    ),
    expectation(
      {
        title: "a zone that isn't there is NoSuchHostedZone for every operation",
        why: "a wrong zone id is told from a lack of rights",
        source: noSuch("ChangeResourceRecordSets", "NoSuchHostedZone"),
      },
      async ({ client, name }) => {
        const Id = "Z0000000000000000000X";
        await assertRefused(client.send(new GetHostedZoneCommand({ Id })), "NoSuchHostedZone", /./);
        await assertRefused(list({ client, zoneId: Id }, {}), "NoSuchHostedZone", /./);
        await assertRefused(send({ client, zoneId: Id }, create(a(name, "192.0.2.1"))), "NoSuchHostedZone", /./);
      },
    ),
    expectation(
      {
        title: "the zone names its servers",
        why: "they are asked one by one whether a change is visible",
        source: apiReference("GetHostedZone", {
          section: "Description",
          says: "information about the zone, with the four name servers assigned to it",
        }),
      },
      async ({ client, zoneId, zoneName }) => {
        const { HostedZone, DelegationSet } = await client.send(new GetHostedZoneCommand({ Id: zoneId }));
        assert.equal(HostedZone?.Id, `/hostedzone/${zoneId}`);
        assert.equal(HostedZone?.Name, `${zoneName}.`);
        assert.equal(DelegationSet?.NameServers?.length, 4);
      },
    ),
  ],
};
