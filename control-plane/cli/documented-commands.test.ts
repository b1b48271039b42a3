/** Every command that a document tells one to type must exist, with its options: the reader has no time to find out. */
import { readdirSync, readFileSync } from "node:fs";
import type { Command } from "commander";
import { describe, expect, test } from "vitest";
import { createProgram } from "./program.ts";

const ROOT = new URL("../../", import.meta.url);
const PAGES = [
  "README.md",
  ...["docs/", "docs/runbooks/", "docs/problems/"].flatMap((folder) =>
    readdirSync(new URL(folder, ROOT))
      .filter((name) => name.endsWith(".md"))
      .map((name) => folder + name),
  ),
];

const program = createProgram({
  out: () => undefined,
  err: () => undefined,
  env: {},
  isInteractive: false,
  columns: () => 80,
} as unknown as Parameters<typeof createProgram>[0]);

/** Lines of fenced code, and code in a sentence, that begin with `regent`. */
const commandsIn = (text: string): string[] =>
  [...text.matchAll(/^ *(?:npx )?regent (.+)$|`(?:npx )?regent ([^`]+)`/gm)].map((found) => (found[1] ?? found[2] ?? "").trim());

/** Words, with a quoted text as one of them, up to a comment. */
const wordsOf = (line: string): string[] => (line.replace(/\s#.*$/, "").match(/"[^"]*"|\S+/g) ?? []).map((word) => word.trim());

/** What is wrong with a command line; null when it can be typed. */
const findFault = (line: string): string | null => {
  let command: Command = program;
  const rest = wordsOf(line);
  for (;;) {
    const child = command.commands.find((one) => one.name() === rest[0] || one.aliases().includes(rest[0] ?? ""));
    if (child === undefined) break;
    command = child;
    rest.shift();
  }
  if (command.commands.length > 0 && rest.length > 0 && !rest[0]?.startsWith("-")) return `no command ${rest[0]}`;
  const options = rest.filter((word) => word.startsWith("--")).map((word) => word.replace(/=.*$/, ""));
  const known = ["--help", "--version", ...command.options.map(({ long }) => long)];
  const unknown = options.find((option) => !known.includes(option));
  return unknown === undefined ? null : `${command.name()} has no ${unknown}`;
};

describe("a command line", () => {
  test.each([
    ["statuss", "no command statuss"],
    ["status --wach", "status has no --wach"],
    ["dead-letters lst", "no command lst"],
    ['failover checkout --to us-east --reson "x"', "failover has no --reson"],
  ])("%s is refused", (line, fault) => {
    expect(findFault(line)).toBe(fault);
  });

  test.each([
    "status --watch",
    'dead-letters drop ID --reason "…"   # for good',
    "sandbox break eu-west dead --agents",
    "--help",
  ])("%s is fine", (line) => {
    expect(findFault(line)).toBeNull();
  });
});

test.each(PAGES)("%s names only commands that exist", (page) => {
  const faults = commandsIn(readFileSync(new URL(page, ROOT), "utf8")).flatMap((line) => {
    const fault = findFault(line);
    return fault === null ? [] : [`regent ${line}: ${fault}`];
  });
  expect(faults).toEqual([]);
});

test("commands are found in code and in sentences", () => {
  expect(commandsIn("```sh\nregent status\n   npx regent dig x\n```\nsee `regent plan FILE`, or regent itself")).toEqual([
    "status",
    "dig x",
    "plan FILE",
  ]);
});
