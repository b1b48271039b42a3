import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Observed, RecordSet, ServiceSpec } from "../model.ts";
import {
  REPORT_ALL,
  serviceArbitrary,
  testEpoch,
  testObserved,
  testService,
  testUlid,
  testWeights,
  ULID,
  weightsArbitrary,
} from "../testing/dns.ts";
import { type DriftClass, driftPolicyOf, findDrift } from "./drift.ts";
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

describe("the policy", () => {
  const policy = (drift: Partial<ServiceSpec["drift"]>, ...kinds: DriftClass[]) =>
    driftPolicyOf(
      { ...spec, drift: { ...REPORT_ALL, ...drift } },
      kinds.map((kind) => ({ class: kind, line: "" })),
    );

  it.each(["weight", "value", "ttl", "missing", "extra", "healthcheck"] as const)("of class %s is its own", (kind) => {
    expect(policy({ [kind]: "revert" }, kind)).toBe("revert");
    expect(policy({ [kind]: "adopt" }, kind)).toBe("adopt");
    expect(policy({}, kind)).toBe("report");
  });

  it("of several is the most careful of theirs", () => {
    expect(policy({ weight: "revert", ttl: "adopt" }, "weight", "ttl")).toBe("adopt");
    expect(policy({ weight: "revert", ttl: "adopt" }, "weight", "ttl", "value")).toBe("report");
    expect(policy({ weight: "revert", ttl: "revert" }, "weight", "ttl")).toBe("revert");
  });

  it.each(["rival", "epoch-missing", "foreign-owner", "epoch-changed"] as const)("of %s is a person's, always", (kind) => {
    const all = {
      weight: "revert",
      value: "revert",
      ttl: "revert",
      missing: "revert",
      extra: "revert",
      healthcheck: "revert",
    } as const;
    expect(policy(all, kind)).toBe("report");
    expect(policy(all, "weight", kind)).toBe("report");
  });
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
      { class: "rival" },
    ]);
  });

  it("names another tool's mark at the name itself, and not one beside it, which isn't read each time", () => {
    const mark = { tool: "external-dns" as const, owner: "k8s" };
    expect(ask({ marks: [{ ...mark, name: spec.name }] })).toEqual([
      { class: "foreign-owner", line: "www.example.com TXT says that external-dns (owner k8s) manages this name." },
    ]);
    expect(ask({ marks: [{ ...mark, name: `a-${spec.name}` }] })).toEqual([]);
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
