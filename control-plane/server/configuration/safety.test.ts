import { describe, expect, test } from "vitest";
import { toDifference } from "./difference.ts";
import { SAFETY } from "./profiles.ts";
import { SMALL_TEXT, testDeclaration, testErrors, testText } from "./testing/example.ts";
import { toServiceSpecs } from "./to-specs.ts";

type Replacement = readonly [string, string];

/** For every service, line 3; for one service, line 23. */
const forAll = (safety: string): Replacement => ["owner: small", `owner: small\nsafety: { ${safety} }`];
const ofWww = (safety: string): Replacement => ["    checks:", `    safety: { ${safety} }\n    checks:`];
const also = (line: string): Replacement => ["    checks:", `    ${line}\n    checks:`];

describe("which limit counts", () => {
  const limitsOf = (...replacements: readonly Replacement[]) =>
    toServiceSpecs(testDeclaration(testText(...replacements)).declaration)[0]?.safety;

  test("the service's, then the declaration's, then its profile's; seconds become milliseconds", () => {
    expect(limitsOf()).toEqual(SAFETY.standard);
    expect(limitsOf(forAll("failoversPerHour: 2, shadowSeconds: 1.5"))).toEqual({
      ...SAFETY.standard,
      failoversPerHour: 2,
      shadowMs: 1_500,
    });
    expect(
      limitsOf(forAll("failoversPerHour: 2, regionsOutMax: 2"), ofWww("failoversPerHour: null"), also("profile: careful")),
    ).toEqual({ ...SAFETY.careful, failoversPerHour: null, regionsOutMax: 2 });
    expect(limitsOf(forAll("failoversPerHour: 2"), also("profile: sandbox"))).toEqual({ ...SAFETY.sandbox, failoversPerHour: 2 });
  });

  test("what follows a timeout is laid over rule by rule", () => {
    expect(
      limitsOf(forAll("onApprovalTimeout: { A9: proceed, A10: proceed }"), ofWww("onApprovalTimeout: { A10: stay, mode: stay }"))
        ?.onApprovalTimeout,
    ).toEqual({ A9: "proceed", A10: "stay", mode: "stay" });
  });
});

