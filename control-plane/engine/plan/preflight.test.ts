import { describe, expect, it } from "vitest";
import type { RecordSet } from "../model.ts";
import { testEndpoint, testEpoch, testService, testWeights } from "../testing/dns.ts";
import { toEpochSet } from "./epoch.ts";
import { preflight } from "./preflight.ts";
import { renderFamilies, toObserved } from "./record-sets.ts";

const spec = testService();
const cnameSpec = testService({ types: ["CNAME"] });
const ours = toEpochSet(spec, testEpoch());
const theirs = toEpochSet(spec, testEpoch({ owner: "other" }));
const members = renderFamilies(spec, testWeights(spec, [255]));
const simple: RecordSet = { name: spec.name, type: "A", ttl: 300, values: ["192.0.2.9"] };
const latency: RecordSet = {
  name: spec.name,
  type: "A",
  setIdentifier: "x",
  ttl: 60,
  values: ["192.0.2.9"],
  other: { Region: "eu-west-1" },
};
const cname: RecordSet = { name: spec.name, type: "CNAME", ttl: 300, values: ["lb.example.net"] };
const mail: RecordSet = { name: spec.name, type: "MX", ttl: 300, values: ["10 mail.example.com"] };
const text: RecordSet = { name: spec.epochName, type: "TXT", ttl: 300, values: ['"v=spf1 -all"'] };
const soa: RecordSet = { name: spec.name, type: "SOA", ttl: 900, values: ["ns hostmaster 1 2 3 4 5"] };

const ask = (sets: readonly RecordSet[], { everWritten = false, of = spec } = {}) =>
  preflight({ spec: of, observed: toObserved(of, sets), everWritten });

describe("what may be written", () => {
  it.each([
    ["an empty name", []],
    ["a name with mail", [mail]],
    ["a name whose neighbour is taken", [{ ...simple, name: "www2.example.com" }]],
  ])("%s that was never written is created", (_, sets) => {
    expect(ask(sets)).toEqual({ kind: "create" });
  });

  it.each([
    ["all members", [ours, ...members]],
    ["a member missing (which is drift)", [ours, ...members.slice(1)]],
    ["no members (which is drift)", [ours]],
    ["all members and mail", [ours, ...members, mail]],
  ])("our epoch record with %s is managed", (_, sets) => {
    expect(ask(sets, { everWritten: true })).toEqual({ kind: "managed", epoch: testEpoch() });
  });
});

describe("what is refused before anything is sent", () => {
  it.each([
    ["a simple record", "simple-record", [simple], {}],
    ["a simple record under our epoch record", "simple-record", [ours, simple], { everWritten: true }],
    ["weighted records without an epoch record", "weighted-without-epoch", members, {}],
    ["a CNAME where addresses go", "cname-at-label", [cname], {}],
    ["a CNAME where the epoch record goes", "cname-at-label", [{ ...cname, name: spec.epochName }], {}],
    ["an address where a CNAME goes", "cname-at-label", [simple], { of: cnameSpec }],
    ["the top of a zone where a CNAME goes", "cname-at-label", [soa], { of: cnameSpec }],
    ["another installation's epoch record", "foreign-epoch", [theirs, ...members], { everWritten: true }],
    ["another installation's epoch record over nothing", "foreign-epoch", [theirs], {}],
    ["our records without the epoch record we wrote", "epoch-missing", members, { everWritten: true }],
    ["nothing at all where we wrote", "epoch-missing", [], { everWritten: true }],
    ["a text that isn't an epoch record", "epoch-unreadable", [text, ...members], {}],
    [
      "an epoch record among other texts",
      "epoch-unreadable",
      [{ ...ours, values: [...(ours.values ?? []), '"x"'] }, ...members],
      {},
    ],
    ["a latency policy", "other-policy", [latency], {}],
    ["a latency policy under our epoch record", "other-policy", [ours, latency], { everWritten: true }],
    ["weighted and other records", "mixed", [ours, ...members, latency], { everWritten: true }],
  ] as const)("%s: %s", (_, problem, sets, options) => {
    const answer = ask(sets, options);
    expect(answer).toMatchObject({ kind: "refused", problem });
    if (answer.kind !== "refused") throw new Error("unreachable");
    expect(answer.why).toMatch(/^[A-Z\w].+\.$/);
    expect(answer.fix).toMatch(/^[A-Z].+\.$/);
  });

  it("names what stands there", () => {
    expect(ask([latency])).toMatchObject({ why: "www.example.com A x has a routing policy that isn't weighted." });
    expect(
      ask(
        renderFamilies(testService({ endpoints: ["a", "b", "c", "d", "e"].map(testEndpoint) }), {
          default: { a: 1, b: 1, c: 1, d: 1, e: 1 },
        }),
      ),
    ).toMatchObject({
      why: expect.stringMatching(
        /^www\.example\.com A a, www\.example\.com A b, www\.example\.com A c and 2 more is weighted already/,
      ),
    });
  });
});
