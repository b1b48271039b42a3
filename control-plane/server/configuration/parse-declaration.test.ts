import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DECLARATION_ERRORS_MAX } from "./limits.ts";
import { parseDeclaration, toErrorLines } from "./parse-declaration.ts";
import { EXAMPLE_TEXT, SMALL_TEXT, testDeclaration, testErrors, testText } from "./testing/example.ts";

test("the documented example is valid and has nothing to warn of", () => {
  expect(testErrors(EXAMPLE_TEXT)).toEqual([]);
  expect(testDeclaration(EXAMPLE_TEXT).warnings).toEqual([]);
});

test("defaults are filled in", () => {
  const { declaration } = testDeclaration(SMALL_TEXT);
  expect(declaration).toMatchObject({ profile: "standard", quorum: { networks: 2 }, epochLabel: "_regent" });
  expect(declaration.services[0]?.checks[0]).toMatchObject({ from: "everywhere", scope: "region", criticality: "critical" });
});

describe("text that can't be read", () => {
  test.each([
    ["nothing", "", "1 : the file is empty"],
    ["only a comment", "# nothing\n", "1 : the file is empty"],
    [
      "an open list",
      "regent: 1\nzones: [\n",
      "3 : not valid YAML: Flow sequence in block collection must be sufficiently indented and end with a ]",
    ],
    ["a tab", "regions:\n\t- id: eu\n", "2 : a tab is not accepted as indentation; indent with spaces"],
    ["a tag", "regent: !int 1\n", "1 : tags (!name) are not accepted; write the plain value"],
    ["a binary tag", "owner: !!binary aGk=\n", "1 : tags (!name) are not accepted; write the plain value"],
    [
      "a second document",
      "regent: 1\n---\nregent: 1\n",
      "2 : a second document starts here (---); one file holds one declaration",
    ],
    ["an alias without anchor", "regent: 1\nowner: *me\n", "2 owner: no value is anchored as &me"],
    ["a value inside itself", "regent: &a\n  - *a\n", "2 regent[0]: *a refers to itself"],
    ["a list as a key", "regent: 1\n? [a]\n: 1\n", "2 : a key must be plain text"],
    ["depth", `regent: ${"[".repeat(50)}${"]".repeat(50)}`, `1 regent${"[0]".repeat(40)}: nested deeper than 40 levels`],
    ["many aliases", `a: &a 1\nb: [${"*a, ".repeat(101)}]`, "1 : more than 100 uses of anchored values (&name, *name)"],
    ["size", `# ${"x".repeat(1024 * 1024)}`, "1 : the file is larger than 1 MiB"],
  ])("%s is told with its line", (_, text, error) => {
    expect(testErrors(text)[0]).toBe(error);
  });

  test("aliases of aliases are stopped before they multiply", () => {
    const bomb = ["a0: &a0 [x]", ...Array.from({ length: 9 }, (_, at) => `a${at + 1}: &a${at + 1} [${`*a${at}, `.repeat(9)}]`)];
    expect(testErrors(bomb.join("\n"))).toEqual(["1 : more than 100 uses of anchored values (&name, *name)"]);
  });

  test("deep nesting ends in an error, not in the end of the stack", () => {
    for (const opener of ["[", "{a: ", "- ", "? "])
      expect(testErrors(opener.repeat(5_000))[0]).toMatch(/nested deeper|not valid YAML/);
  });

  test("an anchored value may be used again", () => {
    const text = testText(["A: [192.0.2.1] }", "A: &address [192.0.2.1] }"], ["A: [192.0.2.2] }", "A: *address }"]);
    expect(testDeclaration(text).declaration.services[0]?.endpoints[1]?.A).toEqual(["192.0.2.1"]);
  });
});