describe("limits that can't be held to", () => {
  const ASKING = "A3, A7, A9, A10, A11, A17, A18";
  const RULES = "A1, A2, A3, A4, A5, A6, A7, A8, A9, A10, A11, A12, A13, A14, A15, A16, A17, A18, mode";

  test.each<[string, ...string[]]>([
    ["failoversPerHour: 6, failoversPerDay: 6"],
    ["failoversPerHour: null, failoversPerDay: 1"],
    [
      "failoversPerHour: 7, failoversPerHourOfAll: 7",
      "SAFETY.failoversPerHour: failoversPerHour, 7, is above failoversPerDay, 6: the hour's budget can never be spent; failoversPerHour at most 6, or failoversPerDay at least 7",
    ],
    [
      "failoversPerDay: 2",
      "SAFETY.failoversPerDay: failoversPerHour, 3, is above failoversPerDay, 2: the hour's budget can never be spent; failoversPerHour at most 2, or failoversPerDay at least 3",
    ],
    ["receivedSeconds: 86400, removedSeconds: 86400"],
    [
      "receivedSeconds: 86401",
      "SAFETY.receivedSeconds: receivedSeconds is 86401, and moves are remembered for a day: A18 can't look further back; receivedSeconds at most 86400",
    ],
    [
      "removedSeconds: 100000",
      "SAFETY.removedSeconds: removedSeconds is 100000, and moves are remembered for a day: A17 can't look further back; removedSeconds at most 86400",
    ],
    ["onApprovalTimeout: { A9: proceed, A6: stay, mode: proceed }"],
    [
      "onApprovalTimeout: { A6: proceed }",
      `SAFETY.onApprovalTimeout.A6: A6 never asks a person, so no approval of it can time out and nothing can proceed; leave A6 out; these ask: ${ASKING}, and mode`,
    ],
    ["onApprovalTimeout: { A18: stay }"],
    [
      "onApprovalTimeout: { A17: proceed, A18: proceed }",
      "SAFETY.onApprovalTimeout.A18: A18 can't proceed without a person: a region that turns bad under the traffic it was just given may be dying of it, and the next one would get it too; leave A18 out or say stay; receivedSeconds: 0 turns the rule off",
    ],
    ["onApprovalTimeout: { a9: proceed }", 'SAFETY.onApprovalTimeout.a9: unknown key "a9"; did you mean "A9"?'],
    ["onApprovalTimeout: { A77: proceed }", `SAFETY.onApprovalTimeout.A77: unknown key "A77"; known here: ${RULES}`],
    ["onApprovalTimeout: { A9: go }", 'SAFETY.onApprovalTimeout.A9: "go" is not one of stay, proceed'],
    ["capacityMn: 0.5", 'SAFETY.capacityMn: unknown key "capacityMn"; did you mean "capacityMin"?'],
    ["stepMax: 0", "SAFETY.stepMax: 0 must be at least 0.01"],
  ])("%s", (safety, ...errors) => {
    const told = (line: number, path: string): string[] => errors.map((error) => `${line} ${error.replace("SAFETY", path)}`);
    expect(testErrors(testText(ofWww(safety)))).toEqual(told(23, "services[0].safety"));
    expect(testErrors(testText(forAll(safety)))).toEqual(told(3, "safety"));
  });

  test("a contradiction of two places is told where the service speaks, once", () => {
    const text = testText(forAll("failoversPerHour: 5, failoversPerDay: 9"), ofWww("failoversPerDay: 4"));
    expect(testErrors(text)).toEqual([
      "24 services[0].safety.failoversPerDay: failoversPerHour, 5, is above failoversPerDay, 4: the hour's budget can never be spent; failoversPerHour at most 4, or failoversPerDay at least 5",
    ]);
  });

  test("what follows from a limit that can't be read isn't told as well", () => {
    expect(testErrors(testText(forAll("failoversPerHour: none"), ofWww("failoversPerDay: 1")))).toEqual([
      '3 safety.failoversPerHour: must be a number, not the text "none"',
    ]);
  });
});

