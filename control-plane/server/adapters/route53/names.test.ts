import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { bareId, fromRoute53Name, toRoute53Name, unescapeName } from "./names.ts";

describe("names between Route 53's spelling and ours", () => {
  test.for([
    ["\\052.example.com.", "*.example.com"],
    ["www.Example.COM.", "www.example.com"],
    ["_regent-wildcard.example.com.", "_regent-wildcard.example.com"],
    ["od\\041d.example.com.", "od!d.example.com"],
    ["a\\056b.example.com.", "a\\056b.example.com"],
    ["a\\134052.example.com.", "a\\134052.example.com"],
    ["\\303\\244.example.com.", "\\303\\244.example.com"],
  ])("%s is %s", ([listed, ours]) => {
    expect(fromRoute53Name(listed!)).toBe(ours);
    expect(toRoute53Name(ours!)).toBe(listed!.toLowerCase());
  });

  test("whatever Route 53 lists is sent back as it was listed", () => {
    const plain = fc.constantFrom(..."abcxyz0189_-");
    const escaped = fc.integer({ min: 0, max: 255 }).map((byte) => {
      const character = String.fromCharCode(byte);
      return /[a-z0-9_-]/.test(character) ? character : `\\${byte.toString(8).padStart(3, "0")}`;
    });
    const label = fc.array(fc.oneof(plain, escaped), { minLength: 1, maxLength: 12 }).map((parts) => parts.join(""));
    const name = fc.array(label, { minLength: 1, maxLength: 5 }).map((labels) => `${labels.join(".")}.`);
    fc.assert(
      fc.property(name, (listed) => {
        expect(toRoute53Name(unescapeName(listed))).toBe(listed);
      }),
    );
  });

  test("ids lose their prefix, and only that", () => {
    expect(["/hostedzone/Z1", "/change/C1", "Z1"].map(bareId)).toEqual(["Z1", "C1", "Z1"]);
  });
});
