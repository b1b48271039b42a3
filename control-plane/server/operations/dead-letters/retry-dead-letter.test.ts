/** A clock of a change that an operator lets in late: it strikes once, and takes nothing back. */
import type { Change, ChangeStage } from "@regent/contract";
import { expect, test } from "vitest";
import { type RetryDeps, retryDeadLetter } from "./retry-dead-letter.ts";

const ID = "01JD8Z0000000000000000000A";

/** Tries a strike of `visible` again; answers what the ledger was told of the change. */
const retryStrike = async (known: ChangeStage | null, isLoaded = true) => {
  const staged: unknown[] = [];
  const change = known === null ? null : ({ id: "c1", stage: known } as Change);
  const letter = {
    id: ID,
    at: 1,
    kind: "strike",
    subject: "c1",
    why: "refused",
    attempts: 1,
    triedAt: 1,
    bytes: 9,
    payload: { changeId: "c1", clock: "inSync", stage: "in-sync", at: 1_000 },
  } as const;
  const deps = {
    clock: { now: () => 2_000 },
    ids: { ulid: () => ID },
    letters: { read: async () => letter, drop: async () => true, note: async () => undefined },
    decisions: { readChange: async () => change },
    ledger: {
      change: () => (isLoaded ? change : null),
      commit: async (build: (draft: object) => void) =>
        build({ stage: (entry: unknown) => staged.push(entry), tell: () => undefined }),
    },
    inForce: () => null,
  } as unknown as RetryDeps;
  return { result: await retryDeadLetter(deps, { id: ID, by: "ada", reason: "mended" }), staged };
};

test("moves the change on when it comes next", async () => {
  const { staged } = await retryStrike("accepted");
  expect(staged).toEqual([{ changeId: "c1", stage: "in-sync", at: 1_000, clock: "inSync" }]);
});

test.each(["visible", "abandoned", "refused", "unknown"] as const)("leaves a change that is %s as it is", async (stage) => {
  const { result, staged } = await retryStrike(stage);
  expect(result).toMatchObject({ done: true });
  expect(staged).toEqual([{ changeId: "c1", stage, at: 1_000, clock: "inSync" }]);
});

test("of a change that was lost, long ago and not in memory any more, isn't written", async () => {
  expect(await retryStrike("lost", false)).toMatchObject({ result: { done: true }, staged: [] });
});

test("of a change that nobody knows stays a dead letter", async () => {
  const { result, staged } = await retryStrike(null);
  expect(result).toMatchObject({ done: false, why: "the change is not known any more" });
  expect(staged).toEqual([]);
});
