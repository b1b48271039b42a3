/** Small pure parts of the Postgres adapters. */
import { expect, test } from "vitest";
import { believeRecent } from "./clock.ts";
import { classifyError, codeOf, toDatabaseAway } from "./errors.ts";
import { toJsonText, toPlainText } from "./json.ts";
import { createLines } from "./lines.ts";

const coded = (code: string, cause?: unknown): Error => Object.assign(new Error("failed", { cause }), { code });

test.each([
  ["40001", "retry"],
  ["40P01", "retry"],
  ["57P01", "lost"],
  ["57P03", "lost"],
  ["08006", "lost"],
  ["53300", "lost"],
  ["ECONNREFUSED", "lost"],
  ["CONNECTION_CLOSED", "lost"],
  ["57014", "busy"],
  ["55P03", "busy"],
  ["25006", "busy"],
  ["53100", "busy"],
  ["42P01", "busy"],
  ["42501", "busy"],
  ["42703", "busy"],
  ["XX001", "busy"],
  ["58P01", "busy"],
  ["53400", "busy"],
  ["23505", "other"],
  ["22P05", "other"],
  ["P0001", "other"],
  ["ENOENT", "other"],
] as const)("%s is %s", (code, expected) => {
  expect(classifyError(coded(code))).toBe(expected);
  expect(toDatabaseAway(coded(code)) instanceof Error && (toDatabaseAway(coded(code)) as Error).name === "DatabaseAway").toBe(
    expected !== "other",
  );
});

test("the code is found below what wraps it", () => {
  expect(codeOf(new Error("query failed", { cause: coded("57P01") }))).toBe("57P01");
  expect(codeOf(new AggregateError([coded("ECONNREFUSED"), coded("ECONNRESET")]))).toBe("ECONNREFUSED");
  expect(codeOf(new Error("no code"))).toBeNull();
  expect(codeOf("not an error")).toBeNull();
});

test("text that Postgres refuses is replaced, and all other text stays", () => {
  const kept = { a: "ü\u2028\\u0000 😀", n: [1, null, true], "": "" };
  expect(JSON.parse(toJsonText(kept))).toEqual(kept);
  expect(JSON.parse(toJsonText({ "k\0": ["\0", "a\ud800b", "\udc00", "😀"] }))).toEqual({
    "k\ufffd": ["\ufffd", "a\ufffdb", "\ufffd", "😀"],
  });
  expect(toPlainText("a\0😀\ud83d")).toBe("a\ufffd😀\ufffd");
});

test("a clock sample that contradicts the earlier ones replaces them; one that was merely slow joins them", () => {
  const steady = [
    { offsetMs: 1_000, roundTripMs: 2 },
    { offsetMs: 1_001, roundTripMs: 1 },
  ];
  const slow = { offsetMs: 2_500, roundTripMs: 4_000 };
  expect(believeRecent([...steady, slow])).toEqual([...steady, slow]);
  const stepped = { offsetMs: -3_600_000, roundTripMs: 1 };
  expect(believeRecent([...steady, stepped])).toEqual([stepped]);
  expect(believeRecent(Array(20).fill(steady[0]))).toHaveLength(8);
});

test("a line is never handed to two, though one was lost and replaced while in use", async () => {
  const lines = createLines("postgres://nobody@127.0.0.1:1/none", {}, { min: 1, max: 1 });
  const first = await lines.take();
  first.isLost = true;
  const second = await lines.take();
  expect(second).not.toBe(first);
  let third: object | null = null;
  void lines.take().then((line) => {
    third = line;
  });
  lines.giveBack(first);
  await Promise.resolve();
  expect(third).toBeNull();
  lines.giveBack(second);
  await expect.poll(() => third).toBe(second);
  await lines.close();
});

test("work is spread over the lines, and a lost line takes no more", async () => {
  const lines = createLines("postgres://nobody@127.0.0.1:1/none", {}, { min: 2, max: 2 });
  const picked = [1, 2, 3, 4].map(() => {
    const line = lines.pick();
    line.inUse += 1;
    return line;
  });
  expect(new Set(picked).size).toBe(2);
  for (const line of picked) line.isLost = true;
  expect(picked).not.toContain(lines.pick());
  expect(lines.lost()).toBeGreaterThan(0);
  await lines.close();
});
