/** The command: what it prints, draws and exits with. What rehearsals mean is tested in the simulation's own suites. */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runCommand } from "../program.ts";

const SHIPPED = fileURLToPath(new URL("../../../docs/rehearsals/", import.meta.url));

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "rehearse-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const regent = async (...args: readonly string[]) => {
  const printed: Record<"out" | "err", string[]> = { out: [], err: [] };
  const code = await runCommand(args, {
    env: {},
    out: (text) => void printed.out.push(text),
    err: (text) => void printed.err.push(text),
    isInteractive: false,
    columns: () => 120,
    rows: () => 40,
  });
  return { code, out: printed.out.join(""), err: printed.err.join("") };
};

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