describe("a value of the wrong shape", () => {
  test.each([
    ["regent: 1", "regent: 2", "1 regent: 2 must be 1"],
    ["owner: small\n", "", '1 owner: "owner" is missing'],
    ["owner: small", "owner: 12", '2 owner: must be a text, not 12; put it in quotes: "12"'],
    ["owner: small", "ownr: small", '1 owner: "owner" is missing', '2 ownr: unknown key "ownr"; did you mean "owner"?'],
    ["owner: small", "owner: small\nowner: tall", '3 owner: the key "owner" stands here twice'],
    [
      "owner: small",
      "owner: small\nprofile: standrad",
      '3 profile: "standrad" is not one of standard, careful, sandbox; did you mean "standard"?',
    ],
    [
      "id: us\n",
      "id: US\n",
      '6 regions[1].id: "US" is not accepted (region id: 1 to 32 of a-z, 0-9 and "-", not starting or ending with "-")',
    ],
    ["zones: [{ id: ZONE1, name: example.com }]", "zones: []", "3 zones: must have at least 1 entries, has 0"],
    [
      "A: [192.0.2.1]",
      "A: 192.0.2.1",
      '21 services[0].endpoints[0].A: must be a list or a map of keys, not the text "192.0.2.1"; write a list: [192.0.2.1]',
    ],
    [
      "A: [192.0.2.1]",
      "A: { alias: { name: lb.example.net } }",
      '21 services[0].endpoints[0].A.alias.hostedZoneId: "hostedZoneId" is missing',
    ],
    [
      "A: [192.0.2.1]",
      "B: [192.0.2.1]",
      '21 services[0].endpoints[0].B: unknown key "B"; known here: region, priority, capacity, headroom, A, AAAA, CNAME, healthCheckId, probe, targets',
    ],
    ["region: us, A", "priority: 0, region: us, A", "22 services[0].endpoints[1].priority: 0 must be at least 1"],
    [
      "region: us, A",
      "priority: '2', region: us, A",
      '22 services[0].endpoints[1].priority: must be a number, not the text "2"; write it without quotes',
    ],
    [
      "region: us, A",
      'targets: { "A B": "x:1" }, region: us, A',
      '22 services[0].endpoints[1].targets["A B"]: the key "A B" is not accepted (check id: 1 to 32 of a-z, 0-9 and "-", not starting or ending with "-")',
    ],
    ["kind: http", "kind: htp", '24 services[0].checks[0].kind: "htp" is not one of http, tcp, postgres; did you mean "http"?'],
    ["kind: http", "knd: http", '24 services[0].checks[0].kind: "kind" is missing; one of http, tcp, postgres'],
    [
      "kind: http",
      "kind: http, from: insde",
      '24 services[0].checks[0].from: "insde" is not one of inside, outside, everywhere; did you mean "inside"?',
    ],
    ["kind: active-passive", "kind: active-passive, trickle: 0.5", "19 services[0].strategy.trickle: 0.5 must be at most 0.2"],
    [
      "kind: active-passive",
      "kind: active-passive, panicBelow: 0.5",
      '19 services[0].strategy.panicBelow: unknown key "panicBelow"; known here: kind, failback, panic, trickle',
    ],
    [
      "strategy: { kind: active-passive }",
      "strategy: active-passive",
      '19 services[0].strategy: must be a map of keys, not the text "active-passive"',
    ],
  ])("%s written as %s", (from, to, ...errors) => {
    expect(testErrors(testText([from, to]))).toEqual(errors);
  });

  test("what stands beside a misspelt kind is checked as if it were spelt right", () => {
    expect(testErrors(testText(["kind: active-passive", "kind: active-pasive, failbak: manual"]))).toEqual([
      '19 services[0].strategy.kind: "active-pasive" is not one of active-passive, active-active, round-robin; did you mean "active-passive"?',
      '19 services[0].strategy.failbak: unknown key "failbak"; did you mean "failback"?',
    ]);
  });
});

