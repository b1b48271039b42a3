/** The command: what it prints, draws and exits with. What rehearsals mean is tested in the simulation's own suites. */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runTyped } from "../testing/typed.ts";

const SHIPPED = fileURLToPath(new URL("../../../docs/rehearsals/", import.meta.url));

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "rehearse-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const regent = (...args: readonly string[]) => runTyped(args, {});

const rehearsal = async (name: string, lines: string): Promise<string> => {
  const file = join(folder, name);
  const config = join(SHIPPED, "shop.yaml");
  await writeFile(file, `rehearsal: 1\nname: tonight\nconfig: ${config}\nfor: 5m\n${lines}`);
  return file;
};

const DEAD = "outcomes:\n  - { regions: eu-west, what: ok*60 timeout }\n";

test("one file is told moment by moment, and its expectations below", async () => {
  const { code, out, err } = await regent("rehearse", join(SHIPPED, "region-dead.yaml"));
  expect({ code, err }).toEqual({ code: 0, err: "" });
  expect(out).toMatch(/\+1m\d\d(\.\d)?s +checkout +→ failover of checkout, left eu-west, us-east received/);
  expect(out).toMatch(/x real time/);
  expect(out).toContain("met, 6 of 6 expectations");
});

test("several files are told in a line each, `test` is the same, and configurations are found beside their files", async () => {
  const files = ["frozen.yaml", "frozen.twin.yaml"].map((name) => join(SHIPPED, name));
  const { code, out } = await regent("test", ...files);
  expect(code).toBe(0);
  expect(out.trim().split("\n")).toHaveLength(2);
});

test("an expectation that isn't met ends with 1, and says where, what was expected and what came", async () => {
  const file = await rehearsal("wrong.yaml", `${DEAD}expect:\n  - { never: true, change: { service: checkout } }`);
  const { code, out, err } = await regent("rehearse", file);
  expect(code).toBe(1);
  expect(out).toContain(`${file}:8`);
  expect(out).toMatch(/expected a change of checkout never from \+0s to \+5m00s\n +got +\+1m\d\d(\.\d)?s failover of checkout/);
  expect(err).toBe("1 expectation not met.\n");
});

test("without expectations nothing can fail", async () => {
  const { code, out } = await regent("rehearse", await rehearsal("plain.yaml", DEAD));
  expect(code).toBe(0);
  expect(out).toContain("Nothing is expected.");
});

test("a file that is wrong ends with 2 and its lines, and none is run", async () => {
  const wrong = await rehearsal("typo.yaml", "outcomes:\n  - { regions: eu-wst, what: timeout }");
  const { code, out, err } = await regent("rehearse", join(SHIPPED, "region-dead.yaml"), wrong);
  expect({ code, out }).toEqual({ code: 2, out: "" });
  expect(err).toContain(`${wrong}:6:16 outcomes[0].regions: no region "eu-wst" is declared; did you mean "eu-west"?`);
  expect(err).toContain("1 error; nothing was rehearsed.");
  expect((await regent("rehearse", join(folder, "none.yaml"))).code).toBe(2);
});

test("--json is one value with everything that happened", async () => {
  const { code, out } = await regent("rehearse", "--json", join(SHIPPED, "frozen.yaml"));
  expect(code).toBe(0);
  const [told] = JSON.parse(out) as [{ isMet: boolean; held: object[]; answers: object[]; figures: { probes: number } }];
  expect(told).toMatchObject({
    isMet: true,
    changes: [expect.objectContaining({ kind: "freeze" })],
    held: [expect.objectContaining({ left: ["eu-west"], until: null })],
    answers: [expect.objectContaining({ at: 30_000, do: "freeze", is: "made" })],
  });
  expect(told.figures.probes).toBeGreaterThan(1_000);
});

