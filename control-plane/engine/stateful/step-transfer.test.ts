import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decide } from "../decide.ts";
import type { DatabaseView, Transfer } from "../model.ts";
import { database, PRIMARY_GONE, STATEFUL, statefulSpec, testTransfer, WELL } from "../testing/databases.ts";
import { T0 } from "../testing/evidence.ts";
import { failing } from "../testing/rules.ts";
import { NO_CONTROLS, testControl, testSituation } from "../testing/situation.ts";
import { isTargetFit, stepTransfer, type TransferInput, wishOf } from "./step-transfer.ts";
import { beginTransfer, endTransfer, type HookAnswer, hearHook, isHookCalled, noteHookCall } from "./transfer.ts";

const START = testTransfer({}, { now: T0 });
const LEASE_END = T0 + STATEFUL.leaseMs;
const DEADLINE = LEASE_END + STATEFUL.prepareMs;
const PROMOTED: HookAnswer = { kind: "promoted", isFenced: true, why: "" };
/** As seen 10 s before the moment of the step. */
const seen = (region: string, role: DatabaseView["role"], seenAt: number): DatabaseView => database(region, role, { seenAt });

const input = (changed: Partial<TransferInput> = {}): TransferInput => ({
  transfer: START,
  spec: statefulSpec(),
  databases: PRIMARY_GONE,
  isTargetFit: true,
  wish: "wanted",
  heldBack: null,
  isHalted: false,
  change: "none",
  now: T0,
  ...changed,
});
const step = (changed: Partial<TransferInput> = {}) => stepTransfer(input(changed));

const called = noteHookCall(START, LEASE_END);
const inRole = hearHook(called, PROMOTED, LEASE_END + 1_000).transfer;
const ROLE_AT = inRole.phaseAt;
const R2_WRITES = [seen("r1", "unseen", 0), seen("r2", "writable", ROLE_AT + 4_000), seen("r3", "standby", ROLE_AT + 4_000)];
const inSwitch = step({ transfer: inRole, databases: R2_WRITES, now: ROLE_AT + 5_000 }).transfer;

describe("a transfer that goes well", () => {
  it("takes the role back, waits for leases, calls the hook, sees the role, moves traffic, sees that, and is done", () => {
    expect(START).toMatchObject({ phase: "prepare", phaseAt: T0, hook: { attempts: 0, answer: "none" } });
    expect(step()).toMatchObject({ isHookDue: false, nextLookAt: LEASE_END, tell: null, transfer: START });
    expect(step({ now: LEASE_END - 1 }).isHookDue).toBe(false);
    expect(step({ now: LEASE_END })).toMatchObject({ isHookDue: true, tell: null });
    expect(step({ transfer: called, now: LEASE_END + 500 })).toMatchObject({ isHookDue: false, nextLookAt: LEASE_END + 2_000 });
    expect(step({ transfer: called, now: LEASE_END + 2_000 }).isHookDue).toBe(true);
    expect(inRole).toMatchObject({ phase: "role", phaseAt: LEASE_END + 1_000, hook: { attempts: 1, isFenced: true } });
    expect(step({ transfer: inRole, now: ROLE_AT + 1_000 })).toMatchObject({ tell: null, nextLookAt: ROLE_AT + STATEFUL.roleMs });
    expect(inSwitch).toMatchObject({ phase: "switch", phaseAt: ROLE_AT + 5_000 });
    const verify = step({ transfer: inSwitch, databases: R2_WRITES, change: "accepted", now: ROLE_AT + 6_000 });
    expect(verify).toMatchObject({ transfer: { phase: "verify" }, page: false });
    expect(step({ transfer: verify.transfer, change: "accepted", now: ROLE_AT + 7_000 })).toMatchObject({ tell: null });
    const done = step({ transfer: verify.transfer, change: "visible", now: T0 + 60_000 });
    expect(done).toMatchObject({ transfer: { phase: "done" }, nextLookAt: null, page: false });
    expect(done.tell).toBe("the writable role and the traffic went from r1 to r2 in 60 s");
  });

  it("without a hook waits for a person, tells so once with a page, and goes on when they have promoted", () => {
    const spec = statefulSpec({ hasHook: false });
    const waiting = step({ spec, now: LEASE_END });
    expect(waiting).toMatchObject({ isHookDue: false, page: true, nextLookAt: DEADLINE });
    expect(waiting.tell).toBe("waiting until somebody promotes r2: no hook is declared");
    expect(step({ spec, transfer: waiting.transfer, now: LEASE_END + 1_000 })).toMatchObject({ tell: null, page: false });
    const promoted = step({ spec, transfer: waiting.transfer, databases: R2_WRITES, now: LEASE_END + 9_000 });
    expect(promoted.transfer.phase).toBe("role");
  });

  it("a promotion by hand, or one whose answer was lost, counts when it is seen and leases have run out", () => {
    expect(step({ databases: R2_WRITES, now: LEASE_END - 1 }).transfer.phase).toBe("prepare");
    expect(step({ databases: R2_WRITES, now: LEASE_END }).transfer.phase).toBe("role");
    expect(step({ transfer: called, databases: R2_WRITES, now: LEASE_END + 1_000 }).transfer.phase).toBe("role");
  });

  it("a change that is gone is asked for again", () => {
    const verify = { ...inSwitch, phase: "verify" as const };
    expect(step({ transfer: verify, change: "none", now: ROLE_AT + 9_000 }).transfer.phase).toBe("switch");
  });
});

