/**
 * Any situation that the server could hand to decide: every strategy, verdict, memory, control, limit and mode, any past, any weights that DNS may
 * hold, and any word of a person.
 */
import type { EvidenceKind, OutsideView, RegionId, Strategy, Verdict } from "@regent/contract";
import * as fc from "fast-check";
import { decide } from "../decide.ts";
import type {
  Approved,
  Controls,
  Departure,
  OperatorRequest,
  Override,
  Ramp,
  Release,
  SafetyLimits,
  ServiceSpec,
  Situation,
  Surroundings,
  TrafficMemory,
} from "../model.ts";
import { toWeights } from "../strategy/weights.ts";
import { anyDatabases, anyStateful, anyTransfer } from "./arbitrary-databases.ts";
import { ALONE, NO_LIMITS, sharesArbitrary } from "./dns.ts";
import { T0, testServiceSpec, testSettings } from "./evidence.ts";
import { SANDBOX_LIMITS, STANDARD_LIMITS } from "./rules.ts";
import type { RegionChanges, SituationInput } from "./situation.ts";
import { SANDBOX, testControl, testGlobalFreeze, testSituation, votesDown } from "./situation.ts";

export interface AnySituation {
  readonly situation: Situation;
  readonly asked: OperatorRequest | null;
}

const VERDICTS: readonly Verdict[] = ["healthy", "degraded", "unhealthy", "recovering", "unknown", "maintenance"];
const EVIDENCE: readonly EvidenceKind[] = ["good", "soft", "bad", "unknown"];
const OUTSIDE: readonly OutsideView[] = ["up", "none", "weak-up", "weak-down", "mixed", "down"];

const VANTAGES = ["r0/a", "r1/a", "r1/b", "r2/b"];
const SENTENCES = ["web down (tcp_refused) since 03:11:56Z", "web down (timeout) since 03:11:56Z, db down since 03:11:57Z"];

const past = (maxMs: number): fc.Arbitrary<number> => fc.integer({ min: 0, max: maxMs }).map((ago) => T0 - ago);

const anyStrategy: fc.Arbitrary<Strategy> = fc
  .record({
    failback: fc.constantFrom("manual" as const, "automatic" as const),
    panic: fc.constantFrom("hold" as const, "best-effort" as const, "fail-open" as const),
    kind: fc.constantFrom("active-passive", "active-active", "round-robin"),
    trickle: fc.constantFrom(0, 0, 0.05, 0.2),
    panicBelow: fc.constantFrom(0, 0.5, 0.9),
  })
  .map(({ kind, trickle, panicBelow, ...base }): Strategy => {
    if (kind === "active-passive") return { kind, ...base, trickle };
    return kind === "active-active" ? { kind, ...base, panicBelow } : { kind: "round-robin", ...base };
  });

/** Those of a profile, none, or tight ones that one or two moves use up. */
const anyLimits: fc.Arbitrary<SafetyLimits> = fc.oneof(
  fc.constantFrom(NO_LIMITS, STANDARD_LIMITS, SANDBOX_LIMITS),
  fc
    .record({
      capacityMin: fc.constantFrom(0, 0.3, 0.9, 1),
      failoversPerHour: fc.constantFrom(null, 0, 1, 3),
      failoversPerDay: fc.constantFrom(null, 1, 3),
      failoversPerHourOfAll: fc.constantFrom(null, 0, 1, 5),
      regionsOutMax: fc.constantFrom(null, 0, 1, 2),
      incidentsMax: fc.constantFrom(null, 0, 1, 3),
      correlationMs: fc.constantFrom(0, 60_000, 600_000),
      shadowMs: fc.constantFrom(0, 300_000),
      stepMax: fc.constantFrom(0.01, 0.1, 0.5, 1),
      removedMax: fc.constantFrom(0, 0.5, 20),
      removedMs: fc.constantFrom(0, 600_000),
      receivedMs: fc.constantFrom(0, 10_000, 600_000),
    })
    .map((limits) => ({ ...STANDARD_LIMITS, ...limits })),
);

