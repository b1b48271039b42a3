import { Safety as DeclaredSafety, Settings as DeclaredSettings, ProfileName } from "@regent/contract";
import { describe, expect, test } from "vitest";
import { PROFILES, resolveSettings, SAFETY } from "./profiles.ts";

const seconds = (values: Record<string, number>): Record<string, number> =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [`${name}Ms`, value * 1_000]));

describe("the profiles hold the numbers of the design", () => {
  test("standard", () => {
    expect(PROFILES.standard).toEqual({
      ttlSeconds: 30,
      settings: {
        ...seconds({
          interval: 5,
          recheck: 1,
          timeout: 2,
          holdMin: 3,
          holdMax: 15,
          report: 5,
          freshness: 17,
          soft: 30,
          heal: 60,
        }),
        ...seconds({ recover: 60, stableHold: 1_800, ramp: 600, rampStep: 60, cooldown: 300, panicHold: 300 }),
        ...seconds({ failedReturn: 3_600, escalation: 86_400, dampingHalfLife: 1_800 }),
        fall: 3,
        clear: 3,
        rise: 2,
        dampingSuppress: 2_000,
        dampingReuse: 750,
      },
    });
  });

  test("careful differs from standard in its probes, hold, freshness, TTL and with it in the ramp step", () => {
    expect(PROFILES.careful).toEqual({
      ttlSeconds: 60,
      settings: {
        ...PROFILES.standard.settings,
        ...seconds({ interval: 10, recheck: 3, timeout: 3, holdMin: 5, holdMax: 20, report: 10, freshness: 33, rampStep: 90 }),
      },
    });
  });

  test("sandbox", () => {
    expect(PROFILES.sandbox).toEqual({
      ttlSeconds: 5,
      settings: {
        ...seconds({
          interval: 1,
          recheck: 0.2,
          timeout: 0.8,
          holdMin: 0,
          holdMax: 2,
          report: 1,
          freshness: 4,
          soft: 3,
          heal: 5,
        }),
        ...seconds({ recover: 5, stableHold: 10, ramp: 20, rampStep: 5, cooldown: 5, panicHold: 10 }),
        ...seconds({ failedReturn: 15, escalation: 60, dampingHalfLife: 30 }),
        fall: 2,
        clear: 2,
        rise: 2,
        dampingSuppress: null,
        dampingReuse: 750,
      },
    });
  });
});

test("a ramp step lasts at least 60 s or the TTL and 30 s, in the sandbox 5 s or the TTL", () => {
  expect(resolveSettings({ profile: "standard", ttlSeconds: 20 }).rampStepMs).toBe(60_000);
  expect(resolveSettings({ profile: "standard", ttlSeconds: 45 }).rampStepMs).toBe(75_000);
  expect(resolveSettings({ profile: "sandbox", ttlSeconds: 1 }).rampStepMs).toBe(5_000);
  expect(resolveSettings({ profile: "sandbox", ttlSeconds: 8 }).rampStepMs).toBe(8_000);
});

test("a service's own settings win, and its seconds become whole milliseconds", () => {
  const settings = resolveSettings({
    profile: "standard",
    ttlSeconds: 300,
    declared: { recheckSeconds: 0.25, rampStepSeconds: 10, fall: 5, dampingSuppress: null },
  });
  expect(settings).toMatchObject({ recheckMs: 250, rampStepMs: 10_000, fall: 5, dampingSuppress: null, intervalMs: 5_000 });
});

test("the rules' limits are those of the design; the sandbox lets nothing run out while one plays", () => {
  expect(SAFETY.standard).toEqual({
    ...seconds({ correlation: 60, shadow: 600, removed: 600, received: 600, approval: 900 }),
    capacityMin: 0.5,
    failoversPerHour: 3,
    failoversPerDay: 6,
    failoversPerHourOfAll: 5,
    regionsOutMax: 1,
    incidentsMax: 3,
    stepMax: 0.1,
    removedMax: 0.5,
    onApprovalTimeout: {},
  });
  expect(SAFETY.careful).toEqual(SAFETY.standard);
  expect(SAFETY.sandbox).toEqual({
    ...SAFETY.standard,
    ...seconds({ correlation: 0, shadow: 0, received: 10, approval: 60 }),
    failoversPerHour: null,
    failoversPerDay: null,
    failoversPerHourOfAll: null,
    regionsOutMax: null,
    incidentsMax: null,
    stepMax: 1,
    removedMax: 20,
  });
});

const inEngine = (names: object): string[] =>
  Object.keys(names)
    .map((name) => name.replace(/Seconds$/, "Ms"))
    .sort();

test.each(ProfileName.options)("everything that may be declared exists in %s, and the other way round", (profile) => {
  expect(Object.keys(PROFILES[profile].settings).sort()).toEqual(inEngine(DeclaredSettings.shape));
  expect(Object.keys(SAFETY[profile]).sort()).toEqual(inEngine(DeclaredSafety.shape));
});

test("a setting is no limit too: each is declared in one place", () => {
  const limits = inEngine(DeclaredSafety.shape);
  expect(inEngine(DeclaredSettings.shape).filter((name) => limits.includes(name))).toEqual([]);
});
