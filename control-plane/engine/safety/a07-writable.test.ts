/** A7 and what decide makes of it: traffic goes where its data can be written, and the role is led there first. */
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decide } from "../decide.ts";
import type { Approved, DatabaseView, Decision, OperatorMove, Situation, Transfer } from "../model.ts";
import { noteHookCall } from "../stateful/transfer.ts";
import { regionsWhere } from "../strategy/parts.ts";
import { arbitrarySituation } from "../testing/arbitrary-situation.ts";
import { database, PRIMARY_GONE, STATEFUL, statefulSpec, testTransfer, WELL } from "../testing/databases.ts";
import { NO_LIMITS } from "../testing/dns.ts";
import { T0 } from "../testing/evidence.ts";
import { answerOf, asked, failing, proposalOf, standing } from "../testing/rules.ts";
import {
  NO_CONTROLS,
  passiveSpec,
  persist,
  request,
  type SituationInput,
  testControl,
  testSituation,
} from "../testing/situation.ts";

const SPEC = statefulSpec();
/** r1 is dead for 5 s, and its database with it. */
const dead = (input: SituationInput = {}): Situation => failing({ spec: SPEC, databases: PRIMARY_GONE, ...input });
const well = (input: SituationInput = {}): Situation => testSituation({ spec: SPEC, databases: WELL, ...input });
const toR2 = request({ kind: "failover", to: "r2" });

/** PRIMARY_GONE with another r2. */
const r2 = (role: DatabaseView["role"], changed: Partial<DatabaseView> = {}): readonly DatabaseView[] =>
  PRIMARY_GONE.map((one) => (one.region === "r2" ? { ...one, ...database("r2", role), ...changed } : one));
const standbyWith = (changed: Partial<DatabaseView>): readonly DatabaseView[] =>
  PRIMARY_GONE.map((one) => (one.region === "r2" ? { ...one, ...changed } : one));

const R2_WRITES = [database("r1", "unseen"), database("r2", "writable"), database("r3", "standby")];
const ann = { kind: "operator", name: "ann" } as const;

const a7 = (decision: Pick<Decision, "rules">) => answerOf(decision, "A7");
const agreed = (situation: Situation, operatorMove: OperatorMove | null = null): Approved => {
  const { proposal, asks } = decide(situation, operatorMove ? request(operatorMove) : null);
  return { question: proposal!.question, weights: proposal!.weightsAfter, asks, by: "ann", reason: "go" };
};