const anySpec: fc.Arbitrary<ServiceSpec> = fc
  .record({
    strategy: anyStrategy,
    regions: fc.integer({ min: 1, max: 5 }),
    families: fc.integer({ min: 1, max: 2 }),
    sizes: fc.array(fc.constantFrom(1, 1, 2, 5, 20), { minLength: 5, maxLength: 5 }),
    headroom: fc.constantFrom(1, 1.4, 2.5),
    regionsMin: fc.constantFrom(1, 1, 2),
    settings: fc.constantFrom(SANDBOX, testSettings()),
    mode: fc.constantFrom(
      "automatic" as const,
      "automatic" as const,
      "automatic" as const,
      "approve" as const,
      "advisory" as const,
    ),
    safety: anyLimits,
    quorumNetworks: fc.constantFrom(1, 2),
  })
  .map(({ strategy, regions, families, sizes, headroom, regionsMin, settings, mode, safety, quorumNetworks }) => {
    const names = Array.from({ length: regions }, (_, at) => `r${at}`);
    const base = testServiceSpec({ strategy, settings, regions: names, regionsMin, mode, safety, quorumNetworks });
    return {
      ...base,
      endpoints: base.endpoints.map((one, at) => ({ ...one, capacity: sizes[at] ?? 1, headroom })),
      families: Array.from({ length: families }, (_, at) => ({
        id: `f${at}`,
        name: `f${at}.example.com`,
        priority: at === 0 ? {} : Object.fromEntries(names.map((name, n) => [name, names.length - n])),
        capacity: at === 0 ? {} : Object.fromEntries(names.map((name, n) => [name, n + 1])),
      })),
    };
  });

const anyRegion: fc.Arbitrary<RegionChanges> = fc
  .record({
    verdict: fc.oneof({ weight: 2, arbitrary: fc.constant<Verdict>("healthy") }, fc.constantFrom(...VERDICTS)),
    evidence: fc.option(fc.constantFrom(...EVIDENCE), { nil: undefined }),
    since: past(4_000_000),
    score: fc.option(fc.integer({ min: 0, max: 100 }), { nil: undefined }),
    hard: fc.constantFrom(0.3, 0.5, 1),
    outside: fc.constantFrom(...OUTSIDE),
    detectedAt: fc.option(past(600_000)),
    before: fc.option(fc.constantFrom(...VERDICTS)),
    isSuppressed: fc.boolean(),
    isGray: fc.constantFrom(false, false, true),
    against: fc.subarray(VANTAGES),
    because: fc.constantFrom(...SENTENCES),
  })
  .map(({ verdict, evidence, score, hard, isGray, against, because, ...rest }) => ({
    ...rest,
    verdict,
    flags: isGray ? (["gray"] as const).slice() : [],
    votes: votesDown("r0", against, because),
    ...(evidence === undefined || verdict === "unknown" ? {} : { evidence }),
    ...(score === undefined ? {} : { score }),
    ...(verdict === "degraded" || verdict === "unknown" ? { factor: hard } : {}),
  }));

const anyRamp: fc.Arbitrary<Ramp> = fc
  .record({ step: fc.integer({ min: 1, max: 3 }), steppedAt: past(120_000), isAsked: fc.boolean() })
  .map(({ step, steppedAt, isAsked }) => ({
    startedAt: steppedAt - 60_000,
    steppedAt,
    step,
    steps: 4,
    startedBy: isAsked ? { kind: "operator", name: "ann" } : { kind: "automation", name: "regent" },
  }));

/** Each region's own value or none. */
const byRegion = <T>(regions: readonly RegionId[], value: fc.Arbitrary<T>): fc.Arbitrary<Record<RegionId, T>> =>
  fc
    .tuple(...regions.map(() => fc.option(value, { freq: 2 })))
    .map((values) => Object.fromEntries(regions.flatMap((r, at) => (values[at] === null ? [] : [[r, values[at] as T]]))));

