/**
 * The rehearsals that ship: each has a twin that differs in one line of what is put in, and in which the other call is the right one. Code that never
 * moves fails one of each pair, and so does code that always does.
 */
import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { type Ran, REHEARSALS, readShipped, run } from "../testing/rehearse.ts";
import { checkAll, leftBy, receivedBy } from "./check.ts";

/** A folder holds configurations and the list of defaults, too. */
const files = readdirSync(fileURLToPath(REHEARSALS)).filter(
  (name) => name.endsWith(".yaml") && /^rehearsal: 1$/m.test(readShipped(name)),
);
const names = files.filter((name) => !name.endsWith(".twin.yaml")).map((name) => name.replace(/\.yaml$/, ""));

/** What is put in: not what it is called, why it is there, or what is expected of it. */
const inputLines = (text: string): readonly string[] =>
  text
    .slice(0, text.indexOf("\nexpect:"))
    .split("\n")
    .filter((line) => !/^(name|why):|^\s*#/.test(line));

const differences = (one: readonly string[], other: readonly string[]): readonly string[] => [
  ...one.filter((line) => !other.includes(line)).map((line) => `- ${line.trim()}`),
  ...other.filter((line) => !one.includes(line)).map((line) => `+ ${line.trim()}`),
];

/** Which moves were made, and where traffic is in the end. */
const decidedIn = ({ run: { told } }: Ran) => ({
  changes: told.changes.map((change) => [change.service, change.kind, leftBy(change), receivedBy(change)]),
  believed: told.turns.map(({ service, region, to }) => [service, region, to]),
  held: told.held.map(({ service, left, rules, mode }) => [service, left, rules.map(({ rule }) => rule), mode]),
  serves: told.standings.at(-1)?.weights,
});

/** Both tests of a pair look at the same two runs. */
const once = <T>(work: () => Promise<T>): (() => Promise<T>) => {
  let done: Promise<T> | undefined;
  return () => (done ??= work());
};

const missed = ({ checked }: Ran) => checked.filter(({ isMet }) => !isMet);

test("every file is one of a pair, and there are enough of them", () => {
  expect(files.filter((name) => name.endsWith(".twin.yaml")).sort()).toEqual(names.map((name) => `${name}.twin.yaml`).sort());
  expect(names.length).toBeGreaterThanOrEqual(12);
});

describe.each(names)("%s", (name) => {
  const [text, twin] = [readShipped(`${name}.yaml`), readShipped(`${name}.twin.yaml`)];
  const differing = differences(inputLines(text), inputLines(twin));

  test(`differs from its twin in one input: ${differing.join(" / ")}`, () => {
    expect(differing).toHaveLength(2);
    expect(differing.map((line) => line[0])).toEqual(["-", "+"]);
  });

  const both = once(async () => [await run(text, `${name}.yaml`), await run(twin, `${name}.twin.yaml`)] as const);

  test("both come out as expected, and not the same", async () => {
    const [one, other] = await both();
    expect(missed(one)).toEqual([]);
    expect(missed(other)).toEqual([]);
    for (const { checked } of [one, other]) expect(checked.length).toBeGreaterThan(0);
    expect(decidedIn(one)).not.toEqual(decidedIn(other));
  });

  test("neither meets what is expected of the other", async () => {
    const [one, other] = await both();
    for (const [ran, expected] of [
      [one, other.rehearsal.expect],
      [other, one.rehearsal.expect],
    ] as const)
      expect(checkAll(expected, ran.run.told, ran.rehearsal.stepMs).filter(({ isMet }) => !isMet)).not.toEqual([]);
  });
});