describe("A7", () => {
  it("has nothing to say of a service whose data has no single place, nor of what moves no traffic", () => {
    expect(a7(decide(failing(), null))).toMatchObject({ answer: "allow", why: "its data has no single writable place" });
    const freeze = dead({ regions: { r1: {} }, controls: { ...NO_CONTROLS, frozen: testControl() } });
    expect(a7(decide(freeze, null))).toMatchObject({ answer: "allow", why: "moves no traffic" });
    expect(decide(dead({ written: null }), null)).toMatchObject({ isAllowed: true, proposal: { kind: "create" } });
  });

  it("allows when the target writes and nobody else does, and is the only objection when it doesn't", () => {
    const allowed = decide(dead({ databases: R2_WRITES }), null);
    expect(allowed).toMatchObject({ isAllowed: true, transfer: null });
    expect(a7(allowed).why).toBe("the database in r2 is writable");
    const held = decide(dead(), null);
    expect(standing(held)).toEqual(["A7"]);
    expect(held).toMatchObject({ isAllowed: false, transfer: { from: "r1", to: "r2" }, asks: [] });
    expect(a7(held)).toMatchObject({ answer: "defer", why: "r2 has a standby: the writable role must be led there first" });
    expect(held.sentence).toContain("held back by A7 (r2 has a standby");
  });

  it.each<[string, readonly DatabaseView[], string]>([
    ["isn't seen", r2("unseen"), "the database in r2 is unseen"],
    ["is a primary that refuses writes", r2("read-only"), "the database in r2 is read-only"],
    ["is seen in two ways", r2("split"), "the database in r2 is split"],
    ["isn't known at all", [], "nothing is known of the database in r2"],
    [
      "is a standby of two that write",
      [database("r1", "writable"), database("r2", "standby"), database("r3", "writable")],
      "the databases of r1 and r3 can both be written to",
    ],
  ])("denies when the target's database %s", (_, databases, why) => {
    const spec = {
      ...SPEC,
      endpoints: SPEC.endpoints.filter(({ region }) => region !== "r3" || databases.length === 0 || why.includes("r3")),
    };
    const decision = decide(
      dead({ spec, databases: databases.filter(({ region }) => region !== "r3" || why.includes("r3")) }),
      null,
    );
    expect(a7(decision)).toMatchObject({ answer: "deny", why });
    expect(decision).toMatchObject({ isAllowed: false, transfer: null });
  });

  it("denies what would give two writable regions traffic, or a standby beside the writable one, or two standbys", () => {
    const situation = well();
    const base = proposalOf(situation, toR2);
    const landing = (weights: Readonly<Record<string, number>>, gains: readonly string[], databases = WELL) =>
      a7(asked({ ...base, gains, weightsAfter: { default: weights } }, { ...situation, databases }));
    const both = [database("r1", "writable"), database("r2", "writable"), database("r3", "standby")];
    expect(landing({ r1: 1, r2: 1, r3: 0 }, ["r2"], both)).toMatchObject({
      answer: "deny",
      why: "r1 and r2 would have traffic, and the databases of both can be written to",
    });
    expect(landing({ r1: 0, r2: 1, r3: 0 }, ["r2"], both)).toMatchObject({
      answer: "deny",
      why: "the databases of r1 and r2 can both be written to",
    });
    expect(landing({ r1: 1, r2: 1, r3: 0 }, ["r2"])).toMatchObject({
      answer: "deny",
      why: "r2 would get traffic while r1 has some and its database is the writable one",
    });
    expect(landing({ r1: 0, r2: 1, r3: 1 }, ["r2", "r3"])).toMatchObject({
      answer: "deny",
      why: "r2 and r3 would get traffic, and only one database can be writable",
    });
    const split = [database("r1", "split"), database("r2", "writable"), database("r3", "standby")];
    expect(landing({ r1: 1, r2: 1, r3: 0 }, ["r2"], split)).toMatchObject({ answer: "deny", why: "the database in r1 is split" });
  });

  it.each<[string, Partial<DatabaseView>, string]>([
    [
      "the link was cut 60 s before the fault",
      { linkLostAt: T0 - 65_000, lagAt: T0 - 66_000 },
      "r2 lacks what was written since its replication was cut at 03:10:55Z, 60 s before the fault at 03:11:55Z; replication cut since 03:10:55Z, 200 ms behind at 03:10:54Z",
    ],
    ["it was far behind", { lagMs: 45_000 }, "r2 was 45 s behind at 03:11:52Z, at most 10 s is allowed"],
    [
      "how far behind was never told",
      { lagMs: null, lagAt: null },
      "how far r2 is behind was never told, at most 10 s is allowed",
    ],
    [
      "how far behind was told long ago",
      { lagAt: T0 - 60_000, linkLostAt: null },
      "r2 was last heard 200 ms behind at 03:11:00Z, 55 s before the fault at 03:11:55Z, at most 10 s is allowed",
    ],
  ])("asks when %s, with both numbers; who agrees has the role led there all the same", (_, changed, why) => {
    const situation = dead({ databases: standbyWith(changed) });
    const decision = decide(situation, null);
    expect(a7(decision)).toMatchObject({ answer: "require-approval", why });
    expect(decision).toMatchObject({ asks: ["A7"], transfer: null, isAllowed: false });
    const after = decide({ ...situation, approved: agreed(situation) }, null);
    expect(a7(after)).toMatchObject({ answer: "defer", skipped: false });
    expect(after).toMatchObject({ transfer: { from: "r1", to: "r2" }, isAllowed: false, asks: [] });
    const other = decide({ ...situation, approved: { ...agreed(situation), asks: ["A9"] } }, null);
    expect(a7(other).answer).toBe("require-approval");
  });

  it("one fault may be seen in two places a probe apart, in either order", () => {
    expect(a7(decide(dead({ databases: standbyWith({ linkLostAt: T0 - 12_000, lagAt: T0 - 12_500 }) }), null)).answer).toBe(
      "defer",
    );
    expect(a7(decide(dead({ databases: standbyWith({ linkLostAt: T0 - 12_001, lagAt: T0 - 12_500 }) }), null)).answer).toBe(
      "require-approval",
    );
    expect(a7(decide(dead({ databases: standbyWith({ linkLostAt: null, lagAt: T0 - 1_000 }) }), null)).answer).toBe("defer");
  });

  it("asks for the mode and for other rules too before the role is led anywhere", () => {
    const inApprove = dead({ spec: { ...SPEC, mode: "approve" } });
    const first = decide(inApprove, null);
    expect(first).toMatchObject({ asks: ["mode"], transfer: null });
    expect(decide({ ...inApprove, approved: agreed(inApprove) }, null).transfer).toEqual({ from: "r1", to: "r2" });
    const frozen = decide(dead({ controls: { ...NO_CONTROLS, frozen: testControl() }, modeWritten: "frozen" }), null);
    expect(standing(frozen)).toEqual(["A4", "A7"]);
    expect(frozen).toMatchObject({ transfer: null, asks: [] });
    expect(decide(dead({ spec: { ...SPEC, mode: "advisory" } }), null)).toMatchObject({ transfer: null, asks: [] });
  });

  it("an operator's failover is led the same way, and break-glass skips the leading", () => {
    const planned = decide(well(), toR2);
    expect(planned).toMatchObject({ isAllowed: false, transfer: { from: "r1", to: "r2" } });
    const broken = decide(well(), { ...toR2, breakGlass: ["A7"] });
    expect(broken).toMatchObject({ isAllowed: true, transfer: null });
    expect(a7(broken)).toMatchObject({ answer: "defer", skipped: true });
  });

  it("goes back only when replication streams again and is near enough", () => {
    const atR2 = { default: { r1: 0, r2: 255, r3: 0 } };
    const traffic = (situation: Situation): Situation["traffic"] => ({
      ...situation.traffic,
      passive: { default: { active: "r2", returning: null } },
      shares: { default: { r1: 0, r2: 1, r3: 0 } },
    });
    const home = (databases: readonly DatabaseView[]): Situation => {
      const situation = well({ databases, written: atR2 });
      return { ...situation, traffic: traffic(situation) };
    };
    const back = request({ kind: "failback" });
    const streaming = [database("r1", "standby"), database("r2", "writable"), database("r3", "standby")];
    const ready = decide(home(streaming), back);
    expect(ready).toMatchObject({
      transfer: { from: "r2", to: "r1" },
      proposal: { kind: "failback", sharesAfter: { default: { r1: 1 } } },
    });
    const cut = [database("r1", "standby", { linkLostAt: T0 - 3_000 }), ...streaming.slice(1)];
    expect(a7(decide(home(cut), back))).toMatchObject({ answer: "deny" });
    expect(a7(decide(home(cut), back)).why).toContain("cut at 03:11:57Z, 3 s ago");
    const far = [database("r1", "standby", { lagMs: 11_000 }), ...streaming.slice(1)];
    expect(a7(decide(home(far), back)).why).toBe("r1 was 11 s behind at 03:11:59Z, at most 10 s is allowed");
    const old = [database("r1", "standby", { lagAt: T0 - 18_000 }), ...streaming.slice(1)];
    expect(a7(decide(home(old), back)).why).toContain("18 s ago, at most 17 s is allowed");
  });
});

