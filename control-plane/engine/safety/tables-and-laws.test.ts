/** A table or a law of rules whose own files have only the other: docs/REHEARSAL.md's index names one of each for every rule. */
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decide } from "../decide.ts";
import type { Edit, SafetyLimits, Situation } from "../model.ts";
import { arbitrarySituation } from "../testing/arbitrary-situation.ts";
import { answerOf, ask, asked, failing, proposalOf } from "../testing/rules.ts";
import { NO_CONTROLS, passiveSpec, request, testControl, testSituation } from "../testing/situation.ts";

const toR2 = request({ kind: "failover", to: "r2" });

describe("A2", () => {
  it.each([
    { title: "one region has all", after: { r1: 255, r2: 0, r3: 0 }, answer: "allow" },
    { title: "one region has the least there is", after: { r1: 0, r2: 0, r3: 1 }, answer: "allow" },
    { title: "all are zero", after: { r1: 0, r2: 0, r3: 0 }, answer: "deny" },
    { title: "none is left", after: {}, answer: "deny" },
    { title: "only a region that isn't declared has any", after: { r9: 255 }, answer: "deny" },
  ])("$title: $answer", ({ after, answer }) => {
    const proposal = { ...proposalOf(failing()), weightsAfter: { default: after as Readonly<Record<string, number>> } };
    expect(answerOf(asked(proposal, failing()), "A2").answer).toBe(answer);
  });
});

describe("A7", () => {
  it("law: a service whose data has no single place is never held by it", () => {
    fc.assert(
      fc.property(arbitrarySituation, ({ situation, asked: move }) => {
        const { rules } = decide({ ...situation, spec: { ...situation.spec, stateful: null } }, move);
        if (rules.length > 0) expect(answerOf({ rules }, "A7").answer).toBe("allow");
      }),
    );
  });
});

const BUDGETS = ["failoversPerHour", "failoversPerDay", "failoversPerHourOfAll", "regionsOutMax", "incidentsMax"] as const;

describe.each(["A9", "A10"] as const)("%s", (rule) => {
  it("law: a higher limit, or none, never turns leave into an objection", () => {
    fc.assert(
      fc.property(
        arbitrarySituation,
        fc.constantFrom(...BUDGETS),
        fc.option(fc.nat(9)),
        ({ situation, asked: move }, limit, more) => {
          const { proposal, rules } = decide(situation, move);
          if (!proposal || answerOf({ rules }, rule).answer !== "allow") return;
          const before = situation.spec.safety[limit];
          const raised = before === null || more === null ? null : before + more;
          const safety: SafetyLimits = { ...situation.spec.safety, [limit]: raised };
          const higher: Situation = { ...situation, spec: { ...situation.spec, safety } };
          expect(answerOf(asked(proposal, higher), rule).answer).toBe("allow");
        },
      ),
    );
  });
});

describe("A12", () => {
  const situation = failing();
  it.each([
    { title: "nothing has changed", changed: {}, answer: "allow" },
    { title: "it is as old as it may be", changed: { now: situation.now + 30_000 }, answer: "allow" },
    { title: "it is older", changed: { now: situation.now + 30_001 }, answer: "deny" },
    { title: "another epoch record stands", changed: { epoch: "2 B" }, answer: "deny" },
    { title: "another configuration is in force", changed: { configurationVersion: 2 }, answer: "deny" },
    {
      title: "somebody drained a region",
      changed: { controls: { ...NO_CONTROLS, drained: { r3: testControl() } } },
      answer: "deny",
    },
    { title: "verdicts come in another order", changed: { verdicts: [...situation.verdicts].reverse() }, answer: "allow" },
  ])("$title: $answer", ({ changed, answer }) => {
    expect(answerOf(asked(proposalOf(situation), { ...situation, ...changed }), "A12").answer).toBe(answer);
  });
});

describe("A14", () => {
  const DRIFT = "r1 has weight 3 in DNS";
  const withPolicy = (policy: Edit["policy"]): Partial<Situation> => ({ drift: DRIFT, edit: { policy } as Edit });
  it.each([
    { title: "nobody wrote", changed: {}, move: null, answer: "allow" },
    { title: "somebody wrote, and automation would move", changed: { drift: DRIFT }, move: null, answer: "deny" },
    { title: "somebody wrote, and a person asks now", changed: { drift: DRIFT }, move: toR2, answer: "allow" },
    { title: "somebody wrote, and it is declared to be reported", changed: withPolicy("report"), move: null, answer: "deny" },
    { title: "somebody wrote, and it is declared to be taken back", changed: withPolicy("revert"), move: null, answer: "allow" },
  ])("$title: $answer", ({ changed, move, answer }) => {
    const base = move === null ? failing({ spec: passiveSpec() }) : testSituation();
    const { edit, drift = null } = changed as Partial<Situation>;
    const proposal = proposalOf(base, move);
    expect(answerOf(asked(proposal, { ...base, drift, ...(edit === undefined ? {} : { edit }) }), "A14").answer).toBe(answer);
    if (edit === undefined) expect(ask("A14", { ...base, drift }, move).answer).toBe(answer);
  });
});