describe("all errors at once", () => {
  test("an unknown region, a duplicate, a weight out of range and a wrong type are told together, in the order of the file", () => {
    const text = testText(
      ["region: us, network: a", "region: uss, network: a"],
      ["- id: ap", "- id: eu"],
      ["region: eu, A", "region: eu, headroom: 0.5, A"],
      ["id: api, kind: http", "id: api, kind: http, tls: maybe"],
      ["zone: example.com", "zone: exmple.com"],
    );
    expect(testErrors(text)).toEqual([
      '7 regions[2].id: region "eu" is declared twice',
      '11 agents[2].region: unknown region "uss"; did you mean "us"?',
      '13 agents[4].region: unknown region "ap"; declared: eu, us',
      '14 agents[5].region: unknown region "ap"; declared: eu, us',
      '18 services[0].zone: unknown zone "exmple.com"; did you mean "example.com"?',
      "21 services[0].endpoints[0].headroom: 0.5 must be at least 1",
      '24 services[0].checks[0].tls: must be true or false, not the text "maybe"',
    ]);
  });

  test("numbers in paths are those of the file, also after an entry that can't be read", () => {
    const text = testText(
      ["- id: eu\n", "- id: EU\n"],
      ["region: us, A: [192.0.2.2]", "region: us, A: [192.0.2.2, nonsense]"],
      ['publicKeys: ["AgIC', 'publicKeys: ["AQEB'],
    );
    expect(testErrors(text)).toEqual([
      '5 regions[0].id: "EU" is not accepted (region id: 1 to 32 of a-z, 0-9 and "-", not starting or ending with "-")',
      '22 services[0].endpoints[1].A[1]: "nonsense" is not an IPv4 address',
    ]);
    const second = text.replace("id: eu-a, region: eu", "id: eu-a, rgion: eu");
    expect(
      testErrors(second.replace("us-b, region: us", "us-b, region: uk")).filter((error) => error.includes("agents")),
    ).toEqual(['9 agents[0].region: "region" is missing', '9 agents[0].rgion: unknown key "rgion"; did you mean "region"?']);
  });

  test("one bad value doesn't echo: a region that can't be read is not also unknown wherever it is used", () => {
    expect(testErrors(testText(["- id: eu\n", "- id: eu\n    nme: Europe\n"]))).toEqual([
      '6 regions[0].nme: unknown key "nme"; did you mean "name"?',
    ]);
  });

  test("no more errors are told than a person reads", () => {
    const services = Array.from({ length: 200 }, () => "  - { nonsense: 1 }").join("\n");
    expect(testErrors(`regent: 1\nservices:\n${services}\n`)).toHaveLength(DECLARATION_ERRORS_MAX);
  });
});

test("errors print as file, line, column, path, message and suggestion", () => {
  const parsed = parseDeclaration(testText(["region: us, network: a", "region: uss, network: a"]), "prod/regent.yaml");
  expect(parsed.kind === "invalid" && toErrorLines(parsed)).toEqual([
    'prod/regent.yaml:11:25 agents[2].region: unknown region "uss"; did you mean "us"?',
  ]);
});

describe("no text makes it throw", () => {
  const survives = (text: string): void => {
    const parsed = parseDeclaration(text, "regent.yaml");
    const lines = text.split("\n").length;
    if (parsed.kind === "valid") return;
    expect(parsed.errors.length).toBeGreaterThan(0);
    for (const { line, column, message } of parsed.errors) {
      expect(line).toBeGreaterThanOrEqual(1);
      expect(line).toBeLessThanOrEqual(lines);
      expect(column).toBeGreaterThanOrEqual(1);
      expect(message).not.toBe("");
    }
  };

  test("any string", () => {
    fc.assert(fc.property(fc.string({ maxLength: 300, unit: "binary" }), survives), { numRuns: 60 });
  });

  test("strings of YAML's own characters", () => {
    const unit = fc.constantFrom(
      "[",
      "]",
      "{",
      "}",
      ":",
      " ",
      "\n",
      "-",
      "?",
      "&a",
      "*a",
      "!",
      "|",
      ">",
      "'",
      '"',
      "#",
      "a",
      "1",
      "\t",
      "__proto__",
      "<<",
    );
    fc.assert(fc.property(fc.string({ unit, maxLength: 60 }), survives), { numRuns: 150 });
  });

  test("the small declaration with a piece cut out, moved or replaced", () => {
    const piece = fc.tuple(
      fc.nat(SMALL_TEXT.length),
      fc.nat(40),
      fc.oneof(fc.string({ maxLength: 8 }), fc.constantFrom("null", "[]", "{}", "-1", "1e999", "true", "__proto__: 1")),
    );
    fc.assert(
      fc.property(fc.array(piece, { minLength: 1, maxLength: 3 }), (pieces) => {
        survives(pieces.reduce((text, [at, length, other]) => text.slice(0, at) + other + text.slice(at + length), SMALL_TEXT));
      }),
      { numRuns: 80 },
    );
  });

  test("any JSON value in any place", () => {
    const parts = [
      "1",
      "small",
      "example.com",
      "[192.0.2.1]",
      "{ kind: active-passive }",
      "http",
      "ZONE1",
      "eu\n",
      "[{ id: ZONE1, name: example.com }]",
    ];
    fc.assert(
      fc.property(fc.constantFrom(...parts), fc.jsonValue({ maxDepth: 2 }), (part, value) => {
        survives(testText([part, `${JSON.stringify(value)}${part.endsWith("\n") ? "\n" : ""}`]));
      }),
      { numRuns: 80 },
    );
  });
});
