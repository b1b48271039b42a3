/** Batches: exact deletes, all or nothing, order, and what a copy of a batch meets. The compare-and-swap of an epoch record is made of these. */
import assert from "node:assert/strict";
import { allOrNothing, apiReference, deleteMustMatch, undocumented } from "./sources.ts";
import {
  a,
  assertRefused,
  cname,
  create,
  type ExpectationGroup,
  expectation,
  listed,
  type Place,
  refusal,
  remove,
  send,
  txt,
  upsert,
  values,
  weighted,
} from "./subject.ts";

const MISMATCH = "the message was seen in hashicorp/terraform#18509 and aws/aws-sdk-kotlin#1435";
const NOT_MATCHING = /do not match the current values/;

const epoch = (place: Pick<Place, "name">, revision: number) =>
  txt(`_regent.${place.name}`, `"regent1 o=test t=1 r=${revision} p=${revision} m=auto d=0000000000000000"`);
const family = (place: Pick<Place, "name">, first: number) => [
  weighted(place.name, "eu", first),
  weighted(place.name, "us", 255 - first),
];
/** What Regent sends: epoch record and members as read, then as wanted. */
const swap = (place: Place, [from, before]: readonly [revision: number, first: number], [to, after]: readonly [number, number]) =>
  send(
    place,
    ...[epoch(place, from), ...family(place, before)].map(remove),
    ...[epoch(place, to), ...family(place, after)].map(create),
  );
const weightsAt = async (place: Place) => (await listed(place)).filter((set) => set.Type === "A").map((set) => set.Weight);

