import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Observed, RecordSet } from "../model.ts";
import {
  serviceArbitrary,
  testEpoch,
  testObserved,
  testService,
  testUlid,
  testWeights,
  ULID,
  weightsArbitrary,
} from "../testing/dns.ts";
import { findDrift } from "./drift.ts";
import { toEpochSet } from "./epoch.ts";
import { renderFamilies, toObserved } from "./record-sets.ts";

const spec = testService({ types: ["A", "AAAA"] });
const expected = renderFamilies(spec, testWeights(spec, [255, 0, 0]));
const observed = testObserved(spec, [255, 0, 0]);
const ask = (changes: Partial<Observed>, expectedUlid: string | null = ULID) =>
  findDrift({ spec, expected, observed: { ...observed, ...changes }, expectedUlid });
const edit = (at: number, changes: Partial<RecordSet>): Partial<Observed> => ({
  sets: observed.sets.map((set, index) => (index === at ? { ...set, ...changes } : set)),
});

describe("drift", () => {
  it("is none where DNS holds what was written", () => {
    fc.assert(
      fc.property(serviceArbitrary, weightsArbitrary, (any, weights) => {
        const wrote = renderFamilies(any, testWeights(any, weights));
        expect(findDrift({ spec: any, expected: wrote, observed: testObserved(any, weights), expectedUlid: ULID })).toEqual([]);
      }),
    );
  });

  it("is none in another spelling, or beside mail and foreign text", () => {
    expect(ask({ ...edit(3, { values: ["2001:0DB8:0::1"] }) })).toEqual([]);
    expect(ask({ sets: [...observed.sets].reverse() })).toEqual([]);
    expect(ask({ sets: [...observed.sets, { name: spec.name, type: "MX", ttl: 60, values: ["10 mail.example.com"] }] })).toEqual(
      [],
    );
  });

  it.each([
    ["weight", "www.example.com A us-east has weight 10; Regent wrote 255.", edit(0, { weight: 10 })],
    ["value", "www.example.com A us-east answers 192.0.2.9; Regent wrote 192.0.2.1.", edit(0, { values: ["192.0.2.9"] })],
    ["ttl", "www.example.com A us-east has TTL 60; Regent wrote 30.", edit(0, { ttl: 60 })],
    ["healthcheck", "www.example.com A us-east has health check hc; Regent wrote none.", edit(0, { healthCheckId: "hc" })],
    ["missing", "www.example.com A us-east is gone; Regent wrote it with weight 255.", { sets: observed.sets.slice(1) }],
  ] as const)("of class %s says: %s", (kind, line, changes) => {
    expect(ask(changes)).toEqual([{ class: kind, line }]);
  });

  it("names every set that takes part in the answers and that nobody wrote", () => {
    const blue = { name: spec.name, type: "A", setIdentifier: "blue", weight: 9, ttl: 30, values: ["192.0.2.9"] };
    expect(ask({ sets: [...observed.sets, blue] })).toEqual([
      { class: "extra", line: "www.example.com A blue is there; Regent never wrote it." },
    ]);
    const oneType = testService();
    const wrote = renderFamilies(oneType, testWeights(oneType, [255]));
    const sets = [toEpochSet(oneType, testEpoch()), ...wrote, { ...blue, type: "AAAA", values: ["2001:db8::9"] }];
    expect(findDrift({ spec: oneType, expected: wrote, observed: toObserved(oneType, sets), expectedUlid: ULID })).toMatchObject([
      { class: "extra" },
    ]);
  });

  it("sees a set that was remade under another policy as several differences", () => {
    const { weight: _, ...rest } = observed.sets[0] as RecordSet;
    const sets = [{ ...rest, other: { Region: "eu-west-1" } }, ...observed.sets.slice(1)];
    expect(ask({ sets })).toEqual([{ class: "weight", line: "www.example.com A us-east has weight none; Regent wrote 255." }]);
  });
});

describe("drift of the epoch record", () => {
  it.each([
    ["epoch-missing", `_regent.www.example.com TXT is gone; Regent wrote ${ULID}.`, { epochSet: null, epoch: null }],
    [
      "foreign-owner",
      "_regent.www.example.com TXT names owner other; this installation is acme.",
      { epoch: testEpoch({ owner: "other" }) },
    ],
    [
      "epoch-changed",
      `_regent.www.example.com TXT shows ${testUlid(9)} at revision 9; Regent wrote ${ULID}.`,
      { epoch: testEpoch({ ulid: testUlid(9), revision: 9 }) },
    ],
    ["epoch-changed", `_regent.www.example.com TXT can't be read as an epoch record; Regent wrote ${ULID}.`, { epoch: null }],
  ] as const)("of class %s says: %s", (kind, line, changes) => {
    expect(ask(changes)).toEqual([{ class: kind, line }]);
  });

  it("is one before the first write too, when a record is there, and none when it isn't", () => {
    expect(findDrift({ spec, expected: [], observed: { epochSet: null, epoch: null, sets: [] }, expectedUlid: null })).toEqual(
      [],
    );
    expect(ask({}, null)).toMatchObject([{ class: "epoch-changed", line: expect.stringContaining("Regent wrote none yet") }]);
  });
});
