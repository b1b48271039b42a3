/** How much a batch and a value may hold. */
import assert from "node:assert/strict";
import { apiReference, developerGuide } from "./sources.ts";
import { a, assertRefused, create, type ExpectationGroup, expectation, listed, refusal, send, txt, upsert } from "./subject.ts";

const addresses = (count: number, third: number): string[] =>
  Array.from({ length: count }, (_, index) => `10.${third}.${index >> 8}.${index & 255}`);
/** A TXT value of 15 strings: 3,870 characters with quotation marks and spaces. */
const long = Array.from({ length: 15 }, () => `"${"x".repeat(255)}"`).join(" ");
const TOO_MANY = /Number of records limit of 1000 exceeded/;
const TOO_LONG = /RDATA character limit of 32000 exceeded/;

const elements = (beyond: string) =>
  developerGuide("Quotas", {
    section: "Number of elements and characters in ChangeResourceRecordSets requests",
    says: "a request holds at most 1,000 ResourceRecord elements; with UPSERT each counts twice",
    beyond,
  });
const characters = developerGuide("Quotas", {
  section: "Number of elements and characters in ChangeResourceRecordSets requests",
  says: "all Value elements together hold at most 32,000 characters; with UPSERT each counts twice",
  beyond: "the message was seen in kubernetes-sigs/external-dns#515",
});
const SEEN = "the message was seen in DNSControl/dnscontrol#1114";

export const limitExpectations: ExpectationGroup = {
  title: "Limits of a batch",
  expectations: [
    expectation(
      { title: "1,000 values in a batch are taken", why: "it is what Regent cuts its batches to", source: elements(SEEN) },
      async (place) => {
        await send(
          place,
          ...Array.from({ length: 10 }, (_, index) => create(a(`n${index}.${place.name}`, ...addresses(100, index)))),
        );
        assert.equal((await listed(place)).length, 10);
      },
    ),
    expectation(
      {
        title: "more than 1,000 values in a batch are refused",
        why: "a larger zone needs several batches",
        source: elements(SEEN),
      },
      async (place) => {
        const sets = Array.from({ length: 11 }, (_, index) => a(`n${index}.${place.name}`, ...addresses(91, index)));
        await assertRefused(send(place, ...sets.map(create)), "InvalidChangeBatch", TOO_MANY);
      },
    ),
    expectation(
      {
        title: "UPSERT counts its values twice: 501 are too many, and as CREATE they are not",
        why: "DELETE and CREATE, which are fenced, cost no more than UPSERT, which isn't",
        source: elements(SEEN),
      },
      async (place) => {
        const sets = Array.from({ length: 6 }, (_, index) =>
          a(`n${index}.${place.name}`, ...addresses(index === 5 ? 86 : 83, index)),
        );
        await assertRefused(send(place, ...sets.map(upsert)), "InvalidChangeBatch", TOO_MANY);
        await send(place, ...sets.map(create));
        assert.equal((await listed(place)).length, 6);
      },
    ),
    expectation(
      {
        title: "more than 32,000 characters of values in a batch are refused",
        why: "epoch records are long",
        source: characters,
      },
      async (place) => {
        const sets = Array.from({ length: 9 }, (_, index) => txt(`n${index}.${place.name}`, long));
        await assertRefused(send(place, ...sets.map(create)), "InvalidChangeBatch", TOO_LONG);
      },
    ),
    expectation(
      {
        title: "UPSERT counts its characters twice: 19,350 are too many, and as CREATE they are not",
        why: "as above",
        source: characters,
      },
      async (place) => {
        const sets = Array.from({ length: 5 }, (_, index) => txt(`n${index}.${place.name}`, long));
        await assertRefused(send(place, ...sets.map(upsert)), "InvalidChangeBatch", TOO_LONG);
        await send(place, ...sets.map(create));
        assert.equal((await listed(place)).length, 5);
      },
    ),
    expectation(
      {
        title: "a value of more than 4,000 characters is refused",
        why: "an epoch record stays far below, and a value read back is never longer",
        source: apiReference("ResourceRecord", {
          section: "Value",
          says: "a value doesn't exceed 4,000 characters",
          beyond: "the code of the refusal is not told",
        }),
      },
      async (place) => {
        const error = await refusal(send(place, create(txt(place.name, `${long} ${long}`))));
        assert.match(error.name, /^Invalid(Input|ChangeBatch)$/);
        assert.deepEqual(await listed(place), []);
      },
    ),
  ],
};
