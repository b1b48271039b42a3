/** Once the role may have left, the traffic follows it: what only asks automation to wait doesn't hold it, and what a person said does and pages. */
import type { RuleId } from "@regent/contract";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decide } from "../decide.ts";
import type { Approved, DatabaseView, Situation, Transfer } from "../model.ts";
import { heldBackBy, isHalted } from "../safety/hold-transfer.ts";
import { takenAsFit } from "../strategy/overrides.ts";
import { arbitrarySituation } from "../testing/arbitrary-situation.ts";
import { database, PRIMARY_GONE, STATEFUL, statefulSpec, testTransfer } from "../testing/databases.ts";
import { T0 } from "../testing/evidence.ts";
import { after, answerOf, departure, failing, limited, STANDARD_LIMITS, standing } from "../testing/rules.ts";
import { NO_CONTROLS, passiveSpec, persist, testControl, testSituation } from "../testing/situation.ts";
import { isTargetFit, stepTransfer, type TransferInput } from "./step-transfer.ts";
import { endTransfer, hearHook, noteHookCall } from "./transfer.ts";

const SPEC = statefulSpec({}, passiveSpec({ failback: "automatic" }));
const R2_WRITES = [database("r1", "unseen"), database("r2", "writable"), database("r3", "standby")];
const IN_SWITCH = testTransfer({ phase: "switch" });
const FROZEN = { controls: { ...NO_CONTROLS, frozen: testControl() }, modeWritten: "frozen" as const };

/** r1 is dead, r2 has the role, and the budget is spent, the cool-down runs. */
const spent = (changed: Partial<Situation> = {}): Situation => {
  const traffic = {
    ...after([departure({ at: T0 - 60_000, left: ["r3"] }), departure({ at: T0 - 50_000, left: ["r2"] })]),
    lastAutomaticFailoverAt: T0 - 1_000,
  };
  const spec = { ...SPEC, safety: { ...limited(STANDARD_LIMITS).safety, failoversPerHour: 1 } };
  return { ...failing({ spec, databases: R2_WRITES, transfer: IN_SWITCH }), traffic, ...changed };
};

const stepOf = (situation: Situation, changed: Partial<TransferInput> = {}) => {
  const transfer = situation.transfer as Transfer;
  const decision = decide(situation, null);
  return stepTransfer({
    transfer,
    spec: situation.spec,
    databases: situation.databases,
    isTargetFit: isTargetFit(takenAsFit(situation, null), transfer.to),
    wish: decision.transfer ? "wanted" : "held",
    heldBack: heldBackBy(decision, transfer),
    isHalted: isHalted(situation, transfer),
    change: "none",
    now: situation.now,
    ...changed,
  });
};

