/** What every hook promises to who asks, whatever it does. */
import type { Hook } from "@regent/contract";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { HookAnswer, HookCaller, HookRequest } from "../hook-caller.ts";
import { ulid } from "./examples.ts";

/** `deaf`: heard, and nothing is ever answered. */
export type HookFault = "down" | "error" | "deaf" | "garbage";

export interface HookBench {
  readonly caller: HookCaller;
  readonly hook: Hook;
  /** What arrived, in order; answered or not. */
  readonly arrived: () => readonly HookRequest[];
  readonly say: (answer: HookAnswer) => void;
  readonly set: (fault: HookFault | null) => Promise<void>;
  /** What must appear in no answer. */
  readonly secret: string;
  readonly close: () => Promise<void>;
}

export const exampleHookRequest = (request: Partial<HookRequest> = {}): HookRequest => ({
  transfer: ulid(),
  service: "shop",
  from: "eu-west",
  to: "us-east",
  reason: null,
  at: 1_795_000_000_000,
  deadline: 1_795_000_130_000,
  ...request,
});

/** A call ends by itself: well before this. */
const PATIENCE_MS = 7_000;

export const hookCallerSuite = (name: string, open: () => Promise<HookBench>): void => {
  describe(`${name} hook`, () => {
    let bench: HookBench;
    beforeEach(async () => {
      bench = await open();
    });
    afterEach(() => bench.close());

    test.each<HookAnswer>([
      { answer: "promoted", isFenced: true, why: "" },
      { answer: "promoted", isFenced: false, why: "the old one doesn't answer" },
      { answer: "working", isFenced: null, why: "" },
      { answer: "refused", isFenced: null, why: "the standby lacks a timeline" },
    ])("what it says is what is heard: $answer, fenced $isFenced", async (said) => {
      bench.say(said);
      const request = exampleHookRequest({ reason: "a test" });
      expect(await bench.caller.call(bench.hook, request)).toEqual(said);
      expect(bench.arrived()).toEqual([request]);
    });

    test("asked again it hears the same, under the same id", async () => {
      const request = exampleHookRequest();
      for (let i = 0; i < 3; i += 1) await bench.caller.call(bench.hook, request);
      expect(bench.arrived()).toEqual([request, request, request]);
    });

    test.each<[HookFault, number]>([
      ["down", 0],
      ["error", 1],
      ["garbage", 1],
      ["deaf", 1],
    ])("one that is %s has failed, in time and without a secret, and is heard the next time", async (fault, arrivals) => {
      await bench.set(fault);
      const begun = performance.now();
      const heard = await bench.caller.call(bench.hook, exampleHookRequest());
      expect(heard).toMatchObject({ answer: "failed", isFenced: null, why: expect.stringMatching(/\S/) });
      expect(performance.now() - begun).toBeLessThan(PATIENCE_MS);
      expect(JSON.stringify(heard)).not.toContain(bench.secret);
      expect(bench.arrived()).toHaveLength(arrivals);
      await bench.set(null);
      expect(await bench.caller.call(bench.hook, exampleHookRequest())).toMatchObject({ answer: "promoted" });
    });
  });
};
