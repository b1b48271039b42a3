import type { Change, EvacuatedService, Evacuation } from "@regent/contract";
import type { TransferPhase } from "@regent/engine";
import { describe, expect, test } from "vitest";
import { EVACUATION_SERVICE_MS_MAX, EVACUATION_STEP_MS_MAX, EVACUATION_STEP_SERVICES } from "../../limits.ts";
import type { ServiceRecord } from "../../ports/decision-store.ts";
import { exampleEvacuation, exampleStep } from "../../ports/suites/evacuations.suite.ts";
import { exampleChange, exampleTransfer } from "../../ports/suites/examples.ts";
import { emptyRecord } from "../memory/ledger.ts";
import { KEPT } from "./ask-services.ts";
import { afterAsking, followMoving, leaveAlone, nextServices, type Remembered } from "./step-evacuation.ts";

const AT = 1_000_000;
const of = (...services: EvacuatedService[]): Evacuation => exampleEvacuation({ at: AT, services });
const drained = { by: "ada", reason: "a fire \u{1f600}", at: AT + 1 };

const record = (drain: typeof drained | null, weight = 255): ServiceRecord => {
  const empty = emptyRecord("shop");
  return {
    ...empty,
    written: { default: { eu: weight, us: 255 - weight } },
    controls: { ...empty.controls, drained: drain ? { eu: drain } : {} },
  };
};
const change = (more: Partial<Change> = {}): Change =>
  exampleChange({
    id: "01JD8Z0000000000000000000A",
    kind: "drain",
    actor: { kind: "operator", name: "ada" },
    times: { decided: AT + 1 },
    ...more,
  });
const remembered = (standing: ServiceRecord, last: Change | null = null, now = AT + 10): Remembered => ({
  recordOf: () => standing,
  change: (id) => (last?.id === id ? last : null),
  lastChange: () => last,
  now,
});

describe("the next step", () => {
  const all = Array.from({ length: EVACUATION_STEP_SERVICES + 1 }, (_, i) => exampleStep(`s${i}`));

  test("takes those that wait, in their order, as many as a step may have", () => {
    expect(nextServices(of(exampleStep("done", { state: "moved" }), ...all), AT, () => true)).toEqual(
      all.slice(0, EVACUATION_STEP_SERVICES).map(({ service }) => service),
    );
    expect(nextServices(of(...all), AT, (service) => service === "s7")).toEqual(["s7"]);
  });

  test("waits for what isn't accepted, but not for ever, and not for what nobody is fit to take", () => {
    const moving = exampleStep("mail", { state: "moving", changeId: change().id, at: AT });
    const shop = exampleStep("shop");
    expect(nextServices(of(moving, shop), AT + EVACUATION_STEP_MS_MAX - 1, () => true)).toEqual([]);
    expect(nextServices(of(moving, shop), AT + EVACUATION_STEP_MS_MAX, () => true)).toEqual(["shop"]);
    expect(nextServices(of({ ...moving, changeId: null }, shop), AT, () => true)).toEqual(["shop"]);
  });
});

describe("a service is left alone", () => {
  test.each([
    { what: "nobody drained it", direction: "evacuate", drain: null, why: null },
    { what: "it is drained", direction: "evacuate", drain: drained, why: "stands" },
    { what: "it is drained", direction: "return", drain: { ...drained, at: AT - 1 }, why: null },
    { what: "nobody drained it", direction: "return", drain: null, why: "stands" },
    { what: "somebody drained it after that was asked", direction: "return", drain: drained, why: "stands" },
  ] as const)("$direction, $what: $why", ({ direction, drain, why }) => {
    const evacuation = { ...of(), direction };
    expect(leaveAlone(evacuation, () => true)(record(drain))).toBe(why);
    expect(leaveAlone(evacuation, () => false)(record(drain))).toBe("stopped");
  });
});

