/** Names, moments and assignments as they are written in a rehearsal. */
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isMatch, selectNames } from "./names.ts";
import { setValue } from "./set-value.ts";
import { momentText, toMs } from "./time.ts";

describe("names", () => {
  test.each([
    ["eu-west", "eu-west", true],
    ["eu-west", "eu-west-2", false],
    ["eu-*", "eu-west", true],
    ["*/aws", "us-east/aws", true],
    ["*/aws", "us-east/aws-2", false],
    ["eu-*/a*s", "eu-west/aws", true],
    ["*", "", true],
    ["a*a", "a", false],
    ["[a-z]*", "eu-west", false],
  ])("%s fits %s: %s", (pattern, name, fits) => {
    expect(isMatch(pattern, name)).toBe(fits);
  });

  test("law: a name fits itself with any part of it starred", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom("a", "b", "/", "-"), maxLength: 12 }),
        fc.nat(12),
        fc.nat(12),
        (name, a, b) => {
          const [from, to] = [Math.min(a, b, name.length), Math.min(Math.max(a, b), name.length)];
          expect(isMatch(`${name.slice(0, from)}*${name.slice(to)}`, name)).toBe(true);
        },
      ),
    );
  });

  test("nothing written is everything", () => {
    expect(selectNames(undefined, ["a"])).toBeNull();
    expect(selectNames(["a*", "b"], ["a1", "b", "c"])).toEqual(new Set(["a1", "b"]));
  });
});

describe("moments", () => {
  test.each([
    ["500ms", 500],
    ["1.5s", 1_500],
    ["15m", 900_000],
    ["2h", 7_200_000],
    ["1d", 86_400_000],
    [90, 90_000],
  ])("%s is %d ms", (written, ms) => {
    expect(toMs(written)).toBe(ms);
  });

  test.each([
    [0, "+0s"],
    [59_960, "+1m00s"],
    [71_940, "+1m11.9s"],
    [3_605_000, "+1h00m05s"],
    [90_061_000, "+25h01m01s"],
    [Number.POSITIVE_INFINITY, "the end"],
  ])("%d ms is told as %s", (ms, text) => {
    expect(momentText(ms)).toBe(text);
  });
});

describe("assignments", () => {
  const root = { services: [{ id: "shop", ttl: 30, endpoints: [{ region: "eu" }, { region: "us" }] }] };

  test("name items of a list by id, region or number, and leave the rest and the original as they are", () => {
    expect(setValue(root, "services.shop.endpoints.us.capacity=2")).toEqual({
      kind: "set",
      value: { services: [{ id: "shop", ttl: 30, endpoints: [{ region: "eu" }, { region: "us", capacity: 2 }] }] },
    });
    expect(setValue(root, "services.0.strategy={ kind: round-robin }")).toMatchObject({
      value: { services: [{ ttl: 30, strategy: { kind: "round-robin" } }] },
    });
    expect(root.services[0]?.endpoints[1]).toEqual({ region: "us" });
  });

  test.each([
    ["services.shap.ttl=1", "there is no shap among shop"],
    ["services.shop.ttl.x=1", "x lies below a plain value"],
    ["services", "is not path=value"],
    ["=3", "is not path=value"],
    ["a=[", "can't be read"],
  ])("%s is refused", (assignment, why) => {
    expect(setValue(root, assignment)).toEqual({ kind: "wrong", why: expect.stringContaining(why) });
  });

  test("no path reaches a prototype", () => {
    setValue(root, "__proto__.polluted=true");
    setValue(root, "constructor.prototype.polluted=true");
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });
});
