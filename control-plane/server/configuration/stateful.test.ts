/** The part `stateful` of a service: what is refused, and what it resolves to. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { toDifference } from "./difference.ts";
import { testDeclaration, testErrors, testText } from "./testing/example.ts";
import { toServiceSpecs } from "./to-specs.ts";

const CHECKS = "      - { id: api, kind: http }\n";
const TARGETS = [
  ["A: [192.0.2.1] }", 'A: [192.0.2.1], targets: { db: "10.0.0.1:5432" } }'],
  ["A: [192.0.2.2] }", 'A: [192.0.2.2], targets: { db: "10.0.0.2:5432" } }'],
] as const;
const DATABASE = "{ id: db, kind: postgres, from: inside, port: 5432, secret: probe }";
const declared = (stateful = "{ check: db }", database = DATABASE, strategy = "active-passive"): string =>
  testText(
    ...TARGETS,
    [CHECKS, `${CHECKS}      - ${database}\n    stateful: ${stateful}\n`],
    ["strategy: { kind: active-passive }", `strategy: { kind: ${strategy} }`],
  );

test("what nobody said has a default, in milliseconds, and a hook is a hook", () => {
  const [spec] = toServiceSpecs(testDeclaration(declared()).declaration);
  expect(spec?.stateful).toEqual({
    check: "db",
    lagMaxMs: 10_000,
    leaseMs: 10_000,
    prepareMs: 120_000,
    roleMs: 60_000,
    hasHook: false,
  });
  const hook = '{ check: db, leaseSeconds: 2.5, hook: { url: "https://hooks.example.net/", secret: { file: hook } } }';
  expect(toServiceSpecs(testDeclaration(declared(hook)).declaration)[0]?.stateful).toMatchObject({
    leaseMs: 2_500,
    hasHook: true,
  });
});

test("a service that doesn't say so has no writable place", () => {
  expect(toServiceSpecs(testDeclaration(testText()).declaration)[0]?.stateful).toBeNull();
});

test("what docs/HOOKS.md shows can be declared", () => {
  const page = readFileSync(new URL("../../../docs/HOOKS.md", import.meta.url), "utf8");
  const shown = /```yaml\n(checks:[\s\S]*?)```/.exec(page)?.[1]?.replace("checks:\n", "") ?? "";
  const indented = shown.replaceAll(/^(?=.)/gm, "    ");
  const { declaration } = testDeclaration(testText(...TARGETS, [CHECKS, `${CHECKS}${indented}`]));
  expect(declaration.services[0]?.stateful?.hook?.secret).toEqual({ env: "REGENT_SECRET_PROMOTE" });
});

describe("is refused", () => {
  const HOOK = "{ check: db, hook: { url: URL, secret: SECRET } }";
  const hook = (url: string, secret = "{ file: hook }"): string => HOOK.replace("URL", `"${url}"`).replace("SECRET", secret);
  test.each([
    ["a check that isn't there", "{ check: bd }", DATABASE, 'unknown check "bd"; did you mean "db"?'],
    ["a check of another kind", "{ check: api }", DATABASE, "it is of kind http, and only postgres tells a role"],
    ["a check from outside", "{ check: db }", DATABASE.replace("inside", "outside"), "only agents outside run it"],
    ["a check without a secret", "{ check: db }", DATABASE.replace(", secret: probe", ""), "without a secret nobody logs in"],
    ["a check that one side fails", "{ check: db }", DATABASE.replace("}", ", role: writable }"), "with role: writable one side"],
    ["a secret itself", hook("https://h.example.net/", "hunter2"), DATABASE, "secret"],
    ["a URL with a password", hook("https://me:pw@h.example.net/"), DATABASE, "url"],
    ["another protocol", hook("ftp://h.example.net/"), DATABASE, "url"],
    ["a lease without end", "{ check: db, leaseSeconds: 301 }", DATABASE, "301 must be at most 300"],
    ["no time at all", "{ check: db, prepareSeconds: 0 }", DATABASE, "0 must be at least 1"],
    ["an unknown key", "{ check: db, lag: 1 }", DATABASE, 'unknown key "lag"'],
  ])("%s", (_, stateful, database, expected) => {
    expect(testErrors(declared(stateful, database)).join("\n")).toContain(expected);
  });

  test.each([
    ["active-active", "a stateful service has one writable place, and active-active sends traffic to several"],
    ["round-robin", "round-robin sends traffic to several"],
    ["active-passive, trickle: 0.05", "a stateful service's standbys get no traffic, and trickle is 0.05"],
  ])("%s", (strategy, expected) => {
    const errors = testErrors(declared(undefined, undefined, strategy));
    expect(errors).toHaveLength(1);
    expect(errors[0]).toContain(expected);
  });
});

test("a family with a preference of its own is refused", () => {
  const families = `    families: [{ id: near, name: near.example.com, priority: { us: 1, eu: 2 } }]\n`;
  const errors = testErrors(declared().replace("    stateful:", `${families}    stateful:`));
  expect(errors.join("\n")).toContain('family "near" prefers regions of its own');
});

test("it is told that nobody sees a database, and that nobody is asked to promote", () => {
  const hook = '{ check: db, hook: { url: "https://hooks.example.net/", secret: { file: hook } } }';
  const warningsOf = (text: string) => testDeclaration(text).warnings.filter((warning) => /role|hook/.test(warning));
  expect(warningsOf(declared(hook))).toEqual([]);
  expect(warningsOf(declared())).toEqual([expect.stringContaining("no hook is declared")]);
  const blind = declared(hook).replaceAll("region: us, network", "region: ap, network");
  expect(warningsOf(blind)).toEqual([expect.stringContaining("no agent stands in us")]);
});

test("a change of it is a change, in words, and names no secret", () => {
  const [before, after] = [declared(), declared("{ check: db, lagMaxSeconds: 3 }")].map(
    (text) => testDeclaration(text).declaration,
  );
  if (!before || !after) throw new Error("not declared");
  expect(toDifference(before, after)).toEqual([expect.stringMatching(/^service www: stateful\.lagMaxSeconds: 10 -> 3/)]);
});
