import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { checkBatch, checkShares } from "./invariants.ts";
import type { RecordSet, ServiceBatch } from "./model.ts";
import { buildServiceBatch } from "./plan/batch.ts";
import { toEpochSet } from "./plan/epoch.ts";
import { sharesArbitrary, testEpoch, testObserved, testService, testUlid, testWeights } from "./testing/dns.ts";

const spec = testService({ types: ["A", "AAAA"] });
const next = testEpoch({ revision: 8, ulid: testUlid(8) });
const good = buildServiceBatch({
  spec,
  observed: testObserved(spec, [255, 0, 0]),
  weights: testWeights(spec, [0, 255, 0]),
  epoch: next,
});

/** The good batch with its creates edited; a set that is edited into null is left out. */
const withCreates = (edit: (set: RecordSet, at: number) => RecordSet | null): ServiceBatch => ({
  ...good,
  creates: good.creates.flatMap((set, at) => edit(set, at) ?? []),
});
const withEpoch = (changes: Parameters<typeof testEpoch>[0]): ServiceBatch =>
  withCreates((set) => (set.type === "TXT" ? toEpochSet(spec, { ...next, ...changes }) : set));
const stray: RecordSet = { name: "www.example.com", type: "MX", ttl: 30, values: ["10 mail.example.com"] };