test("--svg draws one rehearsal, and no more", async () => {
  const picture = join(folder, "night.svg");
  expect((await regent("rehearse", join(SHIPPED, "region-dead.yaml"), "--svg", picture)).code).toBe(0);
  expect(await readFile(picture, "utf8")).toMatch(/^<svg [\s\S]*us-east 100 %[\s\S]*<\/svg>\n$/);
  expect(await regent("rehearse", picture.replace("night.svg", "night.yaml"), "--svg", picture)).toMatchObject({ code: 2 });
  const unwritable = await regent("rehearse", join(SHIPPED, "region-dead.yaml"), "--svg", join(folder, "none", "night.svg"));
  expect(unwritable).toMatchObject({ code: 1, err: expect.stringContaining("night.svg can't be written: ENOENT") });
  const two = ["frozen.yaml", "frozen.twin.yaml"].map((name) => join(SHIPPED, name));
  expect(await regent("rehearse", ...two, "--svg", picture)).toMatchObject({ code: 2, out: "" });
});

test("--what-if tells both runs side by side, and what each cost", async () => {
  const file = join(SHIPPED, "region-dead.yaml");
  const { code, out } = await regent("rehearse", file, "--what-if", "settings.fall=6", "--what-if", "settings.holdMinSeconds=10");
  expect(code).toBe(0);
  expect(out).toMatch(/what if settings\.fall=6, settings\.holdMinSeconds=10/);
  expect(out).toMatch(/\+1m11\.9s +\+1m\d\d\.?\d?s +checkout +→ failover of checkout, left eu-west, us-east received/);
  expect(out).toMatch(/checkout: out of service +11\.9s +\d\d/);
  expect(out).toMatch(/checkout: moves +1 +1/);
  expect(out).toMatch(/6 of 6 expectations are met as it is, \d of 6|6 of 6 expectations are met as it is, \d with it/);
  const [answer] = JSON.parse((await regent("rehearse", file, "--json", "--what-if", "settings.fall=6")).out);
  expect(answer).toMatchObject({
    whatIf: "settings.fall=6",
    figures: [{ service: "checkout", moves: { asItIs: 1, whatIf: 1 }, outOfServiceMs: { asItIs: expect.any(Number) } }],
    expectations: { asItIs: { met: 6, of: 6 } },
  });
});

test.each([
  ["settings.holdMax=6", /the nearest are settings\.holdMaxSeconds/],
  ["service.shop.settings.fall=6", /no service "shop" is declared; declared: checkout/],
  ["settings.fall=many", /must be a number/],
  ["strategy.panicBelow=0.5", /no service's strategy has it/],
])("--what-if %s is refused", async (assignment, why) => {
  const { code, err } = await regent("rehearse", join(SHIPPED, "region-dead.yaml"), "--what-if", assignment);
  expect({ code, err }).toEqual({ code: 2, err: expect.stringMatching(why) });
});

test("--sensitivity tells of each default which rehearsals of a folder fail, and ends with 1 where none does", async () => {
  const own = await mkdtemp(join(folder, "own-"));
  await writeFile(
    join(own, "a.yaml"),
    `rehearsal: 1\nname: short\nconfig: ${join(SHIPPED, "shop.yaml")}\nfor: 20s\nexpect:\n  - { never: true, change: {} }\n`,
  );
  await writeFile(join(own, "notes.yaml"), "these: are no rehearsals\n");
  const { code, out, err } = await regent("rehearse", "--sensitivity", own);
  expect(code).toBe(1);
  expect(out).toMatch(/✖ settings\.fall doubled \(3 → 6\): fails nothing of 1 rehearsals/);
  expect(err).toMatch(/\d+ of \d+ changed defaults are held by nothing, or aren't as listed/);
});

test.each([
  [["--sensitivity", "/nowhere/at/all"], /can't be read: ENOENT/],
  [[], /Name a rehearsal/],
])("rehearse %j is refused", async (args, why) => {
  const { code, err } = await regent("rehearse", ...args);
  expect({ code, err }).toEqual({ code: 2, err: expect.stringMatching(why) });
});