describe("while the role is led to r2", () => {
  const live = (changed: Partial<Transfer> = {}, start = {}): Transfer => testTransfer(changed, start);

  it("traffic waits with the transfer's own sentence, and the wish for it stands", () => {
    const transfer = live();
    const decision = decide(dead({ transfer }), null);
    expect(a7(decision)).toMatchObject({ answer: "defer", why: transfer.why });
    expect(decision.transfer).toEqual({ from: "r1", to: "r2" });
  });

  it.each(["split", "read-only", "unseen"] as const)(
    "r2 is seen %s for a moment while the hook works on it: no refusal",
    (role) => {
      const databases = [database("r1", "unseen"), database("r2", role), database("r3", "standby")];
      const called = live({ hook: { attempts: 1, lastAt: T0, answer: "working", isFenced: null, why: "" } });
      expect(a7(decide(dead({ transfer: called, databases }), null))).toMatchObject({ answer: "defer", why: called.why });
      expect(a7(decide(dead({ transfer: live(), databases }), null))).toMatchObject({ answer: "deny" });
    },
  );

  it("nobody is led elsewhere", () => {
    const decision = decide(dead({ transfer: live() }), request({ kind: "failover", to: "r3" }));
    expect(a7(decision)).toMatchObject({ answer: "defer" });
    expect(a7(decision).why).toContain("the writable role is on its way from r1 to r2");
    expect(decision.transfer).toBeNull();
  });

  it("no second target is chosen half-way, though another is preferred now", () => {
    const transfer = testTransfer({}, { to: "r3" });
    expect(decide(dead({ transfer }), null).transfer).toEqual({ from: "r1", to: "r3" });
    expect(decide(dead({ transfer, regions: { r3: { verdict: "unhealthy" } } }), null)).toMatchObject({
      transfer: null,
      proposal: { gains: ["r2"] },
    });
  });

  it("before the hook is called it may be unwanted; afterwards it is carried out although r1 is well again", () => {
    const before = decide(well({ transfer: live() }), null);
    expect(before.proposal).toBeNull();
    const called = noteHookCall(live(), T0 - 1_000);
    expect(decide(well({ transfer: called }), null)).toMatchObject({
      transfer: { from: "r1", to: "r2" },
      proposal: { kind: "failover" },
    });
    const promoted = decide(well({ transfer: live({ phase: "switch" }), databases: R2_WRITES }), null);
    expect(promoted).toMatchObject({
      isAllowed: true,
      proposal: { actor: { kind: "automation" }, sharesAfter: { default: { r2: 1 } } },
    });
    const moved = persist(well({ transfer: live({ phase: "switch" }), databases: R2_WRITES }), promoted);
    expect(decide(moved, null).proposal).toBeNull();
    expect(moved.controls.placement).toBeNull();
  });

  it("an operator's goes through by their own word, in every mode, with what they named, and stays until failback", () => {
    const transfer = testTransfer({ phase: "switch" }, { by: ann, reason: "maintenance", breakGlass: ["A1"] });
    const spec = { ...SPEC, mode: "advisory" as const, regionsMin: 3 };
    const decision = decide(well({ transfer, databases: R2_WRITES, spec }), null);
    expect(decision).toMatchObject({ isAllowed: true, proposal: { kind: "failover", actor: ann, reason: "maintenance" } });
    expect(decision.controlsAfter.placement).toMatchObject({ region: "r2", by: "ann", at: transfer.startedAt });
    const led = decide(well({ transfer: testTransfer({}, { by: ann, reason: "maintenance" }) }), null);
    expect(led).toMatchObject({ isAllowed: false, transfer: { from: "r1", to: "r2" } });
  });

  it("to a target that A6 speaks against, an operator who names it is led, and goes through", () => {
    const regions = { r2: { verdict: "unknown" as const } };
    const named = { ...toR2, breakGlass: ["A6" as const] };
    expect(decide(well({ regions }), toR2).transfer).toBeNull();
    expect(decide(well({ regions }), named).transfer).toEqual({ from: "r1", to: "r2" });
    const transfer = testTransfer({ phase: "switch" }, { by: ann, reason: "I know better", breakGlass: ["A6"] });
    expect(decide(well({ regions, transfer, databases: R2_WRITES }), null)).toMatchObject({
      isAllowed: true,
      proposal: { actor: ann },
    });
  });

  it("a service that is declared without a database forgets it", () => {
    expect(decide(testSituation({ transfer: noteHookCall(live(), T0), databases: [] }), null).proposal).toBeNull();
  });
});