describe("a transfer that stops", () => {
  const stops = (changed: Partial<TransferInput>, stoppedFor: string, text: string, page = true): void => {
    const stopped = step(changed);
    expect(stopped.transfer).toMatchObject({ phase: "stopped", stoppedFor });
    expect(stopped.tell).toContain(text);
    expect(stopped).toMatchObject({ page, isHookDue: false, nextLookAt: null });
    expect(step({ ...changed, transfer: stopped.transfer })).toMatchObject({
      transfer: stopped.transfer,
      tell: null,
      page: false,
    });
  };

  it("when the hook never answers", () => {
    stops(
      { transfer: called, now: DEADLINE },
      "failed",
      "the hook was called once and promoted nobody within 60 s, it last gave no answer",
    );
    const failed = hearHook(called, { kind: "failed", isFenced: null, why: "503" }, LEASE_END + 500).transfer;
    stops({ transfer: failed, now: DEADLINE }, "failed", "it last failed: 503");
    const working = hearHook(called, { kind: "working", isFenced: null, why: "40 %" }, LEASE_END + 500).transfer;
    stops({ transfer: working, now: DEADLINE }, "failed", "it last was at work: 40 %");
  });

  it("when nobody promotes", () => {
    stops({ spec: statefulSpec({ hasHook: false }), now: DEADLINE }, "failed", "nobody promoted r2 within 60 s");
  });

  it("when the promotion is never seen", () => {
    stops(
      { transfer: inRole, now: ROLE_AT + STATEFUL.roleMs },
      "failed",
      "r2 was not seen to write alone within 60 s: the database in r2 is standby",
    );
  });

  it("when another region is seen to write after the role went, and not for what was seen before", () => {
    const old = [seen("r1", "writable", ROLE_AT), seen("r2", "writable", ROLE_AT + 1_000)];
    expect(step({ transfer: inRole, databases: old, now: ROLE_AT + 2_000 }).transfer.phase).toBe("role");
    const back = [seen("r1", "writable", ROLE_AT + 1), seen("r2", "writable", ROLE_AT + 1_000)];
    stops({ transfer: inRole, databases: back, now: ROLE_AT + 2_000 }, "failed", "r1 is seen to write while the role is at r2");
    const split = [seen("r1", "split", ROLE_AT + 1), seen("r2", "writable", ROLE_AT + 1_000)];
    stops(
      { transfer: inRole, databases: split, now: ROLE_AT + 60_000 },
      "failed",
      "not seen to write alone within 60 s: the database in r1 is split",
    );
  });

  it("when nobody wants it any more, which wakes nobody, and only before the hook was called", () => {
    const given = { databases: WELL, wish: "unwanted" as const };
    stops({ ...given, now: T0 + 1_000 }, "unwanted", "r1 writes, and nothing is to leave it any more", false);
    expect(step({ ...given, transfer: called, now: LEASE_END + 2_000 })).toMatchObject({ isHookDue: true, tell: null });
    stops({ isTargetFit: false }, "unwanted", "r2 can't take traffic any more", false);
    const asked = { ...START, by: { kind: "operator", name: "ann" } as const };
    stops({ transfer: asked, isTargetFit: false }, "failed", "r2 can't take traffic any more");
    stops({ wish: "unwanted", now: DEADLINE }, "unwanted", "nothing is to go to r2 any more", false);
  });

  it("when something else stood in the way until the end, and the hook isn't called meanwhile", () => {
    expect(step({ wish: "held", now: LEASE_END + 5_000 })).toMatchObject({ isHookDue: false, nextLookAt: DEADLINE });
    stops({ wish: "held", now: DEADLINE }, "failed", "something else stood in the way of calling the hook within 60 s");
  });

  it("when the service is declared otherwise", () => {
    stops({ spec: { stateful: null } }, "failed", "the service is declared without a database");
  });
});