const onto = (regions: readonly RegionId[], drawn: Readonly<Record<RegionId, number>>): Record<RegionId, number> => {
  const parts = regions.map((region) => drawn[region] ?? 0);
  const sum = parts.reduce((a, b) => a + b, 0);
  return Object.fromEntries(regions.map((region, at) => [region, sum > 0 ? (parts[at] ?? 0) / sum : at === 0 ? 1 : 0]));
};

const anyDepartures = (regions: readonly RegionId[]): fc.Arbitrary<Departure[]> =>
  fc.array(
    fc.record({
      at: fc.oneof(past(700_000), past(4_000_000), past(90_000_000)),
      left: fc.subarray([...regions]),
      received: fc.subarray([...regions]),
      moved: fc.constantFrom(0.05, 0.3, 1),
      vantages: fc.subarray(VANTAGES),
      findings: fc.subarray(["web down (tcp_refused)", "web down (timeout)", "db down"]),
    }),
    { maxLength: 4 },
  );

const anyRelease: fc.Arbitrary<Release> = fc.oneof(
  fc.record({ kind: fc.constant("agents" as const), at: past(700_000) }),
  fc.record({
    kind: fc.constant("configuration" as const),
    at: past(700_000),
    version: fc.option(fc.integer({ min: 1, max: 9 })),
  }),
);

const anySurroundings = (regions: readonly RegionId[]): fc.Arbitrary<Surroundings> =>
  fc.record({
    departures: fc
      .tuple(
        anyDepartures([...regions, "elsewhere"]),
        fc.array(fc.constantFrom("shop", "other", "third"), { minLength: 4, maxLength: 4 }),
      )
      .map(([all, services]) =>
        all.map((one, at) => ({ ...one, service: services[at] ?? "other" })).filter(({ left }) => left.length > 0),
      ),
    regionsOut: fc.subarray([...regions, "elsewhere"]),
    releases: fc.array(anyRelease, { maxLength: 3 }).map((all) => all.sort((one, other) => other.at - one.at)),
    declaredAt: fc.option(past(700_000)),
  });

const anyTraffic = (spec: ServiceSpec): fc.Arbitrary<TrafficMemory> => {
  const regions = spec.endpoints.map(({ region }) => region);
  const isPassive = spec.strategy.kind === "active-passive";
  const region = fc.constantFrom(...regions);
  return fc
    .record({
      active: region,
      returning: fc.option(fc.record({ region, ramp: anyRamp })),
      out: byRegion(regions, fc.record({ since: past(600_000), why: fc.constant("it was bad") })),
      ramps: byRegion(regions, anyRamp),
      returnedAt: byRegion(regions, past(600_000)),
      failedReturns: byRegion(regions, fc.array(past(600_000), { minLength: 1, maxLength: 3 })),
      lastAutomaticFailoverAt: fc.option(past(600_000)),
      failStaticSince: fc.option(past(600_000)),
      shares: sharesArbitrary,
      departures: fc.oneof(fc.constant<Departure[]>([]), anyDepartures(regions)).map((all) => all.sort((a, b) => a.at - b.at)),
    })
    .map(({ active, returning, out, ramps, shares, ...rest }) => ({
      ...rest,
      passive: isPassive
        ? Object.fromEntries(
            spec.families.map(({ id }) => [id, { active, returning: returning?.region === active ? null : returning }]),
          )
        : {},
      out: isPassive ? {} : Object.fromEntries(Object.entries(out).filter(([r]) => ramps[r] === undefined)),
      ramps: isPassive ? {} : ramps,
      shares: Object.fromEntries(spec.families.map(({ id }) => [id, onto(regions, shares)])),
    }));
};

const anyControls = (regions: readonly RegionId[]): fc.Arbitrary<Controls> =>
  fc.record({
    frozenGlobally: fc.option(fc.constant(testGlobalFreeze()), { freq: 1 }).map((one) => one),
    frozen: fc.option(fc.constant(testControl({ by: "bob" })), { freq: 1 }),
    frozenRegions: byRegion(regions, fc.constant(testControl())),
    drained: byRegion(regions, fc.constant(testControl())),
    placement: fc
      .option(fc.record({ region: fc.constantFrom(...regions), at: past(600_000) }))
      .map((one) => (one === null ? null : (testControl(one) as never))),
    overrides: fc
      .array(anyOverride(regions), { maxLength: 3 })
      .map((all) => all.map((one, at) => ({ ...one, id: `override ${at}` }))),
  });

