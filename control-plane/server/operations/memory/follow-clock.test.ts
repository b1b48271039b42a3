/** Laws of a jump: durations stay as they were after a jump forward, and nothing that happened lies ahead of now. */
import type { HealthMemory, Ramp } from "@regent/engine";
import { expect, test } from "vitest";
import type { ServiceRecord } from "../../ports/decision-store.ts";
import { exampleService } from "../../ports/suites/examples.ts";
import { followClock } from "./follow-clock.ts";
import { emptyRecord } from "./ledger.ts";

const NOW = 1_795_000_000_000;
const HOUR_MS = 3_600_000;
const WAITS_MS = 900_000;

const { approval, transfer } = exampleService();

const OVERRIDE = { id: "1", by: "ann", reason: "", what: { kind: "freeze" }, breakGlass: [] } as const;

const recordAt = (at: number): ServiceRecord => {
  const empty = emptyRecord("checkout");
  const health: HealthMemory = {
    region: "eu-west",
    verdict: "recovering",
    since: at,
    why: "",
    evidence: "good",
    evidenceSince: at,
    before: null,
    detectedAt: at,
    penalty: 1_000,
    penaltyAt: at,
    isSuppressed: true,
    factor: 0,
  };
  const ramp: Ramp = { startedAt: at, steppedAt: at, step: 1, steps: 4, startedBy: { kind: "automation", name: "regent" } };
  return {
    ...empty,
    controls: {
      ...empty.controls,
      placement: { by: "ann", reason: "", at, region: "us-east" },
      overrides: [{ ...OVERRIDE, at, until: at + HOUR_MS }],
    },
    health: { "eu-west": health },
    traffic: {
      ...empty.traffic,
      passive: { default: { active: "us-east", returning: { region: "eu-west", ramp } } },
      out: { "eu-west": { since: at, why: "unhealthy" } },
      ramps: { "ap-south": ramp },
      returnedAt: { "us-east": at },
      failedReturns: { "us-east": [at, at] },
      lastAutomaticFailoverAt: at,
      failStaticSince: at,
      departures: [{ at, left: ["eu-west"], received: ["us-east"], moved: 1, vantages: [], findings: [] }],
    },
    approval: approval && { ...approval, askedAt: at, lapsesAt: at + WAITS_MS, answeredAt: at },
    declared: { digest: "fedcba9876543210", since: at, version: 3, earlier: [{ at, version: 2 }] },
    ownership: { ...empty.ownership, reverts: [at] },
    databases: [{ region: "us-east", role: "standby", lagMs: 5, lagAt: at, linkLostAt: at, seenAt: at, why: "" }],
    transfer: transfer && { ...transfer, startedAt: at, phaseAt: at, hook: { ...transfer.hook, lastAt: at } },
  };
};

test("after a jump forward every moment is as long ago as before", () => {
  const moved = followClock(recordAt(NOW - 5_000), { forwardMs: HOUR_MS, now: NOW + HOUR_MS });
  expect(moved).toEqual(recordAt(NOW + HOUR_MS - 5_000));
});

test("after a jump back what lies ahead begins now, and what doesn't stays", () => {
  const now = NOW - HOUR_MS;
  expect(followClock(recordAt(NOW - 5_000), { forwardMs: 0, now })).toEqual(recordAt(now));
  const old = recordAt(now - 5_000);
  expect(followClock(old, { forwardMs: 0, now })).toBe(old);
});

test("when somebody froze or drained stays as it was told, and never lies ahead", () => {
  const controlsAt = (at: number): ServiceRecord["controls"] => {
    const control = { by: "ann", reason: "", at };
    return {
      ...emptyRecord("checkout").controls,
      frozen: control,
      frozenRegions: { "eu-west": control },
      drained: { "eu-west": control },
    };
  };
  const record = { ...emptyRecord("checkout"), controls: controlsAt(NOW - 5_000) };
  expect(followClock(record, { forwardMs: HOUR_MS, now: NOW + HOUR_MS })).toBe(record);
  expect(followClock(record, { forwardMs: 0, now: NOW - HOUR_MS }).controls).toEqual(controlsAt(NOW - HOUR_MS));
});

test("a jump that is taken into account twice lets nothing run out: clocks begin anew", () => {
  const jump = { forwardMs: HOUR_MS, now: NOW + HOUR_MS };
  expect(followClock(followClock(recordAt(NOW - 5_000), jump), jump)).toEqual(recordAt(NOW + HOUR_MS));
});

test("an approval that waits goes on waiting when leadership begins and no clock has jumped", () => {
  const waiting = recordAt(NOW - 5_000);
  expect(followClock(waiting, { forwardMs: 0, now: NOW })).toBe(waiting);
});