describe("a batch", () => {
  it("that was built from what DNS holds breaks nothing", () => {
    expect(checkBatch({ spec, batch: good })).toEqual([]);
  });

  it.each<[string, ServiceBatch]>([
    ["The batch is for service api, not www.", { ...good, service: "api" }],
    ["www.example.com MX isn't a record of service www.", { ...good, creates: [...good.creates, stray] }],
    ["www.example.com MX isn't a record of service www.", { ...good, deletes: [...good.deletes, stray] }],
    ["www.example.com A us-east is created twice.", { ...good, creates: [...good.creates, ...good.creates.slice(1, 2)] }],
    ["www.example.com A us-east is deleted twice.", { ...good, deletes: [...good.deletes, ...good.deletes.slice(1, 2)] }],
    ["www.example.com A would have no record.", withCreates((set) => (set.type === "A" ? null : set))],
    ["www.example.com A would lose its record of us-east.", withCreates((set, at) => (at === 1 ? null : set))],
    ["www.example.com A us-east would be deleted and not made again.", withCreates((set, at) => (at === 1 ? null : set))],
    ["All weights of www.example.com A would be 0.", withCreates((set) => (set.type === "TXT" ? set : { ...set, weight: 0 }))],
    [
      "www.example.com A us-east has weight 256, not 0 to 255.",
      withCreates((set, at) => (at === 1 ? { ...set, weight: 256 } : set)),
    ],
    [
      "www.example.com A us-east has weight 0.5, not 0 to 255.",
      withCreates((set, at) => (at === 1 ? { ...set, weight: 0.5 } : set)),
    ],
    [
      "The types of www.example.com disagree on the weight of us-east: 9, 0.",
      withCreates((set, at) => (at === 1 ? { ...set, weight: 9 } : set)),
    ],
    ["www.example.com A would have several TTLs: 60, 30.", withCreates((set, at) => (at === 1 ? { ...set, ttl: 60 } : set))],
    [
      "www.example.com A us-east is an alias and has a TTL.",
      withCreates((set, at) =>
        at === 1 ? { ...set, alias: { hostedZoneId: "Z2", name: "lb.net", evaluateTargetHealth: true } } : set,
      ),
    ],
    [
      "www.example.com A us-east has no TTL.",
      withCreates((set, at) =>
        at === 1 ? { name: set.name, type: set.type, setIdentifier: "us-east", weight: 0, values: ["192.0.2.1"] } : set,
      ),
    ],
    [
      "www.example.com A has no set identifier.",
      withCreates((set, at) => (at === 1 ? { name: set.name, type: set.type, weight: 0, ttl: 30, values: ["192.0.2.1"] } : set)),
    ],
    ["The batch creates 0 epoch records, not 1.", withCreates((set) => (set.type === "TXT" ? null : set))],
    [
      "The new epoch record _regent.www.example.com can't be read back.",
      withCreates((set) => (set.type === "TXT" ? { ...set, values: ['"x"'] } : set)),
    ],
    ["The new epoch record names owner other, not acme.", withEpoch({ owner: "other" })],
    ["The owner would change from acme to other.", withEpoch({ owner: "other" })],
    ["The revision would go from 7 to 6, not up.", withEpoch({ revision: 6 })],
    ["The revision would go from 7 to 7, not up.", withEpoch({ revision: 7 })],
    ["The term would fall from 3 to 2.", withEpoch({ term: 2 })],
    [`The ULID ${testEpoch().ulid} would come twice.`, withEpoch({ ulid: testEpoch().ulid })],
    [
      "The batch deletes records without the epoch record _regent.www.example.com: nothing fences it.",
      { ...good, deletes: good.deletes.slice(1) },
    ],
    [
      "The epoch record that the batch deletes can't be read, so it may not be ours.",
      { ...good, deletes: good.deletes.map((set) => (set.type === "TXT" ? { ...set, values: ['"x"'] } : set)) },
    ],
    ["The first revision is 0, below 1.", { ...withEpoch({ revision: 0 }), deletes: [] }],
  ])("is stopped: %s", (sentence, batch) => {
    expect(checkBatch({ spec, batch })).toContain(sentence);
  });

  it("may drop the members of a region that a person took out of the declaration, and no others", () => {
    const smaller = testService({ endpoints: spec.endpoints.slice(0, 2) });
    const order = {
      spec: smaller,
      observed: testObserved(testService(), [255, 0, 0]),
      weights: testWeights(smaller, [255, 0]),
      epoch: next,
    };
    const batch = buildServiceBatch({ ...order, removed: ["ap-south"] });
    expect(checkBatch({ spec: smaller, batch, removed: ["ap-south"] })).toEqual([]);
    const text: RecordSet = {
      name: smaller.name,
      type: "AAAA",
      setIdentifier: "us-east",
      weight: 1,
      ttl: 30,
      values: ["2001:db8::1"],
    };
    const more = { ...batch, deletes: [...batch.deletes, text] };
    expect(checkBatch({ spec: smaller, batch: more, removed: ["ap-south"] })).not.toEqual([]);
    expect(checkBatch({ spec: smaller, batch: more, removed: ["ap-south"], retired: [text] })).toEqual([]);
    const again = { ...more, creates: [...more.creates, text] };
    expect(checkBatch({ spec: smaller, batch: again, removed: ["ap-south"], retired: [text] })).not.toEqual([]);
    expect(checkBatch({ spec: smaller, batch })).toEqual(["www.example.com A ap-south would be deleted and not made again."]);
    expect(checkBatch({ spec: smaller, batch: buildServiceBatch(order) })).toEqual([]);
  });
});

describe("shares", () => {
  it("that sum to 1 are in order", () => {
    fc.assert(
      fc.property(sharesArbitrary, (shares) => {
        expect(checkShares({ default: shares })).toEqual([]);
      }),
    );
  });

  it.each([
    [{ a: 0.5, b: 0.4 }, ["The shares of family default sum to 0.9, not 1."]],
    [
      { a: 1.5, b: -0.5 },
      ["The share of a in family default is 1.5, outside 0 to 1.", "The share of b in family default is -0.5, outside 0 to 1."],
    ],
    [
      { a: Number.NaN },
      ["The share of a in family default is NaN, outside 0 to 1.", "The shares of family default sum to NaN, not 1."],
    ],
    [{}, ["The shares of family default sum to 0, not 1."]],
  ])("%o are named", (shares, sentences) => {
    expect(checkShares({ default: shares as Record<string, number> })).toEqual(sentences);
  });
});

