/** Names in Route 53's spelling: both ways, sorted, and the ones it refuses. */
import { describe, expect, test } from "vitest";
import { isWithin, nameFromWire, nameToWire, parentOf, parseName, sortKeyOf } from "./names.ts";
import { createZoneShelf } from "./zone-shelf.ts";

describe("a name", () => {
  test.each([
    ["www.example.test", "www.example.test."],
    ["WWW.Example.TEST.", "www.example.test."],
    ["*.example.test", "\\052.example.test."],
    ["\\052.example.test.", "\\052.example.test."],
    ["a\\056b.example.test", "a\\056b.example.test."],
    ["\\101.example.test", "a.example.test."],
    ["_regent.example.test", "_regent.example.test."],
  ])("%s is spelled %s, and that again is the same", (given, spelled) => {
    expect(parseName(given)).toEqual({ kind: "name", name: spelled });
    expect(parseName(spelled)).toEqual({ kind: "name", name: spelled });
  });
  test.each([
    ["a..b", "DomainLabelEmpty"],
    [".", "DomainLabelEmpty"],
    ["", "DomainLabelEmpty"],
    [`${"x".repeat(64)}.test`, "DomainLabelTooLong"],
    [`${"x.".repeat(128)}test`, "DomainNameTooLong"],
    ["ex ample.test", "UnsupportedCharacter"],
    ["exämple.test", "UnsupportedCharacter"],
  ])("%s is refused as %s", (given, code) => expect(parseName(given)).toMatchObject({ kind: "invalid", code }));

  test("goes to the wire and comes back", () => {
    expect(nameToWire("\\052.example.test.")).toBe("*.example.test");
    expect(nameFromWire("*.Example.Test")).toBe("\\052.example.test.");
    expect([nameFromWire("."), nameFromWire("")]).toEqual([".", "."]);
  });
  test("sorts by labels from the right with a dot after each, an asterisk before letters", () => {
    const names = [
      "b.example.test.",
      "z.a.example.test.",
      "example.test.",
      "\\052.example.test.",
      "a.example.test.",
      "a-b.example.test.",
    ];
    const sorted = [...names].sort((a, b) => (sortKeyOf(a) < sortKeyOf(b) ? -1 : 1));
    expect(sorted).toEqual([
      "example.test.",
      "\\052.example.test.",
      "a-b.example.test.",
      "a.example.test.",
      "z.a.example.test.",
      "b.example.test.",
    ]);
  });
  test("is within its zone label by label, not letter by letter", () => {
    expect([isWithin("a.example.test.", "example.test."), isWithin("badexample.test.", "example.test.")]).toEqual([true, false]);
  });
  test("has parents up to the root, which is its own", () => {
    expect([parentOf("a.test."), parentOf("test."), parentOf(".")]).toEqual(["test.", ".", "."]);
  });
});

describe("the shelf", () => {
  test("finds the nearest zone above a name, and none for a name that isn't spelled right or has no zone", () => {
    const shelf = createZoneShelf(1);
    const hold = (id: string, name: string) => shelf.hold({ id, name, callerReference: id }, new Map());
    hold("Z1", "example.test.");
    hold("Z2", "sub.example.test.");
    hold("Z3", "example.test.");
    const idOf = (name: string) => shelf.holding(name)?.head.id;
    expect(["example.test.", "a.sub.example.test.", "test.", ".", "", "example.test"].map(idOf)).toEqual([
      "Z1",
      "Z2",
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
    shelf.release("Z1");
    expect(idOf("a.example.test.")).toBe("Z3");
  });
});