describe("in phase switch", () => {
  it("budgets answer, and don't hold the traffic back; without the role there they do", () => {
    const decision = decide(spent(), null);
    expect(decision.isAllowed).toBe(true);
    for (const rule of ["A9", "A18"] as const) {
      expect(answerOf(decision, rule)).toMatchObject({ skipped: true });
      expect(answerOf(decision, rule).answer).not.toBe("allow");
      expect(answerOf(decision, rule).why).toMatch(/; the traffic follows the writable role all the same$/);
    }
    expect(standing(decide(spent({ transfer: null }), null))).toEqual(expect.arrayContaining(["A9", "A18"]));
    expect(stepOf(spent())).toMatchObject({ tell: null, page: false });
  });

  it("and as soon as the hook was asked nobody is asked to approve what can't be taken back", () => {
    const databases = PRIMARY_GONE;
    const asked = decide(spent({ databases, transfer: noteHookCall(testTransfer(), T0) }), null);
    expect(asked).toMatchObject({ asks: [], transfer: { from: "r1", to: "r2" } });
    expect(decide(spent({ databases, transfer: testTransfer() }), null).transfer).toBeNull();
  });

  it.each<[string, Partial<Situation>, string]>([
    ["a freeze", FROZEN, "A4"],
    ["a drained target", { controls: { ...NO_CONTROLS, drained: { r2: testControl() } } }, ""],
    ["somebody else's edit", { drift: "somebody wrote something" }, "A14"],
    ["another writer", { blockedBy: "another owner has it" }, "A13"],
  ])("%s holds it, and pages at once, once, saying that the role has moved and the traffic hasn't", (_, changed, rule) => {
    const situation = spent(changed);
    expect(decide(situation, null).isAllowed).toBe(false);
    const step = stepOf(situation);
    expect(step).toMatchObject({ page: true, transfer: { phase: "switch" } });
    expect(step.tell).toMatch(/^the writable role has moved to r2, and the traffic hasn't: ./);
    expect(step.tell).toContain(rule);
    expect(stepOf({ ...situation, transfer: step.transfer, now: T0 + 90_000 })).toMatchObject({ tell: null, page: false });
  });

  it("a change of ours that is under way is waited for, and pages when DNS doesn't say so in time", () => {
    const situation = spent({ isChangeInFlight: true });
    expect(stepOf(situation)).toMatchObject({ tell: null, page: false });
    expect(stepOf({ ...situation, now: IN_SWITCH.phaseAt + STATEFUL.roleMs })).toMatchObject({ page: true });
  });

  it("who comes back and writes there doesn't hold the traffic; anywhere else two that write hold everybody", () => {
    const both = [database("r1", "writable"), database("r2", "writable"), database("r3", "standby")];
    expect(decide(spent({ databases: both }), null).isAllowed).toBe(true);
    const held = decide(failing({ spec: SPEC, databases: both }), null);
    expect(answerOf(held, "A7")).toMatchObject({ answer: "deny", why: "the databases of r1 and r2 can both be written to" });
  });

  it("a failback to an old primary that came back with what it had is denied", () => {
    const back = { ...persist(spent(), decide(spent(), null)), transfer: null, now: T0 + 86_400_000 };
    const both = [database("r1", "writable"), database("r2", "writable"), database("r3", "standby")];
    const request = { move: { kind: "failback" }, by: "ann", reason: "home", breakGlass: [] } as const;
    const well = { ...back, health: testSituation().health, verdicts: testSituation().verdicts, databases: both };
    const decision = decide(well, request);
    expect(answerOf(decision, "A7")).toMatchObject({ answer: "deny", why: "the databases of r1 and r2 can both be written to" });
    expect(decision.isAllowed).toBe(false);
  });

  it("law: of the rules that bind automation alone only freezes ever hold a move to where the role is", () => {
    let moves = 0;
    fc.assert(
      fc.property(arbitrarySituation, fc.constantFrom("switch" as const, "role" as const), ({ situation }, phase) => {
        const spec = { ...situation.spec, strategy: SPEC.strategy, stateful: STATEFUL };
        const transfer = testTransfer({ phase });
        const decision = decide({ ...situation, spec, transfer, databases: R2_WRITES }, null);
        const gains = decision.proposal?.gains ?? [];
        if (gains.length === 0 || gains.some((region) => region !== "r2")) return;
        moves += 1;
        const holding = standing(decision);
        const AUTOMATIONS: readonly RuleId[] = ["A8", "A9", "A10", "A11", "A15", "A16", "A17", "A18"];
        expect(holding.filter((rule) => AUTOMATIONS.includes(rule))).toEqual([]);
        expect(decision.asks.filter((rule) => rule !== "mode" && AUTOMATIONS.includes(rule))).toEqual([]);
      }),
      { numRuns: 1_000 },
    );
    expect(moves).toBeGreaterThan(10);
  });
});

describe("nobody is asked to promote", () => {
  const asked = noteHookCall(testTransfer(), T0 - 10_000);
  const due = T0 + STATEFUL.leaseMs;

  it("while automation is frozen, not again either; who moves by hand is asked nothing", () => {
    const given = { transfer: asked, databases: PRIMARY_GONE };
    expect(stepOf(failing({ spec: SPEC, ...given }), { now: due }).isHookDue).toBe(true);
    const frozen = failing({ spec: SPEC, ...given, ...FROZEN });
    expect(stepOf(frozen, { now: due })).toMatchObject({ isHookDue: false, transfer: asked });
    const ann: Transfer = { ...asked, by: { kind: "operator", name: "ann" } };
    expect(stepOf({ ...frozen, transfer: ann }, { now: due }).isHookDue).toBe(true);
  });

  it("by a restored database, whoever asked", () => {
    const controls = { ...NO_CONTROLS, frozenGlobally: { ...testControl(), cause: "restored" as const } };
    const ann: Transfer = { ...asked, by: { kind: "operator", name: "ann" } };
    const restored = failing({ spec: SPEC, controls, transfer: ann, databases: PRIMARY_GONE, modeWritten: "frozen" });
    expect(stepOf(restored, { now: due }).isHookDue).toBe(false);
  });
});

describe("a transfer's end", () => {
  it("after the traffic was led elsewhere isn't undone: it stops without a page", () => {
    const verify = testTransfer({ phase: "verify" });
    const step = stepOf(testSituation({ spec: SPEC, databases: R2_WRITES, transfer: verify }), { wish: "unwanted" });
    expect(step).toMatchObject({ page: false, transfer: { phase: "stopped", stoppedFor: "unwanted" } });
  });

  it("where no hook is declared leaves open who writes, once a person was called or the new one was seen", () => {
    const spec = statefulSpec({ hasHook: false });
    const base = failing({ spec, databases: PRIMARY_GONE, transfer: testTransfer() });
    const called = stepOf(base, { now: T0 + STATEFUL.leaseMs });
    expect(called).toMatchObject({ page: true, transfer: { phase: "prepare", mayBePromoted: true } });
    const end = { by: "bob", reason: "no", now: T0 + 20_000 };
    expect(endTransfer(called.transfer, end)).toMatchObject({ page: true, transfer: { mayBePromoted: true } });
    expect(stepOf({ ...base, databases: R2_WRITES }, { now: T0 + 20_000 }).transfer).toMatchObject({
      phase: "role",
      mayBePromoted: true,
    });
    expect(endTransfer(testTransfer(), end)).toMatchObject({ page: false });
  });

  it("is followed by what is seen later, when the hook says that it promoted after all", () => {
    const stopped: Transfer = { ...noteHookCall(testTransfer(), T0), phase: "stopped", phaseAt: T0, stoppedFor: "operator" };
    const late = hearHook(stopped, { kind: "promoted", isFenced: null, why: "" }, T0 + 9_000);
    expect(late).toMatchObject({ page: true, transfer: { phase: "stopped", phaseAt: T0 + 9_000 } });
  });
});

describe("an old one that comes back as it was", () => {
  const done = testTransfer({ phase: "done", phaseAt: T0 });
  const views = (r1: DatabaseView["role"], seenAt = T0 + 5_000): readonly DatabaseView[] => [
    database("r1", r1, r1 === "unseen" ? {} : { seenAt }),
    database("r2", "writable", { seenAt }),
    database("r3", "standby", { seenAt }),
  ];
  const look = (transfer: Transfer, databases: readonly DatabaseView[]) =>
    stepOf(testSituation({ spec: SPEC, databases, transfer }), { now: T0 + 5_000 });

  it("pages once while both take writes, and says when it is over; what was seen before the end, and silence, say nothing", () => {
    expect(look(done, views("writable", T0))).toMatchObject({ transfer: done, tell: null });
    expect(look(done, views("unseen"))).toMatchObject({ transfer: done, tell: null });
    const doubled = look(done, views("writable"));
    expect(doubled).toMatchObject({ page: true, transfer: { phase: "done", isDoubled: true } });
    expect(doubled.tell).toContain("the databases of r1 and r2 can both be written to");
    expect(look(doubled.transfer, views("writable"))).toMatchObject({ tell: null, page: false });
    expect(look(doubled.transfer, views("unseen"))).toMatchObject({ tell: null, page: false });
    expect(look(doubled.transfer, views("standby"))).toMatchObject({
      transfer: done,
      tell: "r2 alone is seen to write again",
      page: false,
    });
  });
});

describe("what a person agreed to", () => {
  const agreed = testTransfer({ phase: "switch" }, { by: { kind: "operator", name: "ann" }, reason: "go", isAgreed: true });

  it("counts as automation's move, in their name, and leaves the way back to automation", () => {
    const situation = spent({ transfer: agreed });
    const decision = decide(situation, null);
    expect(decision).toMatchObject({ isAllowed: true, proposal: { actor: { kind: "operator", name: "ann" } } });
    expect(decision.trafficAfter.departures).toHaveLength(3);
    expect(decision.trafficAfter.lastAutomaticFailoverAt).toBe(situation.now);
    expect(decision.controlsAfter.placement).toBeNull();
    const { isAgreed: _agreed, ...own } = agreed;
    expect(decide(spent({ transfer: own }), null).trafficAfter.departures).toHaveLength(2);
    const isPlaced = (transfer: Transfer) =>
      decide(testSituation({ spec: SPEC, databases: R2_WRITES, transfer }), null).controlsAfter.placement !== null;
    expect([isPlaced(agreed), isPlaced(own)]).toEqual([false, true]);
  });

  it("is led although the budget asks", () => {
    const databases = PRIMARY_GONE;
    const situation = spent({ transfer: null, databases, traffic: { ...spent().traffic, lastAutomaticFailoverAt: null } });
    const { proposal, asks } = decide(situation, null);
    expect(asks).toContain("A9");
    const approved: Approved = { question: proposal!.question, weights: proposal!.weightsAfter, asks, by: "ann", reason: "go" };
    expect(decide({ ...situation, approved }, null).transfer).toEqual({ from: "r1", to: "r2" });
  });
});