/** Of a region, or of one that isn't declared any more; running, or run out. */
const anyOverride = (regions: readonly RegionId[]): fc.Arbitrary<Override> => {
  const region = fc.constantFrom(...regions, "gone");
  return fc.record({
    id: fc.constant(""),
    by: fc.constantFrom("ann", "bob"),
    reason: fc.constant("they said so"),
    at: past(600_000),
    until: fc.oneof(
      past(60_000),
      fc.integer({ min: 1, max: 14_400_000 }).map((ms) => T0 + ms),
    ),
    what: fc.oneof(
      region.map((one) => ({ kind: "on" as const, region: one })),
      region.map((one) => ({ kind: "off" as const, region: one })),
      sharesArbitrary.map((shares) => ({ kind: "pin" as const, shares: onto([...regions, "gone"], shares) })),
      fc.constant({ kind: "freeze" as const }),
    ),
    breakGlass: fc.subarray(["A1", "A3", "A5", "A6"] as const),
  });
};

const anyRequest = (regions: readonly RegionId[]): fc.Arbitrary<OperatorRequest> => {
  const region = fc.constantFrom(...regions);
  return fc
    .oneof(
      region.map((to) => ({ kind: "failover" as const, to })),
      fc.constant({ kind: "failback" as const }),
      region.map((one) => ({ kind: "drain" as const, region: one })),
      region.map((one) => ({ kind: "undrain" as const, region: one })),
    )
    .map((move) => ({ move, by: "ann", reason: "because", breakGlass: [] }));
};

export const arbitrarySituation: fc.Arbitrary<AnySituation> = anySpec.chain(anyStateful).chain((spec) => {
  const regions = spec.endpoints.map(({ region }) => region);
  return fc
    .record({
      traffic: anyTraffic(spec),
      controls: fc.oneof(fc.constant(null), anyControls(regions)),
      judged: fc.tuple(...regions.map(() => anyRegion)),
      held: sharesArbitrary,
      isHeldWanted: fc.boolean(),
      areRecordsOutdated: fc.constantFrom(false, false, true),
      modeWritten: fc.constantFrom("auto" as const, "auto" as const, "frozen" as const),
      asked: fc.option(anyRequest(regions)),
      surroundings: fc.oneof(fc.constant(ALONE), anySurroundings(regions)),
      databases: anyDatabases(spec),
      transfer: anyTransfer(spec),
      word: fc.constantFrom("none" as const, "none" as const, "same" as const, "other" as const),
    })
    .map(({ traffic, controls, judged, held, isHeldWanted, asked, word, ...rest }): AnySituation => {
      const shares = (family: string) => (isHeldWanted ? (traffic.shares[family] ?? {}) : onto(regions, held));
      return {
        asked,
        situation: withWord(word, {
          spec,
          ...rest,
          traffic,
          ...(controls === null ? {} : { controls }),
          regions: Object.fromEntries(regions.map((region, at) => [region, judged[at] ?? {}])),
          written: Object.fromEntries(spec.families.map(({ id }) => [id, toWeights(shares(id))])),
        }),
      };
    });
});

/** Of a person: to what would be done, or to what would have been done before. */
const withWord = (word: "none" | "same" | "other", input: SituationInput): Situation => {
  const situation = testSituation(input);
  if (word === "none") return situation;
  const { proposal, asks } = decide(situation, null);
  if (!proposal) return situation;
  const { question, weightsAfter: weights } = proposal;
  const approved: Approved = { question, weights, asks, by: "ann", reason: "I see it too" };
  return { ...situation, approved: word === "same" ? approved : { ...approved, question: "before" } };
};
