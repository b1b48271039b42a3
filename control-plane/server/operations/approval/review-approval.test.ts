/** Laws of asking: the same question once, another one anew, and an answer only while it answers what is so now. */
import type { Decision, Proposal, ServiceSpec } from "@regent/engine";
import { expect, test } from "vitest";
import type { HistoryEntry, ServiceRecord, StoredApproval } from "../../ports/decision-store.ts";
import { specOf } from "../../testing/specs.ts";
import { type Draft, emptyRecord } from "../memory/ledger.ts";
import { toApproved } from "../memory/situation.ts";
import { askApproval } from "./ask-approval.ts";
import { findApproval } from "./find-approval.ts";
import { approvalLookAt, FORMER_MAX, reviewApproval } from "./review-approval.ts";

const NOW = 1_795_000_000_000;
const MINUTE_MS = 60_000;

const base = specOf("web", "Z1");
const specWith = (safety: Partial<ServiceSpec["safety"]>): ServiceSpec => ({
  ...base,
  safety: { ...base.safety, approvalMs: 15 * MINUTE_MS, ...safety },
});
const spec = specWith({});
const { traffic, controls } = emptyRecord("web");

const proposalOf = (more: Partial<Proposal> = {}): Proposal => ({
  kind: "failover",
  actor: { kind: "automation", name: "regent" },
  reason: null,
  why: "eu is unhealthy; traffic goes to us 100 %",
  detectedAt: NOW,
  sharesBefore: { default: { eu: 1, us: 0 } },
  sharesAfter: { default: { eu: 0, us: 1 } },
  weightsBefore: { default: { eu: 255, us: 0 } },
  weightsAfter: { default: { eu: 0, us: 255 } },
  leaves: ["eu"],
  gains: ["us"],
  panicFamilies: [],
  breakGlass: [],
  computedAt: NOW,
  basis: "[1]",
  question: "[1]",
  isRebased: false,
  isAsked: false,
  ...more,
});

const decisionOf = (asks: Decision["asks"], proposal: Proposal | null = proposalOf()): Decision => ({
  proposal,
  rules: [{ rule: "A9", answer: "require-approval", why: "3 incidents within the hour, at most 3", skipped: false }],
  isAllowed: false,
  asks,
  transfer: null,
  trafficNow: traffic,
  trafficAfter: traffic,
  controlsAfter: { ...controls, frozenGlobally: null },
  failStatic: null,
  sentence: "",
  nextLookAt: null,
});

test("a new leader asks nobody, and calls nothing stale, before every agent has had the time to report", () => {
  const { reportMs } = spec.settings;
  const told: string[] = [];
  let record = emptyRecord("web");
  const draft = {
    record: () => record,
    update: (_: string, change: (known: ServiceRecord) => ServiceRecord) => {
      record = change(record);
    },
    tell: ({ kind }: HistoryEntry) => void told.push(kind),
  } as unknown as Draft;
  const askAt = (now: number) =>
    askApproval(
      { clock: { now: () => now, monotonic: () => now }, ids: { ulid: () => `id-${++ulids}` }, leadingSince: () => NOW },
      draft,
      spec,
      decisionOf(["A9"]),
    );
  expect(askAt(NOW + 2 * reportMs - 1)).toBeNull();
  expect([record.approval, told]).toEqual([null, []]);
  expect(askAt(NOW + 2 * reportMs)?.approval.state).toBe("waiting");
  expect(told).toEqual(["approval"]);
  expect(askAt(NOW + 2 * reportMs + 1)).toBeNull();
});

let ulids = 0;
const review = (approval: StoredApproval | null, decision: Decision, now = NOW, of = spec) =>
  reviewApproval({ spec: of, approval, decision, now }, () => `id-${++ulids}`);

const asked = (of = spec, asks: Decision["asks"] = ["A9", "mode"]): StoredApproval => {
  const reviewed = review(null, decisionOf(asks), NOW, of);
  if (!reviewed) throw new Error("not asked");
  return reviewed.approval;
};

test("a question says what would be done, what asks with its numbers, until when, and how to answer", () => {
  const [told] = review(null, decisionOf(["A9", "mode"]))?.told ?? [];
  expect(told?.page).toBe(true);
  expect(told?.why.replace(/id-\d+/, "ID").replace(/\d\d:\d\d:\d\dZ/, "HH:MM:SSZ")).toBe(
    "asks for a person: eu is unhealthy; traffic goes to us 100 %; because of A9 (3 incidents within the hour, at most 3) and the mode approve; it waits until HH:MM:SSZ, and if nobody answers traffic stays; answer with: regent change approve ID --reason … (or refuse)",
  );
});

