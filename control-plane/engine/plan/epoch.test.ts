import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Epoch } from "../model.ts";
import { testEpoch, testService } from "../testing/dns.ts";
import { epochName, parseEpoch, readEpochSet, renderEpoch, toEpochSet } from "./epoch.ts";

const GOLDEN = "regent1 o=acme t=3 r=7 p=01JD8ZK3M4N5P6Q7R8S9T0V1W2 m=auto d=0123456789abcdef";

const epochArbitrary: fc.Arbitrary<Epoch> = fc.record({
  owner: fc.stringMatching(/^[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?$/),
  term: fc.maxSafeNat(),
  revision: fc.maxSafeNat(),
  ulid: fc.stringMatching(/^[0-7][0-9A-HJKMNP-TV-Z]{25}$/),
  mode: fc.constantFrom("auto" as const, "frozen" as const),
  digest: fc.stringMatching(/^[0-9a-f]{16}$/),
});

describe("the name of the epoch record", () => {
  const long = (length: number): string =>
    `${"a".repeat(60)}.${"b".repeat(60)}.${"c".repeat(60)}.${"d".repeat(length)}.example.com`;
  it.each([
    ["www.example.com", "_regent.www.example.com"],
    ["example.com", "_regent.example.com"],
    ["*.example.com", "_regent-wildcard.example.com"],
    ["*.shop.example.com", "_regent-wildcard.shop.example.com"],
    ["www.example.org", null],
    ["notexample.com", null],
    [long(50), `_regent.${long(50)}`],
    [long(51), null],
  ])("of %s is %s", (service, name) => {
    expect(epochName("_regent", service, "example.com")).toBe(name);
  });

  it("is refused when the label is longer than 63", () => {
    expect(epochName(`_${"a".repeat(53)}`, "*.example.com", "example.com")).toHaveLength(63 + ".example.com".length);
    expect(epochName(`_${"a".repeat(54)}`, "*.example.com", "example.com")).toBeNull();
  });
});

describe("the text of the epoch record", () => {
  it("is the golden text", () => {
    expect(renderEpoch(testEpoch())).toBe(GOLDEN);
    expect(renderEpoch(testEpoch({ mode: "frozen" }))).toBe(GOLDEN.replace("auto", "frozen"));
  });

  it("reads back as what was rendered, and fits one TXT string", () => {
    fc.assert(
      fc.property(epochArbitrary, (epoch) => {
        const text = renderEpoch(epoch);
        expect(parseEpoch(text)).toEqual(epoch);
        expect(text.length).toBeLessThanOrEqual(137);
      }),
    );
  });

  it("has one spelling: whatever parses renders to itself", () => {
    fc.assert(
      fc.property(epochArbitrary, fc.nat(140), fc.string({ maxLength: 2 }), (epoch, at, noise) => {
        const text = renderEpoch(epoch);
        const edited = text.slice(0, at) + noise + text.slice(at + 1);
        const parsed = parseEpoch(edited);
        if (parsed !== null) expect(renderEpoch(parsed)).toBe(edited);
      }),
      { numRuns: 1_000 },
    );
  });

  it.each([
    ["", "nothing"],
    [`${GOLDEN} `, "a space more"],
    [`${GOLDEN}\n`, "a line more"],
    [GOLDEN.replace("regent1", "regent2"), "another version"],
    [GOLDEN.replace("t=3", "t=03"), "a leading zero"],
    [GOLDEN.replace("t=3", "t=-3"), "a negative term"],
    [GOLDEN.replace("r=7", "r=9007199254740993"), "a revision that a number can't hold"],
    [GOLDEN.replace("m=auto", "m=manual"), "another mode"],
    [GOLDEN.replace("o=acme", "o=-acme"), "an owner that isn't one"],
    [GOLDEN.toUpperCase(), "upper case"],
  ])("%j is not one: %s", (text) => {
    expect(parseEpoch(text)).toBeNull();
  });

  it("is never rendered from fields that can't be read back", () => {
    expect(() => renderEpoch(testEpoch({ owner: "two words" }))).toThrow(/can't be read back/);
    expect(() => renderEpoch(testEpoch({ revision: 1.5 }))).toThrow(/can't be read back/);
  });
});

describe("the record set of the epoch", () => {
  const spec = testService();
  const set = toEpochSet(spec, testEpoch());

  it("is a quoted TXT with the service's TTL", () => {
    expect(set).toEqual({ name: "_regent.www.example.com", type: "TXT", ttl: 30, values: [`"${GOLDEN}"`] });
    expect(readEpochSet(set)).toEqual(testEpoch());
  });

  it.each([
    ["another type", { ...set, type: "SPF" }],
    ["no value", { name: set.name, type: "TXT", ttl: 30 }],
    ["two values", { ...set, values: [`"${GOLDEN}"`, '"v=spf1 -all"'] }],
    ["two strings", { ...set, values: [`"${GOLDEN}" "more"`] }],
    ["no quotes", { ...set, values: [GOLDEN] }],
    ["one quote", { ...set, values: ['"'] }],
    ["a routing policy", { ...set, setIdentifier: "one", weight: 1 }],
    ["somebody else's text", { ...set, values: ['"heritage=external-dns,external-dns/owner=x"'] }],
  ])("with %s says nothing to us", (_, other) => {
    expect(readEpochSet(other)).toBeNull();
  });
});
