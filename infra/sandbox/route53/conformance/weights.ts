/** Weighted groups: ranges, keys, one TTL, no other policy beside them. */
import assert from "node:assert/strict";
import { apiReference, developerGuide, undocumented } from "./sources.ts";
import {
  a,
  assertRefused,
  create,
  type ExpectationGroup,
  expectation,
  listed,
  refusal,
  remove,
  send,
  upsert,
  values,
  weighted,
} from "./subject.ts";

const weightRange = apiReference("ResourceRecordSet", {
  section: "Weight",
  says: "a weight is a whole number from 0 to 255",
  beyond: "the range was read in AWS's service model; the code InvalidInput is what the model's ranges give elsewhere",
});

export const weightExpectations: ExpectationGroup = {
  title: "Weighted groups",
  expectations: [
    expectation(
      {
        title: "weights 0 and 255 are taken, and listed as they were given",
        why: "0 is a drained region, 255 all of the traffic",
        source: weightRange,
      },
      async (place) => {
        await send(place, create(weighted(place.name, "eu", 0)), create(weighted(place.name, "us", 255)));
        assert.deepEqual(
          (await listed(place)).map((set) => [set.SetIdentifier, set.Weight]),
          [
            ["eu", 0],
            ["us", 255],
          ],
        );
      },
    ),
    expectation(
      { title: "weight 256 is InvalidInput", why: "shares are made into whole numbers up to 255", source: weightRange },
      async (place) => {
        await assertRefused(send(place, create(weighted(place.name, "eu", 256))), "InvalidInput", /256/);
      },
    ),
    expectation(
      {
        title: "a weight without set identifier is InvalidInput",
        why: "every member has an identifier: the region's",
        source: apiReference("ResourceRecordSet", {
          section: "SetIdentifier",
          says: "record sets with a routing policy other than simple carry one, unique in the group",
          beyond: "the message was seen in boto/boto3#2240",
        }),
      },
      async (place) => {
        await assertRefused(send(place, create({ ...a(place.name, "192.0.2.1"), Weight: 1 })), "InvalidInput", /SetIdentifier/);
      },
    ),
    expectation(
      {
        title: "a set identifier without policy is InvalidInput",
        why: "a simple record that is adopted loses nothing",
        source: undocumented("hashicorp/terraform-provider-aws#19778: such a record was refused"),
      },
      async (place) => {
        await assertRefused(
          send(place, create({ ...a(place.name, "192.0.2.1"), SetIdentifier: "eu" })),
          "InvalidInput",
          /Expected exactly one of/,
        );
      },
    ),
    expectation(
      {
        title: "a set identifier of 128 characters is taken, one of 129 is InvalidInput",
        why: "region names are shorter; a foreign member's needn't be",
        source: apiReference("ResourceRecordSet", {
          section: "SetIdentifier",
          says: "it has 1 to 128 characters",
          beyond: "the range was read in AWS's service model",
        }),
      },
      async (place) => {
        await send(place, create(weighted(place.name, "e".repeat(128), 1)));
        assert.equal((await refusal(send(place, create(weighted(place.name, "e".repeat(129), 1))))).name, "InvalidInput");
      },
    ),
    expectation(
      {
        title: "a member may hold several values",
        why: "a region may have several addresses",
        source: developerGuide("Values specific for weighted records", {
          section: "Value/Route traffic to",
          says: "for all types except CNAME more than one value may be entered",
          beyond:
            "the API Reference (ResourceRecordSet, Weight) says the opposite, one ResourceRecord for each weighted record set; two were taken in hashicorp/terraform-provider-aws#20006",
        }),
      },
      async (place) => {
        const set = { ...weighted(place.name, "eu", 1), ResourceRecords: values("192.0.2.1", "192.0.2.2") };
        await send(place, create(set));
        assert.deepEqual(
          new Set((await listed(place))[0]?.ResourceRecords?.map(({ Value }) => Value)),
          new Set(["192.0.2.1", "192.0.2.2"]),
        );
      },
    ),
    expectation(
      {
        title: "a simple record set is refused beside weighted ones",
        why: "adoption must take the old record away in the same batch",
        source: undocumented("chef-boneyard/route53#100 shows the message"),
      },
      async (place) => {
        await send(place, create(weighted(place.name, "eu", 1)));
        await assertRefused(
          send(place, create(a(place.name, "192.0.2.1"))),
          "InvalidChangeBatch",
          /cannot be created as other RRSets exist with the same name and type/,
        );
      },
    ),
    expectation(
      {
        title: "a weighted record set is refused beside a simple one",
        why: "as above",
        source: undocumented("kubernetes-sigs/external-dns#3141 shows the message"),
      },
      async (place) => {
        await send(place, create(a(place.name, "192.0.2.1")));
        await assertRefused(
          send(place, create(weighted(place.name, "eu", 1))),
          "InvalidChangeBatch",
          /cannot be created as a non-weighted set exists with the same name and type/,
        );
      },
    ),
    expectation(
      {
        title: "a weighted record set is refused beside one of latency",
        why: "a name under another policy is not taken over by accident",
        source: apiReference("ResourceRecordSet", {
          section: "Weight",
          says: "latency, failover and geolocation record sets can't have name and type of weighted ones",
          beyond: "the message was seen in kubernetes-sigs/external-dns#4345",
        }),
      },
      async (place) => {
        await send(place, create({ ...a(place.name, "192.0.2.1"), SetIdentifier: "eu", Region: "eu-west-1" }));
        await assertRefused(
          send(place, create(weighted(place.name, "us", 1))),
          "InvalidChangeBatch",
          /cannot be created as a non-weighted set exists with the same name and type/,
        );
      },
    ),
    expectation(
      {
        title: "simple becomes weighted in one batch of DELETE and CREATE",
        why: "adoption of a plain name leaves no moment without an answer",
        source: undocumented("kubernetes-sigs/external-dns#1411: it passed with the DELETE first"),
      },
      async (place) => {
        await send(place, create(a(place.name, "192.0.2.1")));
        await send(
          place,
          remove(a(place.name, "192.0.2.1")),
          create(weighted(place.name, "eu", 1)),
          create(weighted(place.name, "us", 0)),
        );
        assert.equal((await listed(place)).length, 2);
      },
    ),
    expectation(
      {
        title: "a weighted group has one TTL: another one becomes everybody's, or is refused",
        why: "Regent writes all members with one TTL and reads a changed one as drift of all",
        source: developerGuide("Values specific for weighted records", {
          section: "TTL (seconds), Note",
          says: "with different TTLs, Route 53 changes the TTL of all of them to the last value",
          beyond: "a refusal («must contain the same TTL») was seen instead in aws/aws-sdk-go-v2#518, so both pass here",
        }),
      },
      async (place) => {
        await send(place, create(weighted(place.name, "eu", 1)), create(weighted(place.name, "us", 1)));
        try {
          await send(place, upsert({ ...weighted(place.name, "eu", 1), TTL: 30 }));
        } catch (error) {
          assert.match((error as Error).message, /weighted sets must contain the same TTL/);
        }
        assert.equal(new Set((await listed(place)).map((set) => set.TTL)).size, 1);
      },
    ),
    expectation(
      {
        title: "all members may change their TTL in one batch of DELETE and CREATE",
        why: "a TTL that is declared anew is written so",
        source: undocumented("follows from all or nothing; hashicorp/terraform#5312 shows that one after another doesn't work"),
      },
      async (place) => {
        const members = [weighted(place.name, "eu", 1), weighted(place.name, "us", 1)];
        await send(place, ...members.map(create));
        await send(place, ...members.map(remove), ...members.map((set) => create({ ...set, TTL: 30 })));
        assert.deepEqual(
          (await listed(place)).map((set) => set.TTL),
          [30, 30],
        );
      },
    ),
    expectation(
      {
        title: "100 members of a weighted group are taken, 101 are refused",
        why: "a family can't have more regions than that",
        source: apiReference("ResourceRecordSet", {
          section: "Weight",
          says: "at most 100 weighted record sets have the same name and type",
          beyond: "the message was seen in airbnb/zonify#16",
        }),
      },
      async (place) => {
        const members = Array.from({ length: 101 }, (_, index) => weighted(place.name, `m${index}`, 1));
        await assertRefused(
          send(place, ...members.map(create)),
          "InvalidChangeBatch",
          /Exceeded limit on number of weighted RRSets/,
        );
        await send(place, ...members.slice(0, 100).map(create));
        assert.equal((await listed(place)).length, 100);
      },
    ),
  ],
};