describe("after a transfer stopped", () => {
  const stopped = (changed: Partial<Transfer> = {}): Transfer =>
    testTransfer({ phase: "stopped", phaseAt: T0 - 1_000, stoppedFor: "failed", why: "it stopped", ...changed });

  it("automation doesn't try again for the same fault, to nobody; a person's failover does, and so does their approval", () => {
    const situation = dead({ transfer: stopped() });
    const decision = decide(situation, null);
    expect(a7(decision)).toMatchObject({ answer: "require-approval", why: "it stopped; automation doesn't try again by itself" });
    expect(decision).toMatchObject({ transfer: null, asks: ["A7"] });
    expect(a7(decide({ ...situation, transfer: stopped({ to: "r3" }) }, null)).answer).toBe("require-approval");
    expect(decide(situation, toR2).transfer).toEqual({ from: "r1", to: "r2" });
    expect(decide({ ...situation, approved: agreed(situation) }, null).transfer).toEqual({ from: "r1", to: "r2" });
  });

  it("what was approved before it stopped isn't approved again by that", () => {
    const situation = dead({ transfer: stopped() });
    const early = { ...agreed(situation), at: T0 - 1_000 };
    expect(a7(decide({ ...situation, approved: early }, null)).answer).toBe("require-approval");
    expect(decide({ ...situation, approved: { ...early, at: T0 } }, null).transfer).not.toBeNull();
  });

  it("it does for a later fault, and after one that nobody wanted any more", () => {
    expect(decide(dead({ transfer: stopped({ phaseAt: T0 - 6_000 }) }), null).transfer).not.toBeNull();
    expect(decide(dead({ transfer: stopped({ stoppedFor: "unwanted" }) }), null).transfer).not.toBeNull();
    expect(decide(dead({ transfer: stopped({ phase: "done" }) }), null).transfer).not.toBeNull();
  });
});

