/** How names and values are spelled, folded and refused. */
import assert from "node:assert/strict";
import { developerGuide, undocumented } from "./sources.ts";
import { a, assertRefused, create, type ExpectationGroup, expectation, listed, remove, send, txt, values } from "./subject.ts";

const txtFormat = (beyond: string) =>
  developerGuide("Supported DNS record types", {
    section: "TXT record type, Entering TXT record values",
    says: "a value is one or more strings in double quotation marks, each of up to 255 characters",
    beyond,
  });
const nameFormat = (says: string, beyond?: string) =>
  developerGuide("DNS domain name format", {
    section: "Formatting domain names for hosted zones and records",
    says,
    ...(beyond === undefined ? {} : { beyond }),
  });

export const nameAndValueExpectations: ExpectationGroup = {
  title: "Names and values",
  expectations: [
    expectation(
      {
        title: "names are listed in lower case with their last dot",
        why: "names are compared after folding",
        source: nameFormat(
          "letters are stored in lower case, however they are given",
          "that the last dot is listed is seen in every example of the API Reference",
        ),
      },
      async (place) => {
        await send(place, create(a(`WwW.${place.name}`, "192.0.2.1")));
        assert.deepEqual(
          (await listed(place)).map((set) => set.Name),
          [`www.${place.name}.`],
        );
      },
    ),
    expectation(
      {
        title: "a record set can be deleted in any case, with or without last dot",
        why: "what is declared and what is listed are one name",
        source: nameFormat(
          "letters are stored in lower case, however they are given",
          "the last dot is optional: API Reference, ResourceRecordSet, Name",
        ),
      },
      async (place) => {
        await send(place, create(a(`www.${place.name}`, "192.0.2.1")));
        await send(place, remove(a(`WWW.${place.name}.`, "192.0.2.1")));
        assert.deepEqual(await listed(place), []);
      },
    ),
    expectation(
      {
        title: "an asterisk is listed as \\052, and can be deleted by either spelling",
        why: "services may be wildcards",
        source: nameFormat(
          "characters other than a-z, 0-9, - and _ are returned as escape codes, whichever way they were given",
          "that both spellings are one name in a DELETE follows",
        ),
      },
      async (place) => {
        for (const spelling of ["\\052", "*"]) {
          await send(place, create(a(`*.${place.name}`, "192.0.2.1")));
          assert.deepEqual(
            (await listed(place)).map((set) => set.Name),
            [`\\052.${place.name}.`],
          );
          await send(place, remove(a(`${spelling}.${place.name}`, "192.0.2.1")));
          assert.deepEqual(await listed(place), []);
        }
      },
    ),
    expectation(
      {
        title: "an underscore stays as it is",
        why: "epoch records begin with one",
        source: nameFormat("a-z, 0-9, - and _ are returned unescaped"),
      },
      async (place) => {
        await send(place, create(txt(`_regent.${place.name}`, '"x"')));
        assert.equal((await listed(place))[0]?.Name, `_regent.${place.name}.`);
      },
    ),
    expectation(
      {
        title: "an empty label is refused by its name",
        why: "a name that was put together wrongly is noticed",
        source: undocumented("hashicorp/terraform#18482 shows the message"),
      },
      async (place) => {
        await assertRefused(send(place, create(a(`x..${place.name}`, "192.0.2.1"))), "InvalidChangeBatch", /DomainLabelEmpty/);
      },
    ),
    expectation(
      {
        title: "a label of 64 bytes is refused by its name",
        why: "an epoch record's label adds to a name; one that leaves no room is refused at plan",
        source: nameFormat("a label has up to 63 bytes", "the word DomainLabelTooLong is assumed after DomainLabelEmpty"),
      },
      async (place) => {
        await assertRefused(
          send(place, create(a(`${"x".repeat(64)}.${place.name}`, "192.0.2.1"))),
          "InvalidChangeBatch",
          /DomainLabelTooLong/,
        );
      },
    ),
    expectation(
      {
        title: "a TXT value without quotation marks is refused",
        why: "epoch records are quoted",
        source: txtFormat("the message was seen in binxio/cfn-ses-provider#21"),
      },
      async (place) => {
        await assertRefused(
          send(place, create(txt(place.name, "bare"))),
          "InvalidChangeBatch",
          /Value should be enclosed in quotation marks/,
        );
      },
    ),
    expectation(
      {
        title: "a TXT string of 255 characters is taken, one of 256 is refused, two of 255 are taken",
        why: "an epoch record is one string, shorter than that",
        source: txtFormat("the message was seen in boto/boto3#1462; two strings were taken in aws-cloudformation/cfn-lint#454"),
      },
      async (place) => {
        await send(place, create(txt(`a.${place.name}`, `"${"x".repeat(255)}"`)));
        await assertRefused(
          send(place, create(txt(`b.${place.name}`, `"${"x".repeat(256)}"`))),
          "InvalidChangeBatch",
          /CharacterStringTooLong/,
        );
        await send(place, create(txt(`b.${place.name}`, `"${"x".repeat(255)}" "${"y".repeat(255)}"`)));
      },
    ),
    expectation(
      {
        title: "a TXT value is listed as it was given, markup, escapes and case and all",
        why: "an epoch record is compared with the text that was written",
        source: developerGuide("Supported DNS record types", {
          section: "TXT record type, Special characters and Uppercase and lowercase",
          says: "case is preserved, a quotation mark takes a backslash, other characters three octal digits",
          beyond:
            "that escapes are listed as they were given is assumed; that a space needs none is shown by the page's own examples, though its list of what to escape holds it",
        }),
      },
      async (place) => {
        const value = '"a <b> & \\"c\\" \\101 = D"';
        await send(place, create(txt(place.name, value)));
        assert.deepEqual((await listed(place))[0]?.ResourceRecords, values(value));
      },
    ),
    expectation(
      {
        title: "an A value that isn't an IPv4 address is refused",
        why: "a wrong address is noticed before it is published",
        source: developerGuide("Supported DNS record types", {
          section: "A record type",
          says: "the value is an IPv4 address in dotted decimal notation",
          beyond: "the message was seen in gomodules/dns#7",
        }),
      },
      async (place) => {
        await assertRefused(send(place, create(a(place.name, "192.0.2.256"))), "InvalidChangeBatch", /ARRDATAIllegalIPv4Address/);
      },
    ),
    expectation(
      {
        title: "an AAAA value that isn't an IPv6 address is refused",
        why: "as above",
        source: developerGuide("Supported DNS record types", {
          section: "AAAA record type",
          says: "the value is an IPv6 address in colon-separated hexadecimal format",
          beyond: "the word AAAARRDATAIllegalIPv6Address is assumed after that for A",
        }),
      },
      async (place) => {
        await assertRefused(
          send(place, create({ Name: place.name, Type: "AAAA", TTL: 60, ResourceRecords: values("192.0.2.1") })),
          "InvalidChangeBatch",
          /AAAARRDATAIllegalIPv6Address/,
        );
      },
    ),
    expectation(
      {
        title: "the same value twice in one record set is refused",
        why: "two endpoints with one address are noticed",
        source: undocumented("kubernetes-sigs/external-dns#6019 shows the message"),
      },
      async (place) => {
        await assertRefused(
          send(place, create(a(place.name, "192.0.2.1", "192.0.2.1"))),
          "InvalidChangeBatch",
          /Duplicate Resource Record/,
        );
      },
    ),
  ],
};
