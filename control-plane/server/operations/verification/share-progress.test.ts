import { expect, test } from "vitest";
import type { ChangeProgress } from "../../ports/dns-provider.ts";
import { shareProgress } from "./share-progress.ts";

test("changes of one batch ask once, each batch for itself, and again when the answer is old", async () => {
  let now = 0;
  const asked: string[] = [];
  const readChange = async (id: string): Promise<ChangeProgress> => {
    asked.push(id);
    return { kind: asked.length > 2 ? "in-sync" : "pending" };
  };
  const share = shareProgress({ readChange }, () => now);
  const answers = await Promise.all(["one", "one", "two", "one"].map(share));
  expect([asked, answers.map(({ kind }) => kind)]).toEqual([
    ["one", "two"],
    ["pending", "pending", "pending", "pending"],
  ]);
  now = 1_999;
  expect((await share("one")).kind).toBe("pending");
  now = 2_000;
  expect((await share("one")).kind).toBe("in-sync");
  expect(asked).toEqual(["one", "two", "one"]);
});