describe("the strategy of a stateful service", () => {
  it("prefers a target whose database is writable already", () => {
    const databases = [database("r1", "unseen"), database("r2", "standby"), database("r3", "writable")];
    expect(decide(dead({ databases }), null)).toMatchObject({ isAllowed: true, proposal: { gains: ["r3"] } });
  });

  it("taking a drain back moves nothing", () => {
    const controls = { ...NO_CONTROLS, drained: { r1: testControl() } };
    const spec = statefulSpec({}, passiveSpec({ failback: "automatic" }));
    const base = well({ controls, databases: R2_WRITES, spec, written: { default: { r1: 0, r2: 255, r3: 0 } } });
    const traffic = {
      ...base.traffic,
      passive: { default: { active: "r2", returning: null } },
      shares: { default: { r1: 0, r2: 1, r3: 0 } },
    };
    const decision = decide({ ...base, traffic }, request({ kind: "undrain", region: "r1" }));
    expect(decision).toMatchObject({ proposal: null, controlsAfter: { drained: {} } });
  });
});

describe("laws", () => {
  /** Any situation, of a stateful service, and mostly with little else in the way of a move. */
  const anyStatefulSituation = fc
    .tuple(arbitrarySituation, fc.constantFrom(true, true, false))
    .map(([{ situation, asked: word }, isCalm]) => {
      const strategy = {
        kind: "active-passive",
        failback: "automatic",
        panic: situation.spec.strategy.panic,
        trickle: 0,
      } as const;
      const spec = { ...situation.spec, strategy, stateful: STATEFUL };
      const calm = { spec: { ...spec, mode: "automatic", safety: NO_LIMITS, regionsMin: 1 }, controls: NO_CONTROLS } as const;
      return { situation: { ...situation, spec, ...(isCalm ? { ...calm, modeWritten: "auto" as const } : {}) }, word };
    });
  const roleOf = ({ databases }: Situation, region: string) => databases.find((one) => one.region === region)?.role;

  it("no allowed move leaves two writable regions with traffic, and none gives any to a region that isn't seen to write", () => {
    let moves = 0;
    fc.assert(
      fc.property(anyStatefulSituation, ({ situation, word }) => {
        const { proposal, isAllowed, rules } = decide(situation, word);
        if (!proposal || !isAllowed || proposal.gains.length === 0) return;
        if (["create", "configure", "freeze", "unfreeze"].includes(proposal.kind) || answerOf({ rules }, "A7").skipped) return;
        moves += 1;
        for (const region of proposal.gains) expect(roleOf(situation, region)).toBe("writable");
        const writing = situation.databases.filter(({ role }) => role === "writable");
        if (situation.transfer?.phase !== "switch") expect(writing).toHaveLength(1);
        const served = regionsWhere(proposal.weightsBefore, proposal.weightsAfter, ({ after }) => after > 0);
        expect(served.filter((region) => roleOf(situation, region) === "writable").length).toBeLessThanOrEqual(1);
      }),
      { numRuns: 1_500 },
    );
    expect(moves).toBeGreaterThan(10);
  });

  it("the role is led only to a standby, only when nothing but A7 stands in the way, and never while another is on its way", () => {
    let led = 0;
    fc.assert(
      fc.property(anyStatefulSituation, ({ situation, word }) => {
        const { transfer, rules, isAllowed, asks } = decide(situation, word);
        if (transfer === null) return;
        led += 1;
        expect([isAllowed, asks]).toEqual([false, []]);
        expect(standing({ rules })).toEqual(["A7"]);
        const { transfer: live } = situation;
        // Promoted while it is led there: until the transfer has looked whether anybody else writes, it is still being led.
        const isOnItsWay = live?.to === transfer.to && (live.phase === "prepare" || live.phase === "role");
        // Once the hook works on it, whatever is seen meanwhile.
        if (!isOnItsWay || live.hook.attempts === 0)
          expect(isOnItsWay ? ["standby", "writable"] : ["standby"]).toContain(roleOf(situation, transfer.to));
        expect(transfer.from).not.toBe(transfer.to);
        if (live && ["prepare", "role", "switch"].includes(live.phase)) expect(live.to).toBe(transfer.to);
      }),
      { numRuns: 1_500 },
    );
    expect(led).toBeGreaterThan(10);
  });

  it("without a writable place declared, databases and transfers change nothing", () => {
    fc.assert(
      fc.property(arbitrarySituation, ({ situation, asked: word }) => {
        const bare = { ...situation, spec: { ...situation.spec, stateful: null } };
        const { proposal: a, rules, ...one } = decide({ ...bare, databases: [], transfer: null, approved: null }, word);
        const { proposal: b, rules: also, ...other } = decide({ ...bare, approved: null }, word);
        expect(other).toEqual(one);
        expect(also).toEqual(rules);
        expect(b?.weightsAfter).toEqual(a?.weightsAfter);
      }),
    );
  });
});

it("the lag that is allowed is the one that is declared", () => {
  expect(STATEFUL.lagMaxMs).toBe(10_000);
  const strict = dead({ spec: statefulSpec({ lagMaxMs: 100 }) });
  expect(a7(decide(strict, null)).why).toBe("r2 was 200 ms behind at 03:11:52Z, at most 100 ms is allowed");
});
