/**
 * The index of rules in docs/REHEARSAL.md against the files and the rules: for each rule a table, a law, and a pair of rehearsals that differ in one
 * input, one in which the rule is the only objection and one in which it allows the move. Where a rehearsal can't reach a rule, a test that is named does.
 */
import { readFileSync } from "node:fs";
import { RuleId } from "@regent/contract";
import { describe, expect, test } from "vitest";
import { type Ran, readShipped, run } from "../testing/rehearse.ts";

const ROOT = new URL("../../../", import.meta.url);
const open = (path: string): string => readFileSync(new URL(path, ROOT), "utf8");
const SAFETY = "control-plane/engine/safety/";

interface Row {
  readonly rule: string;
  readonly table: string;
  readonly law: string;
  readonly pair: string;
}

const [, index = ""] = open("docs/REHEARSAL.md").split("<!-- rules -->");
const rows: readonly Row[] = [...index.split("<!-- end of rules -->")[0]!.matchAll(/^\| (A\d+) \|(.*)\|$/gm)].map(
  ([, rule = "", rest = ""]) => {
    const [table = "", law = "", pair = ""] = rest.split("|").map((cell) => cell.trim().replaceAll("`", ""));
    return { rule, table, law, pair };
  },
);
const reached = rows.filter(({ pair }) => !pair.startsWith("none"));

/** What is said of this rule in a file, up to the next rule's part. */
const partOf = (file: string, rule: string): string =>
  open(SAFETY + file)
    .split(/^(?=describe)/m)
    .filter((part) => new RegExp(`^describe\\("${rule}\\b`).test(part) || part.startsWith("describe.each"))
    .filter((part) => part.includes(`"${rule}`))
    .join("\n");

test("every rule has a row, in order, and no row is of no rule", () => {
  expect(rows.map(({ rule }) => rule).sort()).toEqual([...RuleId.options].sort());
});

describe.each(rows)("$rule", ({ rule, table, law, pair }) => {
  test("has a table and a law where the index says", () => {
    expect(partOf(table, rule)).toMatch(/\.each[(<]|for \(const/);
    expect(partOf(law, rule)).toContain("law: ");
  });

  test.runIf(pair.startsWith("none"))("is shown elsewhere, and the index says why", () => {
    const [, why = "", file = ""] = /^none: (.{20,}); (\S+\.test\.ts)$/.exec(pair) ?? [];
    expect(why).not.toBe("");
    expect(open(file)).toContain(rule);
  });
});

/** Moves that this rule alone held, or that somebody asked for and it alone refused. */
const heldAlone = ({ run: { told } }: Ran, rule: string): boolean =>
  told.held.some(({ rules, mode }) => mode === null && rules.length === 1 && rules[0]?.rule === rule) ||
  told.answers.some(({ is, rules }) => is === "refused" && rules.length === 1 && rules[0] === rule);

const allowedBy = ({ run: { told } }: Ran, rule: string): boolean =>
  told.changes.some(
    ({ kind, rules }) => kind !== "create" && rules.some((one) => one.rule === rule && one.answer === "allow" && !one.skipped),
  );

describe.each(reached)("$rule", ({ rule, pair }) => {
  test(`is the only objection in ${pair}, and allows in its twin`, async () => {
    expect(heldAlone(await run(readShipped(`${pair}.yaml`), `${pair}.yaml`), rule)).toBe(true);
    expect(allowedBy(await run(readShipped(`${pair}.twin.yaml`), `${pair}.twin.yaml`), rule)).toBe(true);
  });
});
