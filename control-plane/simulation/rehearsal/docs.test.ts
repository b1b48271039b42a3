/** What docs/REHEARSAL.md shows is what the reader takes, and every word that the format has is told there. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { read, run, tonight } from "../testing/rehearse.ts";
import { SUBJECTS } from "./expectation.ts";
import { WrittenRehearsal } from "./shape.ts";

const page = readFileSync(new URL("../../../docs/REHEARSAL.md", import.meta.url), "utf8");
const [first = "", ...blocks] = [...page.matchAll(/```yaml\n([\s\S]*?)```/g)].map((found) => found[1] ?? "");

test("the first example can be run, and comes out as it says", async () => {
  const { checked } = await run(first.replace(/^config: .*$/m, "config: shop.yaml"));
  expect(checked.map(({ isMet }) => isMet)).toEqual([true, true]);
});

test("the other examples can be read", async () => {
  const parts = blocks.filter((block) => /^(outcomes|operators):/.test(block));
  expect(parts.length).toBeGreaterThanOrEqual(2);
  for (const part of parts) expect(await read(tonight(part, "1h"))).toMatchObject({ kind: "valid" });
});

test("every key of a file, and everything that can be expected, is told", () => {
  for (const key of Object.keys(WrittenRehearsal.shape)) expect(page).toMatch(new RegExp(`\`${key}[\`:]`));
  for (const subject of SUBJECTS) expect(page).toContain(`\`${subject}: {`);
});