describe("a target that turns bad once the hook was called", () => {
  it("pages once, and goes on", () => {
    const given = { transfer: called, isTargetFit: false, now: LEASE_END + 1_000 };
    const warned = step(given);
    expect(warned).toMatchObject({ page: true, transfer: { phase: "prepare" } });
    expect(step({ ...given, transfer: warned.transfer })).toMatchObject({ tell: null, page: false });
    expect(step({ ...given, transfer: warned.transfer, now: LEASE_END + 3_000 }).isHookDue).toBe(true);
    const failed = hearHook(warned.transfer, { kind: "failed", isFenced: null, why: "503" }, LEASE_END + 3_500).transfer;
    expect(step({ ...given, transfer: failed, now: LEASE_END + 4_000 })).toMatchObject({ tell: null, page: false });
  });
});

describe("a switch that something holds back", () => {
  it("pages once, and waits", () => {
    const late = inSwitch.phaseAt + STATEFUL.roleMs;
    expect(step({ transfer: inSwitch, now: late - 1 })).toMatchObject({ tell: null, nextLookAt: late });
    const warned = step({ transfer: inSwitch, now: late });
    expect(warned).toMatchObject({ page: true, transfer: { phase: "switch" } });
    expect(step({ transfer: warned.transfer, now: late + 1_000 })).toMatchObject({ tell: null, page: false });
  });
});

describe("the hook", () => {
  it("that answers twice changes nothing the second time", () => {
    expect(hearHook(inRole, PROMOTED, ROLE_AT + 1)).toEqual({ transfer: inRole, tell: null, page: false });
    const other: HookAnswer = { kind: "refused", isFenced: null, why: "no" };
    expect(hearHook(inRole, other, ROLE_AT + 1)).toEqual({ transfer: inRole, tell: null, page: false });
  });

  it("that refuses stops it", () => {
    const refused = hearHook(called, { kind: "refused", isFenced: null, why: "r2 is rebuilding" }, LEASE_END + 1_000);
    expect(refused).toMatchObject({
      page: true,
      transfer: { phase: "stopped", stoppedFor: "failed", hook: { answer: "refused" } },
    });
    expect(refused.tell).toBe(
      "the transfer of the writable role from r1 to r2 stopped in prepare: the hook refused: r2 is rebuilding",
    );
  });

  it("that promotes after the end pages once, and moves nothing", () => {
    const stopped = step({ transfer: called, now: DEADLINE }).transfer;
    const late = hearHook(stopped, PROMOTED, DEADLINE + 30_000);
    expect(late).toMatchObject({ page: true, transfer: { phase: "stopped" } });
    expect(late.tell).toContain("the hook promoted r2 30 s after its transfer had stopped");
    expect(hearHook(late.transfer, PROMOTED, DEADLINE + 31_000)).toEqual({ transfer: late.transfer, tell: null, page: false });
    expect(hearHook(stopped, { kind: "failed", isFenced: null, why: "" }, DEADLINE + 1)).toMatchObject({
      tell: null,
      page: false,
    });
  });

  it("that couldn't fence the old one pages, and goes on", () => {
    const unfenced = hearHook(called, { kind: "promoted", isFenced: false, why: "" }, LEASE_END);
    expect(unfenced).toMatchObject({ page: true, transfer: { phase: "role" } });
    expect(unfenced.tell).toContain("r1 is not fenced, see that it stays down");
  });

  it("that says the same again tells it once", () => {
    const first = hearHook(called, { kind: "working", isFenced: null, why: "waiting for replay" }, LEASE_END);
    expect(first.tell).toBe("the hook is at work: waiting for replay");
    const second = hearHook(first.transfer, { kind: "working", isFenced: null, why: "waiting for replay" }, LEASE_END + 2_000);
    expect(second).toEqual({ transfer: first.transfer, tell: null, page: false });
  });
});