test("the same question is one: neither the order of regions nor a region without weight nor another rule makes it another", () => {
  const weightsAfter = { default: { us: 255, eu: 0, old: 0 } };
  expect(review(asked(), decisionOf(["mode"], proposalOf({ weightsAfter, why: "in other words" })))).toBeNull();
});

test.each([
  ["kind", { kind: "rebalance", question: "[2]" }],
  ["region that is left", { leaves: [], weightsAfter: { default: { eu: 1, us: 255 } } }],
  ["region that receives", { gains: ["old"], weightsAfter: { default: { eu: 0, us: 0, old: 255 } }, question: "[2]" }],
] as const)("another %s makes the old question stale and asks anew, told in this order, with one page", (_, more) => {
  const before = asked();
  const reviewed = review(before, decisionOf(["A9"], proposalOf(more)));
  expect(reviewed?.told.map(({ approval, page }) => [approval.id, approval.state, page])).toEqual([
    [before.id, "stale", false],
    [reviewed?.approval.id, "waiting", true],
  ]);
  expect(reviewed?.approval.former).toEqual([{ id: before.id, state: "stale", by: null, answeredAt: null }]);
});

const OTHERS = [
  ["evidence", {}, ["A9"], { question: "[2]" }],
  ["weights", {}, ["A9"], { weightsAfter: { default: { eu: 0, us: 200 } } }],
  ["rule that asks", {}, ["A9", "A17"], {}],
] as const;

test.each(OTHERS)(
  "another %s about the same move: a new id, the same end, one sentence and no page",
  (_, more, asks, changed) => {
    const before = asked(specWith(more), ["A9"]);
    const reviewed = review(before, decisionOf(asks, proposalOf(changed)), NOW + MINUTE_MS);
    expect(reviewed?.approval).toMatchObject({ state: "waiting", lapsesAt: before.lapsesAt, asks });
    expect(reviewed?.approval.id).not.toBe(before.id);
    expect(reviewed?.approval.digest).not.toBe(before.digest);
    expect(reviewed?.approval.former).toEqual([{ id: before.id, state: "stale", by: null, answeredAt: null }]);
    expect(reviewed?.told.map(({ approval, page }) => [approval.state, page])).toEqual([["waiting", false]]);
    expect(reviewed?.told[0]?.why).toContain(`; ${before.id} is stale, this is asked instead`);
    const record = { ...emptyRecord("web"), approval: reviewed?.approval ?? null };
    expect(findApproval(record, before.id)).toMatchObject({ kind: "stale-approval", next: reviewed?.approval.id });
  },
);

test.each(OTHERS)("another %s about the same move leaves a no standing", (_, more, asks, changed) => {
  const refused: StoredApproval = {
    ...asked(specWith(more), ["A9"]),
    state: "refused",
    by: "ann",
    reason: "no",
    answeredAt: NOW,
  };
  expect(review(refused, decisionOf(asks, proposalOf(changed)))).toBeNull();
});

test("evidence that goes to and fro for an hour pages nobody more often than a quiet question, and what proceeds proceeds in time", () => {
  const of = specWith({ onApprovalTimeout: { A9: "proceed" } });
  let approval: StoredApproval | null = null;
  let pages = 0;
  for (let at = NOW; approval?.state !== "approved" && at < NOW + 60 * MINUTE_MS; at += 10_000) {
    const reviewed = review(approval, decisionOf(["A9"], proposalOf({ question: `[${at % 20_000}]` })), at, of);
    pages += reviewed?.told.filter(({ page }) => page).length ?? 0;
    approval = reviewed?.approval ?? approval;
  }
  expect(pages).toBe(1);
  expect(approval).toMatchObject({ state: "approved", answeredAt: NOW + 15 * MINUTE_MS });
});

test("what stands in its way for a moment makes it stale, and the same is then asked without a page; another fault has one", () => {
  const before = asked();
  const stale = review(before, decisionOf([]))?.approval ?? null;
  expect(stale).toMatchObject({ state: "stale", isOver: false });
  const again = review(stale, decisionOf(["A9"]), NOW + MINUTE_MS);
  expect(again?.told.map(({ page }) => page)).toEqual([false]);
  expect(again?.approval).toMatchObject({ state: "waiting", lapsesAt: before.lapsesAt });
  const over = review(stale, decisionOf([], null))?.approval ?? null;
  expect(over).toMatchObject({ state: "stale", isOver: true });
  expect(review(over, decisionOf(["A9"]), NOW + MINUTE_MS)?.told.map(({ page }) => page)).toEqual([true]);
});

