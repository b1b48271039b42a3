import { describe, expect, it } from "vitest";
import { checkBatch } from "../invariants.ts";
import type { Observed, RecordSet } from "../model.ts";
import { testObserved, testService, testUlid } from "../testing/dns.ts";
import { planOffline } from "./offline.ts";
import { buildOfflineBatch, renderOffline, targetWarnings } from "./offline-batch.ts";
import { toObserved } from "./record-sets.ts";

const both = testService({ types: ["A", "AAAA"] });
const edited = (edit: (set: RecordSet) => RecordSet | null): Observed => {
  const { epochSet, sets } = testObserved(both, [255, 0, 0]);
  return toObserved(both, [...(epochSet ? [epochSet] : []), ...sets.flatMap((set) => edit(set) ?? [])]);
};
const draft = (observed: Observed) => {
  const plan = planOffline(both, observed, { kind: "failover", to: "eu-west" });
  if (plan.kind !== "planned") throw new Error(plan.why);
  const epoch = { ...plan.epoch, revision: plan.epoch.revision + 1, ulid: testUlid(9), mode: "frozen" as const };
  return { plan, batch: buildOfflineBatch(plan, observed, epoch) };
};
const ttlsOf = (sets: readonly RecordSet[], type: string) => [
  ...new Set(sets.filter((set) => set.type === type).map(({ ttl }) => ttl)),
];

describe("the batch of an offline decision", () => {
  it("keeps the TTL of each type, where they differ, also of a record that it makes anew", () => {
    const odd = (set: RecordSet): RecordSet => ({ ...set, ttl: set.type === "A" ? 20 : 300 });
    const whole = edited(odd);
    const lacking = edited((set) => (set.type === "AAAA" && set.setIdentifier === "eu-west" ? null : odd(set)));
    for (const observed of [whole, lacking]) {
      const { plan, batch } = draft(observed);
      expect([ttlsOf(batch.creates, "A"), ttlsOf(batch.creates, "AAAA")]).toEqual([[20], [300]]);
      expect(checkBatch({ spec: plan.spec, batch })).toEqual([]);
      expect(batch.creates.slice(1)).toEqual(renderOffline(plan, observed));
    }
  });

  it("warns of what may keep Route 53 from answering the target, and of no other region", () => {
    const check = (set: RecordSet): RecordSet =>
      set.type === "AAAA" && set.setIdentifier !== "us-east" ? { ...set, healthCheckId: `hc-${set.setIdentifier}` } : set;
    const { batch } = draft(edited(check));
    expect(targetWarnings({ kind: "freeze" }, batch)).toEqual([]);
    expect(targetWarnings({ kind: "failover", to: "eu-west" }, batch)).toEqual([
      expect.stringMatching(
        /^www\.example\.com AAAA eu-west has the health check hc-eu-west: while that fails, Route 53 may not/,
      ),
    ]);
    const alias = { hostedZoneId: "Z2", name: "lb.example.net", evaluateTargetHealth: true };
    const creates = batch.creates.map(({ ttl: _ttl, values: _values, ...set }): RecordSet => ({ ...set, alias }));
    expect(targetWarnings({ kind: "failover", to: "us-east" }, { ...batch, creates })).toEqual(
      ["A", "AAAA"].map((type) =>
        expect.stringContaining(`www.example.com ${type} us-east is an alias with evaluateTargetHealth: while Route 53 holds lb`),
      ),
    );
  });
});