export const fenceExpectations: ExpectationGroup = {
  title: "The fence: a stale write is refused",
  expectations: [
    expectation(
      {
        title: "DELETE and CREATE of one record set in one batch replace it",
        why: "every change of Regent is such a batch",
        source: allOrNothing(),
      },
      async (place) => {
        await send(place, create(epoch(place, 1)));
        await send(place, remove(epoch(place, 1)), create(epoch(place, 2)));
        assert.deepEqual((await listed(place))[0]?.ResourceRecords, epoch(place, 2).ResourceRecords);
      },
    ),
    expectation(
      {
        title: "a DELETE of an epoch record that has changed meanwhile is refused, and with it the whole batch",
        why: "this is the fence: of two leaders with the same view one loses",
        source: deleteMustMatch(MISMATCH),
      },
      async (place) => {
        await send(place, ...[epoch(place, 1), ...family(place, 255)].map(create));
        await swap(place, [1, 255], [2, 0]);
        await assertRefused(swap(place, [1, 255], [3, 128]), "InvalidChangeBatch", NOT_MATCHING);
        assert.deepEqual(await weightsAt(place), [0, 255]);
      },
    ),
    expectation(
      {
        title: "a member that somebody edited makes the batch refused, though the epoch record matches",
        why: "an edit by hand or by another tool is never overwritten unseen",
        source: deleteMustMatch(MISMATCH),
      },
      async (place) => {
        await send(place, ...[epoch(place, 1), ...family(place, 255)].map(create));
        await send(place, upsert(weighted(place.name, "us", 10)));
        await assertRefused(swap(place, [1, 255], [2, 0]), "InvalidChangeBatch", NOT_MATCHING);
        assert.deepEqual(await weightsAt(place), [255, 10]);
        assert.deepEqual((await listed(place)).at(-1)?.ResourceRecords, epoch(place, 1).ResourceRecords);
      },
    ),
    ...(
      [
        ["TTL", { TTL: 61 }, MISMATCH],
        [
          "weight",
          { Weight: 2 },
          "that the weight is compared is inferred from what Terraform met: a stray weight 0 made a DELETE fail",
        ],
        ["value", { ResourceRecords: values("192.0.2.250") }, MISMATCH],
        ["number of values", { ResourceRecords: values("192.0.2.7", "192.0.2.8") }, MISMATCH],
      ] as const
    ).map(([what, other, beyond]) =>
      expectation(
        {
          title: `DELETE with another ${what} does not match`,
          why: "a member is compared in full, so that drift of any kind stops a stale batch",
          source: deleteMustMatch(beyond),
        },
        async (place) => {
          const set = { ...weighted(place.name, "eu", 1), ResourceRecords: values("192.0.2.7") };
          await send(place, create(set));
          await assertRefused(
            send(place, remove({ ...set, ...other })),
            "InvalidChangeBatch",
            new RegExp(
              `Tried to delete resource record set \\[name='${place.name}\\.', type='A', set-identifier='eu'\\] but the values provided do not match the current values`,
            ),
          );
          assert.equal((await listed(place)).length, 1);
        },
      ),
    ),
    expectation(
      {
        title: "DELETE with another set identifier says that it was not found",
        why: "the identifier is part of the key: a renamed member is another member",
        source: apiReference("ResourceRecordSet", {
          section: "SetIdentifier",
          says: "the identifier tells record sets of one name and type apart",
          beyond: "the message, with set-identifier in it, was seen in airbnb/zonify#23 and barnybug/cli53#317",
        }),
      },
      async (place) => {
        await send(place, create(weighted(place.name, "eu", 1)));
        await assertRefused(
          send(place, remove({ ...weighted(place.name, "eu", 1), SetIdentifier: "us" })),
          "InvalidChangeBatch",
          /set-identifier='us'\] but it was not found/,
        );
      },
    ),
    expectation(
      {
        title: "DELETE of a weighted member without identifier and weight is refused",
        why: "a batch that was built from too little must not pass",
        source: deleteMustMatch(
          "the code of the refusal is not told; getmoto/moto#7153 saw a DELETE pass that left MultiValueAnswer out",
        ),
      },
      async (place) => {
        await send(place, create(weighted(place.name, "eu", 1)));
        const { SetIdentifier: _, Weight: __, ...bare } = weighted(place.name, "eu", 1);
        assert.match((await refusal(send(place, remove(bare)))).name, /^Invalid(ChangeBatch|Input)$/);
        assert.equal((await listed(place)).length, 1);
      },
    ),
    expectation(
      {
        title: "DELETE takes the values in any order",
        why: "values are a set; Regent compares them so too",
        source: undocumented("assumed: DNS gives the records of a set no order"),
      },
      async (place) => {
        await send(place, create(a(place.name, "192.0.2.1", "192.0.2.2", "192.0.2.3")));
        await send(place, remove(a(place.name, "192.0.2.3", "192.0.2.1", "192.0.2.2")));
        assert.deepEqual(await listed(place), []);
      },
    ),
    expectation(
      {
        title: "CREATE of a record set that exists is refused and names it",
        why: "the first epoch record is made by CREATE: two installations can't both begin",
        source: undocumented(
          "kubernetes-sigs/external-dns#5939 shows the message; the API Reference only says that CREATE creates",
        ),
      },
      async (place) => {
        await send(place, create(a(place.name, "192.0.2.1")));
        await assertRefused(
          send(place, create(a(place.name, "192.0.2.1"))),
          "InvalidChangeBatch",
          new RegExp(`Tried to create resource record set \\[name='${place.name}\\.', type='A'\\] but it already exists`),
        );
      },
    ),
    expectation(
      {
        title: "CREATE of a member that exists names its set identifier",
        why: "an operator must be told which member it was",
        source: undocumented("barnybug/cli53#317 shows the message, for a geolocation group"),
      },
      async (place) => {
        await send(place, create(weighted(place.name, "eu", 1)));
        await assertRefused(
          send(place, create(weighted(place.name, "eu", 1))),
          "InvalidChangeBatch",
          new RegExp(`\\[name='${place.name}\\.', type='A', set-identifier='eu'\\] but it already exists`),
        );
      },
    ),
    expectation(
      {
        title: "DELETE of what isn't there says that it was not found",
        why: "a record that somebody removed stops a stale batch",
        source: deleteMustMatch("the message was seen in boto/boto#2887"),
      },
      async (place) => {
        await assertRefused(
          send(place, remove(a(place.name, "192.0.2.1"))),
          "InvalidChangeBatch",
          new RegExp(`Tried to delete resource record set \\[name='${place.name}\\.', type='A'\\] but it was not found`),
        );
      },
    ),
    expectation(
      {
        title: "one refused change keeps the whole batch out",
        why: "services of one zone go out in one batch, and no half of it may appear",
        source: allOrNothing(),
      },
      async (place) => {
        await send(place, create(a(place.name, "192.0.2.1")));
        await assertRefused(
          send(place, create(a(`x.${place.name}`, "192.0.2.2")), create(a(place.name, "192.0.2.3"))),
          "InvalidChangeBatch",
          /already exists/,
        );
        assert.deepEqual(
          (await listed(place)).map((set) => [set.Name, set.ResourceRecords?.map(({ Value }) => Value)]),
          [[`${place.name}.`, ["192.0.2.1"]]],
        );
      },
    ),
    expectation(
      {
        title: "a refusal names every change that is wrong",
        why: "the refused services are taken out of a shared batch by their names",
        source: apiReference("ChangeResourceRecordSets", {
          section: "Errors, InvalidChangeBatch",
          says: "the error holds a list of messages, each of them one error in the batch",
          beyond: "today they come as one bracketed text, as in aws/aws-sdk-kotlin#1435",
        }),
      },
      async (place) => {
        await send(place, ...family(place, 255).map(create));
        await assertRefused(
          send(place, ...family(place, 100).map(remove), create(txt(place.name, '"x"'))),
          "InvalidChangeBatch",
          /set-identifier='eu'.*set-identifier='us'/s,
        );
      },
    ),
    expectation(
      {
        title: "a batch is applied in order: a CNAME before the DELETE that makes room is refused",
        why: "Regent's batches delete first",
        source: undocumented("kubernetes-sigs/external-dns#1411: CREATE before DELETE was refused, DELETE before CREATE taken"),
      },
      async (place) => {
        await send(place, create(a(place.name, "192.0.2.1")));
        const error = await refusal(send(place, create(cname(place.name, "example.net")), remove(a(place.name, "192.0.2.1"))));
        assert.equal(error.name, "InvalidChangeBatch");
        await send(place, remove(a(place.name, "192.0.2.1")), create(cname(place.name, "example.net")));
        assert.equal((await listed(place))[0]?.Type, "CNAME");
      },
    ),
    expectation(
      {
        title: "the same DELETE twice in a batch is refused",
        why: "two services that share a record by mistake must not pass",
        source: apiReference("ChangeResourceRecordSets", {
          section: "Change Batches and Transactional Changes, Note",
          says: "deleting one record set more than once in a batch gives InvalidChangeBatch",
        }),
      },
      async (place) => {
        await send(place, create(a(place.name, "192.0.2.1")));
        const error = await refusal(send(place, remove(a(place.name, "192.0.2.1")), remove(a(place.name, "192.0.2.1"))));
        assert.equal(error.name, "InvalidChangeBatch");
        assert.equal((await listed(place)).length, 1);
      },
    ),
    expectation(
      {
        title: "the same CREATE twice in a batch is refused",
        why: "as above",
        source: undocumented("barnybug/cli53#81 shows the message"),
      },
      async (place) => {
        await assertRefused(
          send(place, create(a(place.name, "192.0.2.1")), create(a(place.name, "192.0.2.1"))),
          "InvalidChangeBatch",
          /invalid set of changes for a resource record set/,
        );
        assert.deepEqual(await listed(place), []);
      },
    ),
    expectation(
      {
        title: "UPSERT makes what isn't there and replaces what is",
        why: "Regent doesn't use it, because it can't be fenced; other tools do, and their edits look so",
        source: apiReference("ChangeResourceRecordSets", {
          section: "Create, Delete, and Upsert",
          says: "UPSERT creates what doesn't exist and updates what does",
        }),
      },
      async (place) => {
        await send(place, upsert(a(place.name, "192.0.2.1")));
        await send(place, upsert(a(place.name, "192.0.2.2")));
        assert.deepEqual((await listed(place))[0]?.ResourceRecords, values("192.0.2.2"));
      },
    ),
  ],
};

