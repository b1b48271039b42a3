/**
 * The three profiles, and how what is declared is laid over one. Pure. Called by to-specs.ts, to-agent-configuration.ts and the checks.
 * Numbers: DESIGN §5 "Profiles"; what it leaves silent is from research/algorithms.md §9 and is marked so.
 */
import type { Safety as DeclaredSafety, Settings as DeclaredSettings, ProfileName } from "@regent/contract";
import type { SafetyLimits, Settings } from "@regent/engine";

export interface Profile {
  readonly ttlSeconds: number;
  /** Resolved at the profile's own TTL. */
  readonly settings: Settings;
}

interface Template {
  readonly ttlSeconds: number;
  /** A ramp step lasts at least the TTL and this, so that one step is seen before the next is taken. */
  readonly rampStepOverTtlSeconds: number;
  /** `rampStepMs` is the least; see above. */
  readonly settings: Settings;
}

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** Not in DESIGN §5, so from algorithms §9: soft 30, heal 60, panicHold 300, damping H 30 min, suppress 2000, reuse 750. */
const fromAlgorithms = {
  softMs: 30 * SECOND,
  healMs: 60 * SECOND,
  panicHoldMs: 300 * SECOND,
  dampingHalfLifeMs: 30 * MINUTE,
  dampingSuppress: 2_000,
  dampingReuse: 750,
} as const;

/** DESIGN §5: a return that turns bad within 60 min has failed, the second within 24 h makes failback manual. The rest as `standard` says. */
const slowReturn = {
  recoverMs: 60 * SECOND,
  stableHoldMs: 30 * MINUTE,
  rampMs: 600 * SECOND,
  rampStepMs: 60 * SECOND,
  cooldownMs: 300 * SECOND,
  failedReturnMs: 60 * MINUTE,
  escalationMs: 24 * HOUR,
} as const;

const TEMPLATES: Readonly<Record<ProfileName, Template>> = {
  // DESIGN §5, every number but `fromAlgorithms`.
  standard: {
    ttlSeconds: 30,
    rampStepOverTtlSeconds: 30,
    settings: {
      ...fromAlgorithms,
      ...slowReturn,
      intervalMs: 5 * SECOND,
      recheckMs: 1 * SECOND,
      timeoutMs: 2 * SECOND,
      fall: 3,
      clear: 3,
      rise: 2,
      holdMinMs: 3 * SECOND,
      holdMaxMs: 15 * SECOND,
      reportMs: 5 * SECOND,
      freshnessMs: 17 * SECOND,
    },
  },
  // Algorithms §9: I 10, If 3, T 3, F 3, R 2, hold 5..20, report 10, freshness 33, recoverHold 60, TTL 60. `clear` is DESIGN §16's default 3.
  careful: {
    ttlSeconds: 60,
    rampStepOverTtlSeconds: 30,
    settings: {
      ...fromAlgorithms,
      ...slowReturn,
      intervalMs: 10 * SECOND,
      recheckMs: 3 * SECOND,
      timeoutMs: 3 * SECOND,
      fall: 3,
      clear: 3,
      rise: 2,
      holdMinMs: 5 * SECOND,
      holdMaxMs: 20 * SECOND,
      reportMs: 10 * SECOND,
      freshnessMs: 33 * SECOND,
    },
  },
  // DESIGN §5, every number; `dampingReuse` is without meaning while nothing is suppressed and is algorithms §9's.
  sandbox: {
    ttlSeconds: 5,
    rampStepOverTtlSeconds: 0,
    settings: {
      intervalMs: 1 * SECOND,
      recheckMs: 200,
      timeoutMs: 800,
      fall: 2,
      clear: 2,
      rise: 2,
      holdMinMs: 0,
      holdMaxMs: 2 * SECOND,
      reportMs: 1 * SECOND,
      freshnessMs: 4 * SECOND,
      softMs: 3 * SECOND,
      healMs: 5 * SECOND,
      recoverMs: 5 * SECOND,
      stableHoldMs: 10 * SECOND,
      rampMs: 20 * SECOND,
      rampStepMs: 5 * SECOND,
      cooldownMs: 5 * SECOND,
      panicHoldMs: 10 * SECOND,
      failedReturnMs: 15 * SECOND,
      escalationMs: 60 * SECOND,
      dampingHalfLifeMs: 30 * SECOND,
      dampingSuppress: null,
      dampingReuse: 750,
    },
  },
};