describe("limits that will disappoint", () => {
  const warningsOf = (...replacements: readonly Replacement[]): string[] => testDeclaration(testText(...replacements)).warnings;

  test.each<[string, ...string[]]>([
    ["failoversPerHour: 1, regionsOutMax: 1, approvalSeconds: 30"],
    ...(["failoversPerHour", "regionsOutMax", "incidentsMax"] as const).map((name): [string, string] => [
      `${name}: 0`,
      `safety.${name} is 0: ${name === "failoversPerHour" ? "A9" : "A10"} asks a person about every failover, so automation never makes one; mode: approve says so for every move, mode: advisory only tells`,
    ]),
    [
      "failoversPerHour: 6",
      "safety.failoversPerHour, 6, is never reached: all services together have 5 an hour (failoversPerHourOfAll)",
    ],
    [
      "approvalSeconds: 29",
      "safety.approvalSeconds is 29: nobody reads, looks and answers in that time, so what follows a timeout always follows; at least 30 is advised",
    ],
  ])("%s", (safety, ...warnings) => {
    expect(warningsOf(forAll(safety))).toEqual(warnings);
    expect(warningsOf(ofWww(safety))).toEqual(warnings.map((warning) => `service www: ${warning}`));
  });

  test("a budget of 0 says nothing new of a service that moves by people alone", () => {
    expect(warningsOf(ofWww("failoversPerHour: 0"), also("mode: approve"))).toEqual([]);
  });

  test("a budget of 0 that proceeds when nobody answers is a delay, and no standstill", () => {
    expect(warningsOf(ofWww("regionsOutMax: 0, onApprovalTimeout: { A10: proceed }"))).toEqual([]);
    expect(warningsOf(ofWww("regionsOutMax: 0, onApprovalTimeout: { A9: proceed }"))).toHaveLength(1);
  });

  test("limits of a service in the sandbox's profile", () => {
    expect(warningsOf(ofWww("regionsOutMax: 1"), also("profile: sandbox"))).toEqual([
      "service www: safety is declared, and profile sandbox turns most other limits off, so that nothing runs out while one plays; for traffic that matters choose standard or careful",
    ]);
  });

  test("approvals that make no difference", () => {
    const all = "A3: proceed, A7: proceed, A9: proceed, A10: proceed, A11: proceed, A17: proceed";
    expect(warningsOf(ofWww("onApprovalTimeout: { mode: proceed }"), also("mode: approve"))).toEqual([
      "service www: mode is approve, and onApprovalTimeout.mode is proceed: every move that no rule asks about is made after 900 s without anybody's word, which is automatic with a delay; mode: stay waits for a person",
    ]);
    expect(warningsOf(forAll(`onApprovalTimeout: { mode: proceed, ${all} }`), also("mode: approve"))).toEqual([
      "service www: mode is approve, and onApprovalTimeout.mode is proceed: every move that A18 doesn't ask about is made after 900 s without anybody's word, which is automatic with a delay; mode: stay waits for a person",
    ]);
    expect(warningsOf(ofWww(`approvalSeconds: 60, onApprovalTimeout: { ${all} }`))).toEqual([
      "service www: every rule that asks, but A18, proceeds after 60 s without anybody's word: these rules only delay; say stay for those that shall hold",
    ]);
    expect(warningsOf(ofWww("onApprovalTimeout: { A9: proceed }"))).toEqual([]);
    expect(warningsOf(ofWww(`onApprovalTimeout: { mode: proceed, ${all} }`), also("mode: advisory"))).toEqual([]);
  });

  test("less than one region's share may be taken away", () => {
    const robin: Replacement = ["kind: active-passive", "kind: round-robin"];
    const wider: Replacement = ["region: eu, A", "headroom: 9, capacity: 3, region: eu, A"];
    expect(warningsOf(ofWww("removedMax: 0.4"), robin)).toEqual([
      "service www: safety.removedMax, 0.4, is less than any one region carries (50 % of the traffic or more): A17 asks a person already at the first departure that it counts",
    ]);
    expect(warningsOf(ofWww("removedMax: 0.25"), ["kind: active-passive", "kind: active-active"], wider).join()).not.toContain(
      "removedMax",
    );
    expect(warningsOf(forAll("removedMax: 0.5"))).toEqual([]);
  });

  test("a least capacity that no loss of a region leaves", () => {
    const active: Replacement = ["kind: active-passive", "kind: active-active"];
    const told = (limit: number, best: number): string =>
      `service www: safety.capacityMin is ${limit}, and whichever region is lost, the others carry ${best} % at best, headroom included: A3 then asks a person about every move that doesn't leave a dead region; a lower limit, or more headroom`;
    const sized: Replacement = ["region: us, A", "headroom: 1.4, region: us, A"];
    expect(warningsOf(ofWww("capacityMin: 0.8"), active, sized)).toContain(told(0.8, 70));
    expect(warningsOf(ofWww("capacityMin: 0.7"), active, sized).join()).not.toContain("capacityMin");
    // Nobody said how much a region carries: A3 counts nothing.
    expect(warningsOf(ofWww("capacityMin: 0.8"), active).join()).not.toContain("capacityMin");
    expect(warningsOf(ofWww("capacityMin: 1"))).toEqual([]);
    const small: readonly Replacement[] = [
      ["region: us, A", "capacity: 0.1, headroom: 1, region: us, A"],
      ["region: eu, A", "headroom: 1, region: eu, A"],
    ];
    expect(warningsOf(forAll("capacityMin: 0.5"), ...small)).toEqual([]);
    expect(warningsOf(forAll("capacityMin: 1"), ...small)).toEqual([]);
  });

  test("steps of a round-robin of two", () => {
    const robin: Replacement = ["kind: active-passive", "kind: round-robin"];
    expect(warningsOf(ofWww("stepMax: 0.2"), robin)).toEqual([
      "service www: safety.stepMax is 0.2, and two regions in round-robin differ by half of the traffic: a voluntary move between one and both takes 3 steps, with unequal parts meanwhile; 0.5 makes it one",
    ]);
    expect(warningsOf(ofWww("stepMax: 0.5"), robin)).toEqual([]);
    expect(warningsOf(ofWww("stepMax: 0.2"))).toEqual([]);
  });
});