describe("what stands already", () => {
  const ask = (standing: ServiceRecord, last: Change | null) =>
    afterAsking(of(exampleStep("shop")), "shop", { kind: "stands" }, remembered(standing, last));

  test("by this evacuation, is followed by its change and not made twice", () => {
    expect(ask(record(drained), change())).toMatchObject({ state: "moving", changeId: change().id });
  });
  test("by this evacuation without a change, is followed while traffic is there", () => {
    expect(ask(record(drained), null)).toMatchObject({ state: "moving", changeId: null });
    expect(ask(record(drained, 0), null)).toMatchObject({ state: "nothing" });
  });
  test("by somebody else, stays theirs", () => {
    const other = { ...drained, by: "ben", reason: "a disk" };
    expect(ask(record(other), change({ actor: { kind: "operator", name: "ben" } }))).toMatchObject({
      state: "nothing",
      why: expect.stringContaining("ben (a disk)"),
    });
  });
});

describe("what is moving", () => {
  const moving = (changeId: string | null = change().id) => exampleStep("shop", { state: "moving", changeId, at: AT });
  const follow = (step: EvacuatedService, known: Remembered) => followMoving(of(step), known)[0]?.state ?? "moving";

  test("has moved when its change is accepted", () => {
    const accepted = change({ times: { decided: AT, accepted: AT + 5 } });
    expect(follow(moving(), remembered(record(drained), accepted))).toBe("moved");
    expect(follow(moving(), remembered(record(drained), change()))).toBe("moving");
  });
  test("has moved when DNS has it so, whichever change did it", () => {
    expect(follow(moving("01JD8Z0000000000000000000Z"), remembered(record(drained, 0)))).toBe("moved");
    expect(follow(moving(null), remembered(record(drained, 0)))).toBe("moved");
  });
  test("has failed when its drain was taken back, or when it takes too long", () => {
    expect(follow(moving(), remembered(record(null), change()))).toBe("failed");
    const late = (ms: number) => remembered(record(drained), change(), AT + ms);
    expect(follow(moving(), late(EVACUATION_SERVICE_MS_MAX - 1))).toBe("moving");
    expect(follow(moving(), late(EVACUATION_SERVICE_MS_MAX))).toBe("failed");
    expect(follow(moving(null), late(EVACUATION_STEP_MS_MAX - 1))).toBe("moving");
    expect(follow(moving(null), late(EVACUATION_STEP_MS_MAX))).toBe("failed");
    const kept = { ...moving(null), why: KEPT };
    expect(follow(kept, remembered(record(null)))).toBe("failed");
  });
  test("after the writable role of its data is asked again when that has gone, and has failed where it stays", () => {
    const led = { ...moving(null), why: "the writable role is led to us first" };
    const transfer = (phase: TransferPhase) =>
      remembered({
        ...record(null),
        transfer: exampleTransfer({ from: "eu", to: "us", phase, startedAt: AT, phaseAt: AT + 5, why: `it is ${phase}` }),
      });
    for (const phase of ["prepare", "role", "switch"] as const) expect(follow(led, transfer(phase))).toBe("moving");
    expect(follow(led, transfer("done"))).toBe("waiting");
    expect(followMoving(of(led), transfer("stopped"))).toMatchObject([{ state: "failed", why: "it is stopped" }]);
    const answered = { kind: "answered", state: "nothing", changeId: null, why: "nothing to change", answer: null } as const;
    const waiting = of(exampleStep("shop", { at: AT }));
    expect(afterAsking(waiting, "shop", answered, transfer("done"))).toMatchObject({ state: "moved" });
  });
  test("back, has moved when a later change was accepted in its place", () => {
    const back = { ...of(moving()), direction: "return" as const };
    const later = change({ id: "01JD8Z0000000000000000000Z", kind: "failback", times: { decided: AT, accepted: AT + 5 } });
    expect(followMoving(back, remembered(record(null), later))[0]?.state).toBe("moved");
    expect(followMoving(back, remembered(record(null), null))).toEqual([]);
  });
});
