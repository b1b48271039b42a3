/** Which record sets may stand beside each other: CNAME, apex, aliases. */
import assert from "node:assert/strict";
import { apiReference, deleteMustMatch, developerGuide, undocumented } from "./sources.ts";
import {
  a,
  alias,
  assertRefused,
  cname,
  create,
  type ExpectationGroup,
  expectation,
  list,
  listed,
  refusal,
  remove,
  send,
  txt,
} from "./subject.ts";

const OUTSIDE = "a live run touches no name outside its label";

const cnameAlone = (seen: string) =>
  developerGuide("Supported DNS record types", {
    section: "CNAME record type",
    says: "beside a CNAME no other record can be created for that name",
    beyond: `the message was seen in ${seen}`,
  });

export const coexistenceExpectations: ExpectationGroup = {
  title: "CNAME, apex and aliases",
  expectations: [
    expectation(
      {
        title: "nothing else stands beside a CNAME",
        why: "so the epoch record has a label of its own",
        source: cnameAlone("boto/boto3#1475"),
      },
      async (place) => {
        await send(place, create(cname(place.name, "example.net")));
        await assertRefused(
          send(place, create(txt(place.name, '"x"'))),
          "InvalidChangeBatch",
          /conflicting RRSet of type\s+CNAME/,
        );
      },
    ),
    expectation(
      { title: "a CNAME doesn't join others", why: "as above", source: cnameAlone("aws/aws-sdk-java#1996") },
      async (place) => {
        await send(place, create(txt(place.name, '"x"')));
        await assertRefused(
          send(place, create(cname(place.name, "example.net"))),
          "InvalidChangeBatch",
          /conflicts with other records with the same DNS name/,
        );
      },
    ),
    expectation(
      {
        title: "CNAME members and their epoch record at another label go out in one batch",
        why: "CNAME services are fenced like all others",
        source: undocumented("follows from the two above"),
      },
      async (place) => {
        const member = (id: string, Weight: number) => ({ ...cname(place.name, `${id}.example.net`), SetIdentifier: id, Weight });
        await send(place, create(member("eu", 255)), create(member("us", 0)), create(txt(`_regent.${place.name}`, '"regent1"')));
        assert.equal((await listed(place)).length, 3);
      },
    ),
    expectation(
      {
        title: "a CNAME at the apex is refused",
        why: "an apex service is declared with addresses",
        source: developerGuide("Supported DNS record types", {
          section: "CNAME record type",
          says: "a CNAME can't be created for the zone apex",
        }),
        sandboxOnly: OUTSIDE,
      },
      async (place) => {
        assert.equal((await refusal(send(place, create(cname(place.zoneName, "example.net"))))).name, "InvalidChangeBatch");
      },
    ),
    expectation(
      {
        title: "the apex keeps its SOA and NS records",
        why: "no batch of Regent, however wrong, can take a zone away",
        source: undocumented(
          "airbnb/zonify#1 shows the message; the Developer Guide (NS and SOA records) only asks not to change them",
        ),
        sandboxOnly: OUTSIDE,
      },
      async (place) => {
        const { ResourceRecordSets = [] } = await list(place, { StartRecordName: place.zoneName, MaxItems: 10 });
        const apex = ResourceRecordSets.filter((set) => set.Name === `${place.zoneName}.`);
        const soa = apex.find((set) => set.Type === "SOA");
        const ns = apex.find((set) => set.Type === "NS");
        assert.ok(soa && ns);
        await assertRefused(send(place, remove(soa)), "InvalidChangeBatch", /must contain exactly one SOA record/);
        await assertRefused(send(place, remove(ns)), "InvalidChangeBatch", /must contain at least one NS record/);
      },
    ),
    expectation(
      {
        title: "a name outside the zone is refused",
        why: "a service that is declared in the wrong zone is noticed",
        source: undocumented("getmoto/moto#916 and kcp-dev/kcp-glbc#475 show the message"),
        sandboxOnly: OUTSIDE,
      },
      async (place) => {
        await assertRefused(
          send(place, create(a("elsewhere.invalid", "192.0.2.1"))),
          "InvalidChangeBatch",
          /is not permitted in zone/,
        );
      },
    ),
    expectation(
      {
        title: "an alias to a record set of the same type in the zone is taken and listed without TTL",
        why: "adopted names may be aliases, and are deleted as they were read",
        source: apiReference("ResourceRecordSet", {
          section: "TTL, AliasTarget",
          says: "an alias omits TTL and ResourceRecords; its target may be a record set of the same type in the zone",
        }),
      },
      async (place) => {
        await send(place, create(a(`target.${place.name}`, "192.0.2.1")));
        await send(place, create(alias(place, place.name, `target.${place.name}`)));
        const found = (await listed(place)).find((set) => set.AliasTarget);
        assert.deepEqual(found?.AliasTarget, {
          HostedZoneId: place.zoneId,
          DNSName: `target.${place.name}.`,
          EvaluateTargetHealth: true,
        });
        assert.equal(found?.TTL, undefined);
      },
    ),
    expectation(
      {
        title: "aliases can be weighted, each member with its own target and health flag, and are deleted as listed",
        why: "endpoints that are load balancers are such members",
        source: apiReference("AliasTarget", {
          section: "EvaluateTargetHealth",
          says: "it applies to weighted alias record sets among others",
        }),
      },
      async (place) => {
        const member = (id: string, isEvaluated: boolean) => ({
          ...alias(place, place.name, `${id}.${place.name}`),
          AliasTarget: { HostedZoneId: place.zoneId, DNSName: `${id}.${place.name}`, EvaluateTargetHealth: isEvaluated },
          SetIdentifier: id,
          Weight: 1,
        });
        await send(place, ...["eu", "us"].map((id) => create(a(`${id}.${place.name}`, "192.0.2.1"))));
        await send(place, create(member("eu", true)), create(member("us", false)));
        const members = (await listed(place)).filter((set) => set.AliasTarget);
        assert.deepEqual(
          members.map((set) => [set.SetIdentifier, set.AliasTarget?.EvaluateTargetHealth]),
          [
            ["eu", true],
            ["us", false],
          ],
        );
        await send(place, ...members.map(remove));
      },
    ),
    expectation(
      {
        title: "an alias to what isn't there, or to another type, is refused",
        why: "a wrong target is noticed before it is published",
        source: apiReference("AliasTarget", {
          section: "HostedZoneId",
          says: "an alias can't reference a record set of a different hosted zone",
          beyond:
            "that the target must exist, and the message, were seen in rust-lang/simpleinfra#907 and DNSControl/dnscontrol#937",
        }),
      },
      async (place) => {
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
      },
    ),
    expectation(
      {
        title: "DELETE of an alias must repeat EvaluateTargetHealth",
        why: "a flag that somebody switched is drift, and stops a stale batch",
        source: deleteMustMatch("that this flag is compared is assumed"),
      },
      async (place) => {
        await send(place, create(a(`target.${place.name}`, "192.0.2.1")));
        const set = alias(place, place.name, `target.${place.name}`);
        await send(place, create(set));
        const other = { ...set, AliasTarget: { ...set.AliasTarget!, EvaluateTargetHealth: false } };
        await assertRefused(send(place, remove(other)), "InvalidChangeBatch", /do not match the current values/);
      },
    ),
    expectation(
      {
        title: "an alias with a TTL is InvalidInput",
        why: "Regent leaves it out, and must",
        source: apiReference("ResourceRecordSet", {
          section: "TTL",
          says: "an alias omits TTL",
          beyond: "code and message were seen in ansible-collections/community.aws#434",
        }),
      },
      async (place) => {
        await send(place, create(a(`target.${place.name}`, "192.0.2.1")));
        await assertRefused(
          send(place, create({ ...alias(place, place.name, `target.${place.name}`), TTL: 60 })),
          "InvalidInput",
          /AliasTarget/,
        );
      },
    ),
    expectation(
      {
        title: "a record set without TTL and without alias is InvalidInput",
        why: "what is read without TTL is an alias and nothing else",
        source: undocumented("ministryofjustice/modernisation-platform#10072 shows code and message"),
      },
      async (place) => {
        const { TTL: _, ...bare } = a(place.name, "192.0.2.1");
        await assertRefused(send(place, create(bare)), "InvalidInput", /TTL/);
      },
    ),
  ],
};