describe("an operator", () => {
  const end = { by: "ann", reason: "r1 is back", now: T0 + 1_000 };

  it("ends it before the hook was called without a page, and afterwards with one", () => {
    const early = endTransfer(START, end);
    expect(early).toMatchObject({ page: false, transfer: { phase: "stopped", stoppedFor: "operator" } });
    expect(early.tell).toContain("ann ended it: r1 is back; the hook was not called");
    expect(endTransfer(called, end)).toMatchObject({ page: true, transfer: { stoppedFor: "operator" } });
  });

  it("doesn't end what has ended", () => {
    const stopped = endTransfer(START, end).transfer;
    expect(endTransfer(stopped, end)).toEqual({ transfer: stopped, tell: null, page: false });
  });
});

describe("what decide thinks of it", () => {
  const stateful = { spec: statefulSpec(), databases: PRIMARY_GONE };
  const wish = (situation: Parameters<typeof decide>[0]) => wishOf(decide(situation, null), START);

  it("is wanted, held by something else, or unwanted", () => {
    expect(wish(failing({ ...stateful, transfer: START }))).toBe("wanted");
    const controls = { ...NO_CONTROLS, frozen: testControl() };
    expect(wish(failing({ ...stateful, transfer: START, controls, modeWritten: "frozen" }))).toBe("held");
    expect(wish(testSituation({ ...stateful, transfer: START }))).toBe("unwanted");
  });

  it("a target is fit as A6 asks", () => {
    expect(isTargetFit(testSituation(), "r2")).toBe(true);
    expect(isTargetFit(testSituation({ regions: { r2: { verdict: "unhealthy" } } }), "r2")).toBe(false);
    expect(isTargetFit(testSituation({ regions: { r2: { evidence: "bad" } } }), "r2")).toBe(false);
    expect(isTargetFit(testSituation({ controls: { ...NO_CONTROLS, drained: { r2: testControl() } } }), "r2")).toBe(false);
    expect(isTargetFit(testSituation(), "mars")).toBe(false);
    expect(isTargetFit(testSituation({ regions: { r2: { verdict: "unhealthy" } } }), "r2", ["A6"])).toBe(true);
    expect(isTargetFit(testSituation({ regions: { r2: { verdict: "maintenance" } } }), "r2", ["A5"])).toBe(true);
    expect(isTargetFit(testSituation({ controls: { ...NO_CONTROLS, drained: { r2: testControl() } } }), "r2", ["A6"])).toBe(
      false,
    );
  });
});

// ------------------------------------------------------------------------------------------------ laws

const anyViews = fc
  .tuple(
    ...["r1", "r2", "r3"].map((region) =>
      fc.record({
        region: fc.constant(region),
        role: fc.constantFrom<DatabaseView["role"]>("writable", "read-only", "standby", "split", "unseen"),
        seenAt: fc.integer({ min: T0 - 10_000, max: T0 + 200_000 }),
      }),
    ),
  )
  .map((all) => all.map(({ region, role, seenAt }) => database(region, role, role === "unseen" ? {} : { seenAt })));

type Event = (transfer: Transfer, now: number) => Transfer;

const anyEvent: fc.Arbitrary<Event> = fc.oneof(
  { weight: 4, arbitrary: fc.constant<Event>((transfer) => transfer) },
  fc.constant<Event>(noteHookCall),
  fc.constantFrom<HookAnswer["kind"]>("promoted", "working", "refused", "failed").map(
    (kind): Event =>
      (transfer, now) =>
        hearHook(transfer, { kind, isFenced: true, why: "w" }, now).transfer,
  ),
);

const anyLook = fc.record({
  afterMs: fc.constantFrom(0, 500, 5_000, 30_000),
  databases: anyViews,
  isTargetFit: fc.boolean(),
  wish: fc.constantFrom<TransferInput["wish"]>("wanted", "wanted", "held", "unwanted"),
  change: fc.constantFrom<TransferInput["change"]>("none", "accepted", "visible"),
  hasHook: fc.boolean(),
  event: anyEvent,
});

