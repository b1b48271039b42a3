/**
 * Every default of `standard` is held by a rehearsal that ships, or is listed with why none can. Here each is tried on the rehearsal that is listed as
 * holding it, and the insensitive ones on a few; `regent rehearse --sensitivity` tries all on all, which takes a minute.
 */
import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { REHEARSALS, readShipped } from "../testing/rehearse.ts";
import { type Variation, variationsOfStandard, varyDefault } from "./defaults.ts";
import { judgeVariation, type RehearsalText, tryVariation } from "./sensitivity.ts";
import { EMPTY_LIST, readSensitivityList } from "./sensitivity-list.ts";

const FILE = "sensitivity.yaml";
const read = readSensitivityList(readShipped(FILE), FILE);
if (read.kind === "invalid") throw new Error(read.lines.join("\n"));
const { list } = read;

const shipped = (name: string): RehearsalText => ({
  name,
  fileName: `${name}.yaml`,
  text: readShipped(`${name}.yaml`),
  readConfig: async (path) => ({ text: readShipped(path), fileName: path }),
});
const SOME = ["to-the-second", "too-little-left", "small-target"].map(shipped);
const variations = variationsOfStandard();
const titled = variations.map((variation) => ({ variation, title: `${variation.default} ${variation.turn}` }));
const listedAs = (kind: string) => titled.filter(({ variation }) => list.of(variation).kind === kind);

test("every changed default is listed, and holders ship", () => {
  expect(listedAs("unlisted").map(({ title }) => title)).toEqual([]);
  const names = readdirSync(fileURLToPath(REHEARSALS)).map((name) => name.replace(/\.yaml$/, ""));
  for (const { variation } of listedAs("held")) {
    const listed = list.of(variation);
    expect(names).toContain(listed.kind === "held" ? listed.by : "");
  }
  expect(listedAs("held").length).toBeGreaterThan(9 * listedAs("insensitive").length);
});

describe("what is listed as held", () => {
  test.each(listedAs("held"))("$title", async ({ variation }) => {
    const listed = list.of(variation);
    if (listed.kind !== "held") throw new Error("not held");
    expect((await tryVariation(shipped(listed.by), variation)).outcome).toBe("failed");
  });
});

describe("what is listed as insensitive", () => {
  test.each(listedAs("insensitive"))("$title", async ({ variation }) => {
    const verdict = await judgeVariation(SOME, variation, { list, all: true });
    expect(verdict).toMatchObject({ isAsListed: true, tried: { fails: [] }, says: expect.stringMatching(/^insensitive: /) });
  });
});

test("a default that nothing holds is told, and so is one that is held although listed otherwise", async () => {
  const ttl = variations.find((one) => one.default === "ttl" && one.turn === "halved") as Variation;
  expect(await judgeVariation([shipped("frozen")], ttl, { list: EMPTY_LIST, all: false })).toMatchObject({
    isAsListed: false,
    says: "fails nothing of 1 rehearsals",
  });
  const fall = variations.find((one) => one.default === "settings.fall" && one.turn === "doubled") as Variation;
  const insensitive = { of: () => ({ kind: "insensitive", why: "nobody looks" }) as const };
  expect(await judgeVariation([shipped("to-the-second")], fall, { list: insensitive, all: false })).toMatchObject({
    isAsListed: false,
    says: "listed as insensitive, and fails to-the-second",
  });
});

describe("a changed default", () => {
  const fall: Variation = { default: "settings.fall", turn: "doubled", from: 3, to: 6 };
  const step: Variation = { default: "safety.stepMax", turn: "doubled", from: 0.1, to: 0.2 };

  test("stands where a configuration says nothing, and not where it does or has another profile", () => {
    const services = [{ id: "a" }, { id: "b", settings: { fall: 4 } }, { id: "c", profile: "careful" }];
    expect(varyDefault(fall)({ services })).toEqual({
      services: [{ id: "a", settings: { fall: 6 } }, services[1], services[2]],
    });
    const said = { safety: { stepMax: 0.3 }, services: [{ id: "a" }] };
    expect(varyDefault(step)(said)).toBe(said);
  });

  test("law: no variation leaves a default as it was, and each can be declared", () => {
    for (const { from, to } of variations) expect(to).not.toEqual(from);
    expect(new Set(titled.map(({ title }) => title)).size).toBe(titled.length);
  });
});

describe("the list", () => {
  test.each([
    [
      "a default that isn't one",
      "sensitivity: 1\ndefaults: { settings.fal: { halved: { heldBy: x } } }",
      /settings\.fal\.halved: no default/,
    ],
    ["both words", "sensitivity: 1\ndefaults: { ttl: { halved: { heldBy: x, insensitive: because of it } } }", /one of the two/],
    ["no word", "sensitivity: 1\ndefaults: { ttl: { halved: {} } }", /one of the two/],
    ["another turn", "sensitivity: 1\ndefaults: { ttl: { tripled: { heldBy: x } } }", /defaults/],
    ["another format", "sensitivity: 2\ndefaults: {}", /sensitivity/],
    ["no YAML", "a: [", /\S/],
  ])("%s is refused", (_, text, why) => {
    const answer = readSensitivityList(text, FILE);
    expect(answer.kind === "invalid" ? answer.lines.join("\n") : "").toMatch(why);
  });
});