/** Algorithms §3, as DESIGN §7 corrects it: A3 0.5; A9 3 an hour, 6 a day, 5 an hour over all; A10 1 region, 3 incidents; A11 60 s; A15 to A18. */
const PRODUCTION: SafetyLimits = {
  capacityMin: 0.5,
  failoversPerHour: 3,
  failoversPerDay: 6,
  failoversPerHourOfAll: 5,
  regionsOutMax: 1,
  incidentsMax: 3,
  correlationMs: 60 * SECOND,
  shadowMs: 10 * MINUTE,
  stepMax: 0.1,
  removedMax: 0.5,
  removedMs: 10 * MINUTE,
  receivedMs: 10 * MINUTE,
  approvalMs: 15 * MINUTE,
  onApprovalTimeout: {},
};

/** Made for looking at: nothing runs out while one breaks regions by hand, and a degraded region is left at once. DESIGN §5: A18 10 s. */
const PLAYGROUND: SafetyLimits = {
  ...PRODUCTION,
  failoversPerHour: null,
  failoversPerDay: null,
  failoversPerHourOfAll: null,
  regionsOutMax: null,
  incidentsMax: null,
  correlationMs: 0,
  shadowMs: 0,
  stepMax: 1,
  removedMax: 20,
  receivedMs: 10 * SECOND,
  approvalMs: 60 * SECOND,
};

export const SAFETY: Readonly<Record<ProfileName, SafetyLimits>> = {
  standard: PRODUCTION,
  careful: PRODUCTION,
  sandbox: PLAYGROUND,
};

/** The profile's limits under the declaration's under the service's own. What follows an approval's timeout is laid over rule by rule. */
export const resolveSafety = (profile: ProfileName, all: DeclaredSafety = {}, own: DeclaredSafety = {}): SafetyLimits => ({
  ...SAFETY[profile],
  ...toMilliseconds(all),
  ...toMilliseconds(own),
  onApprovalTimeout: { ...SAFETY[profile].onApprovalTimeout, ...all.onApprovalTimeout, ...own.onApprovalTimeout },
});

/**
 * The settings that a service runs with: its profile's, at its TTL, under its own. A declared ramp step stands as declared.
 * Shapes: declared durations are seconds and may have a fraction, answers whole milliseconds.
 */
export const resolveSettings = ({
  profile,
  ttlSeconds,
  declared = {},
}: {
  readonly profile: ProfileName;
  readonly ttlSeconds: number;
  readonly declared?: DeclaredSettings | undefined;
}): Settings => {
  const { settings, rampStepOverTtlSeconds } = TEMPLATES[profile];
  const rampStepMs = Math.max(settings.rampStepMs, toMs(ttlSeconds + rampStepOverTtlSeconds));
  return { ...settings, rampStepMs, ...toMilliseconds(declared) };
};

export const PROFILES: Readonly<Record<ProfileName, Profile>> = {
  standard: profileAtOwnTtl("standard"),
  careful: profileAtOwnTtl("careful"),
  sandbox: profileAtOwnTtl("sandbox"),
};

function profileAtOwnTtl(profile: ProfileName): Profile {
  const { ttlSeconds } = TEMPLATES[profile];
  return { ttlSeconds, settings: resolveSettings({ profile, ttlSeconds }) };
}

function toMs(seconds: number): number {
  return Math.round(seconds * SECOND);
}

/** `holdMinSeconds: 0.5` becomes `holdMinMs: 500`; counts and penalties stay as they are. */
function toMilliseconds(declared: DeclaredSettings): Partial<Settings>;
function toMilliseconds(declared: DeclaredSafety): Partial<SafetyLimits>;
function toMilliseconds(declared: object): object {
  const entries = Object.entries(declared)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) =>
      name.endsWith("Seconds") && typeof value === "number" ? [name.replace(/Seconds$/, "Ms"), toMs(value)] : [name, value],
    );
  // Every `xSeconds` of the contract is an `xMs` of the engine, and all other names are the same: profiles.test.ts asserts it of both.
  return Object.fromEntries(entries);
}