test("a rule that asks no more leaves the question and its answer good", () => {
  expect(review(asked(spec, ["A9", "A17"]), decisionOf(["A17"]))).toBeNull();
});

test("a yes counts for as long as the question would have waited, and the same is asked anew after that", () => {
  const approved: StoredApproval = { ...asked(), state: "approved", by: "ann", reason: "yes", answeredAt: NOW };
  const endsAt = NOW + 15 * MINUTE_MS;
  expect(toApproved({ approval: approved }, spec, endsAt - 1)).toMatchObject({ by: "ann" });
  expect(toApproved({ approval: approved }, spec, endsAt)).toBeNull();
  expect(approvalLookAt({ spec, approval: approved, now: NOW })).toBe(endsAt);
  expect(review(approved, decisionOf(["A9"]), endsAt)?.told.map(({ page }) => page)).toEqual([true]);
});

test("nothing is asked, and nothing told, where nothing but a person's word doesn't lack", () => {
  expect(review(null, decisionOf([]))).toBeNull();
  expect(review(null, { ...decisionOf(["A9"]), isAllowed: true })).toBeNull();
});

test.each([
  ["none is declared", {}, ["A9"], "stay"],
  ["one of two is declared", { A9: "proceed" }, ["A9", "mode"], "stay"],
  ["one stays", { A9: "proceed", mode: "stay" }, ["A9", "mode"], "stay"],
  ["all proceed", { A9: "proceed", mode: "proceed" }, ["A9", "mode"], "proceed"],
] as const)("what follows silence when %s", (_, onApprovalTimeout, asks, expected) => {
  const of = specWith({ onApprovalTimeout });
  const waiting = asked(of, asks);
  expect(waiting.onLapse).toBe(expected);
  const at = waiting.lapsesAt;
  expect(review(waiting, decisionOf(asks), at - 1, of)).toBeNull();
  expect(review(waiting, decisionOf(asks), at, of)?.approval.state).toBe(expected === "proceed" ? "approved" : "lapsed");
});

test("silence doesn't answer what asks since then and isn't declared to proceed", () => {
  const of = specWith({ onApprovalTimeout: { A9: "proceed" } });
  const waiting = asked(of, ["A9"]);
  expect(review(waiting, decisionOf(["A9", "A17"]), waiting.lapsesAt, of)?.approval.state).toBe("lapsed");
});

test("what lapsed is asked again after as long, and wakes whoever decides then", () => {
  const waiting = asked();
  expect(approvalLookAt({ spec, approval: waiting, now: NOW })).toBe(waiting.lapsesAt);
  const lapsed = review(waiting, decisionOf(["A9"]), waiting.lapsesAt)?.approval ?? waiting;
  const againAt = waiting.lapsesAt + 15 * MINUTE_MS;
  expect(approvalLookAt({ spec, approval: lapsed, now: waiting.lapsesAt })).toBe(againAt);
  expect(review(lapsed, decisionOf(["A9"]), againAt - 1)).toBeNull();
  expect(review(lapsed, decisionOf(["A9"]), againAt)?.approval.state).toBe("waiting");
});

test("a no stands while something else stands in the way for a moment, and ends when nothing is wanted", () => {
  const refused: StoredApproval = { ...asked(), state: "refused", by: "ann", reason: "no", answeredAt: NOW };
  expect(review(refused, decisionOf(["A9"]))).toBeNull();
  expect(review(refused, decisionOf([]))).toBeNull();
  const over = review(refused, decisionOf([], null));
  expect(over).toMatchObject({ approval: { state: "refused", isOver: true }, told: [] });
  expect(review(over?.approval ?? null, decisionOf(["A9"]))?.approval).toMatchObject({ state: "waiting", isOver: false });
});

test("a yes ends as soon as something else is wanted, so that it can't let the same through on another day", () => {
  const approved: StoredApproval = { ...asked(), state: "approved", by: "ann", reason: "yes", answeredAt: NOW };
  const allowed = { ...decisionOf([]), isAllowed: true };
  expect(review(approved, allowed)).toBeNull();
  expect(review(approved, { ...allowed, proposal: proposalOf({ question: "[2]" }) })?.approval.isOver).toBe(true);
});

test("however often it is asked, what is remembered is bounded", () => {
  let approval = asked();
  for (let i = 0; i < 3 * FORMER_MAX; i += 1)
    approval = review(approval, decisionOf(["A9"], proposalOf({ question: `[${i + 2}]` })))?.approval ?? approval;
  expect(approval.former).toHaveLength(FORMER_MAX);
});