describe("what a changed limit means", () => {
  const differenceOf = (...replacements: readonly Replacement[]): string[] =>
    toDifference(testDeclaration(SMALL_TEXT).declaration, testDeclaration(testText(...replacements)).declaration);

  test.each<[string, string]>([
    [
      "capacityMin: 0.6",
      "not set -> 0.6; A3 asks a person about a move that leaves less than 60 % of the capacity, unless it leaves a dead region",
    ],
    [
      "failoversPerHour: 1",
      "not set -> 1; A9 lets automation act in 1 incident of one service an hour, and asks a person about the next",
    ],
    ["failoversPerDay: null", "not set -> no limit; A9 doesn't count incidents of one service a day"],
    ["failoversPerHourOfAll: 0", "not set -> 0; A9 asks a person about every failover"],
    ["regionsOutMax: 2", "not set -> 2; A10 lets automation keep 2 regions out at a time, and asks a person about the next"],
    [
      "incidentsMax: 4",
      "not set -> 4; A10 lets automation act in 4 incidents of all services in 5 minutes, and asks a person about the next",
    ],
    [
      "correlationSeconds: 30",
      "not set -> 30; A11 takes regions that turn bad within 30 s of each other, or of a release, for one cause",
    ],
    ["shadowSeconds: 0", "not set -> 0; A15 puts a changed service in force at once"],
    ["stepMax: 0.25", "not set -> 0.25; A16 lets a voluntary move take along 25 % of the traffic at a time"],
    [
      "removedMax: 1",
      "not set -> 1; A17 asks a person when automation would have taken away more than 100 % of the traffic within 600 s",
    ],
    [
      "removedSeconds: 60",
      "not set -> 60; A17 asks a person when automation would have taken away more than 50 % of the traffic within 60 s",
    ],
    [
      "receivedSeconds: 60",
      "not set -> 60; A18 asks a person before automation moves traffic on from a region that turns bad within 60 s of receiving it",
    ],
    ["approvalSeconds: 60", "not set -> 60; an approval waits 60 s for a person"],
  ])("%s", (safety, meaning) => {
    const name = safety.replace(/:.*/, "");
    expect(differenceOf(ofWww(safety))).toEqual([`service www: safety.${name}: ${meaning}`]);
    expect(differenceOf(forAll(safety))).toEqual([`safety.${name}: ${meaning}, for every service that doesn't say otherwise`]);
  });

  test("each answer to a timeout is told alone", () => {
    expect(differenceOf(ofWww("approvalSeconds: 60, onApprovalTimeout: { A9: proceed, mode: stay }"))).toEqual([
      "service www: safety.approvalSeconds: not set -> 60; an approval waits 60 s for a person",
      "service www: safety.onApprovalTimeout.A9: not set -> proceed; when A9 asks and nobody answers within 60 s, the move is made",
      "service www: safety.onApprovalTimeout.mode: not set -> stay; in the mode approve and nobody answers within 60 s, traffic stays",
    ]);
  });

  test("a limit that is taken out leaves the next one's", () => {
    const back = (...replacements: readonly Replacement[]): string[] =>
      toDifference(testDeclaration(testText(...replacements)).declaration, testDeclaration(SMALL_TEXT).declaration);
    expect(back(ofWww("failoversPerHour: 1"))).toEqual([
      "service www: safety.failoversPerHour: 1 -> not set; A9 lets automation act in 3 incidents of one service an hour, and asks a person about the next",
    ]);
    expect(back(forAll("failoversPerHour: 1"))).toEqual([
      "safety.failoversPerHour: 1 -> not set; each service's profile says it, unless the service does",
    ]);
  });

  test("so is a changed mode, and another drift policy for all", () => {
    expect(differenceOf(also("mode: approve"))).toEqual([
      "service www: mode: automatic -> approve; automation moves what a person approves",
    ]);
    expect(differenceOf(["owner: small", "owner: small\ndrift: revert"])).toEqual(["drift: report -> revert"]);
  });
});