describe("an adoption", () => {
  const plain: RecordSet = { name: spec.name, type: "A", ttl: 30, values: ["192.0.2.2"] };
  const adopts = (deletes: readonly RecordSet[], creates: readonly RecordSet[] = good.creates): string[] =>
    checkBatch({ spec, batch: { service: spec.id, deletes, creates }, adopts: true });
  const others = good.creates.filter(({ type }) => type === "AAAA");
  const weighted = (weight: number, value: string): RecordSet => ({
    ...plain,
    setIdentifier: `tf-${value}`,
    weight,
    values: [value],
  });

  it("replaces what stands, without an epoch record to delete, or with anybody's", () => {
    expect(adopts([plain])).toEqual([]);
    expect(adopts([toEpochSet(spec, testEpoch({ owner: "other", revision: 99, term: 99 })), plain])).toEqual([]);
    expect(adopts([weighted(9, "192.0.2.2"), weighted(0, "192.0.2.99")])).toEqual([]);
  });

  it.each<[string, readonly RecordSet[]]>([
    ["The adoption would replace no record: nothing stands there to be adopted.", []],
    ["www.example.com A answers 192.0.2.1 today, and nothing would answer that any more.", [{ ...plain, values: ["192.0.2.1"] }]],
    [
      "www.example.com A answers 192.0.2.2,192.0.2.99 today, and nothing would answer that any more.",
      [{ ...plain, values: ["192.0.2.99", "192.0.2.2"] }],
    ],
    [
      "www.example.com A tf-192.0.2.99 answers 192.0.2.99 today, and nothing would answer that any more.",
      [weighted(9, "192.0.2.2"), weighted(1, "192.0.2.99")],
    ],
    [
      "www.example.com A tf-192.0.2.99 answers 192.0.2.99 today, and nothing would answer that any more.",
      [weighted(0, "192.0.2.2"), weighted(0, "192.0.2.99")],
    ],
  ])("%s", (violation, deletes) => {
    expect(adopts(deletes)).toContain(violation);
  });

  it("never leaves a family empty or all zero, nor goes back in its own revisions", () => {
    expect(adopts([plain], [...good.creates.slice(0, 1), ...others])).toContain("www.example.com A would have no record.");
    const zero = good.creates.map((set) => (set.type === "TXT" ? set : { ...set, weight: 0 }));
    expect(adopts([plain], zero)).toContain("All weights of www.example.com A would be 0.");
    expect(adopts([toEpochSet(spec, testEpoch({ revision: 9 })), plain])).toEqual(["The revision would go from 9 to 8, not up."]);
  });
});

describe("a batch around an edit", () => {
  const standing = testObserved(spec, [255, 7, 0]);
  const gone = { ...standing, sets: standing.sets.filter(({ setIdentifier }) => setIdentifier !== "ap-south") };
  const blue: RecordSet = { name: spec.name, type: "A", setIdentifier: "blue", weight: 3, ttl: 30, values: ["192.0.2.77"] };
  const around = (observed: typeof standing): ServiceBatch =>
    buildServiceBatch({ spec, observed, weights: testWeights(spec, [0, 7, 0]), epoch: next, edit: "keep" });

  it("leaves gone what is gone, and keeps what was added", () => {
    const batch = around({ ...gone, sets: [...gone.sets, blue] });
    expect(checkBatch({ spec, batch, keepsEdit: true })).toEqual([]);
    expect(batch.creates.some(({ setIdentifier }) => setIdentifier === "ap-south")).toBe(false);
    expect(batch.creates).toContainEqual(blue);
  });

  it("may drop nothing that stands", () => {
    const batch = around({ ...standing, sets: [...standing.sets, blue] });
    const dropped = { ...batch, creates: batch.creates.filter(({ setIdentifier }) => setIdentifier !== "blue") };
    expect(checkBatch({ spec, batch: dropped, keepsEdit: true })).toContain(
      "www.example.com A blue would be deleted and not made again.",
    );
  });
});