const ORDER = ["prepare", "role", "switch", "verify", "done"];

describe("laws", () => {
  const run = (
    looks: readonly (typeof anyLook extends fc.Arbitrary<infer T> ? T : never)[],
    check: (before: TransferInput) => void,
  ) => {
    let transfer = START;
    let now = T0;
    for (const { afterMs, event, hasHook, ...rest } of looks) {
      now += afterMs;
      transfer = event(transfer, now);
      const given: TransferInput = { heldBack: null, isHalted: false, ...rest, transfer, spec: statefulSpec({ hasHook }), now };
      check(given);
      transfer = stepTransfer(given).transfer;
    }
  };

  it("the same input has the same answer, and what was told isn't told again", () => {
    fc.assert(
      fc.property(fc.array(anyLook, { maxLength: 12 }), (looks) =>
        run(looks, (given) => {
          const once = stepTransfer(given);
          expect(stepTransfer(given)).toEqual(once);
          if (once.tell === null) expect(once.transfer).toBe(given.transfer);
          else expect(once.transfer).not.toEqual(given.transfer);
          if (once.page) expect(once.tell).not.toBeNull();
          // At one moment it comes to rest: each step tells something new or nothing.
          let now = once;
          for (let n = 0; n < 6 && now.tell !== null && given.change !== "none"; n += 1)
            now = stepTransfer({ ...given, transfer: now.transfer });
          if (given.change !== "none") expect(now.tell).toBeNull();
        }),
      ),
    );
  });

  it("no phase is skipped, none but a lost change leads back, and the end is the end", () => {
    fc.assert(
      fc.property(fc.array(anyLook, { maxLength: 12 }), (looks) =>
        run(looks, (given) => {
          const { phase } = given.transfer;
          const after = stepTransfer(given).transfer.phase;
          if (after === phase || after === "stopped") return;
          expect(["done", "stopped"]).not.toContain(phase);
          if (phase === "verify" && after === "switch") return;
          expect(ORDER.indexOf(after)).toBe(ORDER.indexOf(phase) + 1);
        }),
      ),
    );
  });

  it("the hook is due only in prepare, after the lease, and the first time only while it is wanted", () => {
    fc.assert(
      fc.property(fc.array(anyLook, { maxLength: 12 }), (looks) =>
        run(looks, (given) => {
          const { transfer, wish, now, spec } = given;
          if (!stepTransfer(given).isHookDue) return;
          expect(transfer.phase).toBe("prepare");
          expect(spec.stateful?.hasHook).toBe(true);
          expect(now).toBeGreaterThanOrEqual(LEASE_END);
          expect(now).toBeLessThan(DEADLINE);
          expect(isHookCalled(transfer) || wish === "wanted").toBe(true);
        }),
      ),
    );
  });

  it("traffic is let go only to a region that is seen to write while no other is", () => {
    fc.assert(
      fc.property(fc.array(anyLook, { maxLength: 12 }), (looks) =>
        run(looks, (given) => {
          if (given.transfer.phase !== "role" || stepTransfer(given).transfer.phase !== "switch") return;
          const writing = given.databases.filter(({ role }) => role === "writable" || role === "split");
          expect(writing.map(({ region }) => region)).toEqual(["r2"]);
        }),
      ),
    );
  });

  it("prepare and role end in their time, whatever is seen", () => {
    fc.assert(
      fc.property(anyLook, fc.boolean(), (look, isRole) => {
        const { event: _event, afterMs: _afterMs, hasHook, ...rest } = look;
        const transfer = isRole ? inRole : called;
        const now = isRole ? ROLE_AT + STATEFUL.roleMs : DEADLINE;
        const given = { heldBack: null, isHalted: false, ...rest, transfer, spec: statefulSpec({ hasHook }), now };
        expect(stepTransfer(given).transfer.phase).not.toBe(transfer.phase);
      }),
    );
  });

  it("a transfer begun twice from the same words is the same", () => {
    const start = { id: "X", from: "r1", to: "r2", by: { kind: "operator" as const, name: "ann" }, reason: "because", now: T0 };
    expect(beginTransfer(start)).toEqual(beginTransfer(start));
  });
});
