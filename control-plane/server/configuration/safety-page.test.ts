/** docs/SAFETY.md is what operators choose limits by: its tables must be what the code does. */
import { readdirSync, readFileSync } from "node:fs";
import { Safety as DeclaredSafety, ProfileName, RuleId } from "@regent/contract";
import { RULES } from "@regent/engine/safety/evaluate.ts";
import { expect, test } from "vitest";
import { SAFETY } from "./profiles.ts";
import { RULES_THAT_ASK } from "./safety-holders.ts";

const PAGE = readFileSync(new URL("../../../docs/SAFETY.md", import.meta.url), "utf8");
const ENGINE = new URL("../../engine/safety/", import.meta.url);

/** The rows of the table under `<!-- name -->`, without its head. */
const tableOf = (name: string): string[][] => {
  const [, after = ""] = PAGE.split(`<!-- ${name} -->`);
  const lines = after.trimStart().split("\n");
  const end = lines.findIndex((line) => !line.startsWith("|"));
  return lines.slice(2, end).map((line) =>
    line
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
};

const BINDS = { everyone: "everybody", "break-glass": "people too", automation: "automation" } as const;
const ANSWERS = { deny: "denies", defer: "defers", clamp: "clamps", requireApproval: "asks" } as const;

/** What the rule's file can answer beside `allow`. */
const answersOf = (rule: RuleId): string[] => {
  const file = readdirSync(ENGINE).find(
    (name) => name.startsWith(`a${rule.slice(1).padStart(2, "0")}-`) && !name.includes(".test."),
  );
  if (file === undefined) throw new Error(`${rule} has no file in engine/safety`);
  const text = readFileSync(new URL(file, ENGINE), "utf8");
  return Object.entries(ANSWERS)
    .filter(([name]) => new RegExp(`\\b${name}\\(`).test(text))
    .map(([, word]) => word);
};

test("the table of rules names every rule, whom it binds and what it answers", () => {
  const rows = tableOf("rules");
  expect(rows.map(([rule]) => rule)).toEqual(RuleId.options);
  for (const [rule, , binds, answers = ""] of rows) {
    const found = RULES.find(({ id }) => id === rule);
    if (found === undefined) throw new Error(`the engine asks no ${rule}`);
    expect([rule, binds]).toEqual([rule, BINDS[found.binds]]);
    expect([rule, ...answers.split(", ").sort()]).toEqual([rule, ...answersOf(found.id).sort()]);
  }
});

test("the table of limits holds every limit with its value in each profile", () => {
  const rows = tableOf("limits");
  expect(rows.map(([name]) => name)).toEqual(Object.keys(DeclaredSafety.shape).map((name) => `\`${name}\``));
  for (const [cell = "", , ...values] of rows) {
    const name = cell.replaceAll("`", "");
    const told = ProfileName.options.map((profile) => {
      const limits: Readonly<Record<string, unknown>> = { ...SAFETY[profile] };
      const value = name.endsWith("Seconds") ? Number(limits[name.replace(/Seconds$/, "Ms")]) / 1_000 : limits[name];
      if (name === "onApprovalTimeout") return Object.keys(value as object).length === 0 ? "stay" : JSON.stringify(value);
      return value === null ? "none" : String(value);
    });
    expect([name, ...values]).toEqual([name, ...told]);
  }
});

test("rules that may leave a move to a person are those that the engine lets ask", () => {
  expect(RULES.map(({ id }) => id).filter((id) => answersOf(id).includes("asks"))).toEqual(RULES_THAT_ASK);
});