export const ambiguityExpectations: ExpectationGroup = {
  title: "Ambiguity: when an answer is lost",
  expectations: [
    expectation(
      {
        title: "the same batch sent twice: the second is refused, since what it deletes is no longer there as it was",
        why: "a copy of a batch (a retry, a late packet) does nothing, and so a refusal may mean that it was applied",
        source: deleteMustMatch("that this holds for a copy too follows; the message is that of any mismatch"),
      },
      async (place) => {
        await send(place, ...[epoch(place, 1), ...family(place, 255)].map(create));
        await swap(place, [1, 255], [2, 0]);
        await assertRefused(swap(place, [1, 255], [2, 0]), "InvalidChangeBatch", NOT_MATCHING);
        assert.deepEqual(await weightsAt(place), [0, 255]);
      },
    ),
    expectation(
      {
        title: "a batch of CREATEs sent twice: the second is refused as existing",
        why: "adopting a name is such a batch",
        source: undocumented("follows from the refusal of what exists; see kubernetes-sigs/external-dns#5939"),
      },
      async (place) => {
        await send(place, create(epoch(place, 1)));
        await assertRefused(send(place, create(epoch(place, 1))), "InvalidChangeBatch", /already exists/);
      },
    ),
    expectation(
      {
        title: "a batch of DELETEs sent twice: the second is refused as not found",
        why: "releasing a name is such a batch",
        source: deleteMustMatch("the message was seen in boto/boto#2887"),
      },
      async (place) => {
        await send(place, create(epoch(place, 1)));
        await send(place, remove(epoch(place, 1)));
        await assertRefused(send(place, remove(epoch(place, 1))), "InvalidChangeBatch", /it was not found/);
      },
    ),
    expectation(
      {
        title: "an accepted batch is listed at once, while it is PENDING",
        why: "reading the epoch record is how Regent learns what became of a batch without an answer",
        source: apiReference("ListResourceRecordSets", {
          section: "Resource record sets that are PENDING",
          says: "the listing returns the most current version, with records that are PENDING",
          beyond: "that a listing begun after the answer never misses the change is said in older SDK documentation only",
        }),
      },
      async (place) => {
        await send(place, create(epoch(place, 1)));
        for (let revision = 2; revision < 6; revision++) {
          await send(place, remove(epoch(place, revision - 1)), create(epoch(place, revision)));
          assert.deepEqual((await listed(place))[0]?.ResourceRecords, epoch(place, revision).ResourceRecords);
        }
      },
    ),
    ...(
      [
        [
          "throttle",
          "Throttling",
          /^Rate exceeded$/,
          "Maximums on API requests, frequency of requests",
          "too many requests are answered with HTTP 400, code Throttling, message Rate exceeded",
        ],
        [
          "prior-request",
          "PriorRequestNotComplete",
          /still processing a prior request/,
          "Maximums on API requests, ChangeResourceRecordSets",
          "a request that arrives while one for the same zone is processed is rejected with HTTP 400 and this code and message",
        ],
      ] as const
    ).map(([kind, code, message, section, says]) =>
      expectation(
        {
          title: `${code} means that nothing was applied: the same batch passes afterwards`,
          why: "Regent sends the same batch again after a wait, and only after such a certain no",
          source: {
            kind: "documented",
            where: `Developer Guide, Quotas, ${section}`,
            url: "https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/DNSLimitations.html",
            says,
            beyond:
              "the text was read in a copy of 2016 and in AWS re:Post; that nothing was applied is inferred from «rejected»",
          },
          sandboxOnly:
            kind === "throttle"
              ? "it would take the request budget of the whole account from everybody else"
              : "it needs two requests that overlap inside Route 53, which can't be brought about at will",
        },
        async (place) => {
          await send(place, create(epoch(place, 1)));
          assert.ok(place.provoke);
          place.provoke(kind, 1);
          const error = await refusal(send(place, remove(epoch(place, 1)), create(epoch(place, 2))));
          assert.deepEqual([error.name, error.status], [code, 400]);
          assert.match(error.message, message);
          assert.deepEqual((await listed(place))[0]?.ResourceRecords, epoch(place, 1).ResourceRecords);
          await send(place, remove(epoch(place, 1)), create(epoch(place, 2)));
        },
      ),
    ),
  ],
};
