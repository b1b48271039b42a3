/**
 * Builders of situations for the tests of strategies, rules and decide, and a small world that keeps what a decision says to keep, as the
 * server does. Everything is healthy, written and settled unless a test says otherwise.
 */
import type { EvidenceKind, OutsideView, RegionId, RegionVerdict, Verdict } from "@regent/contract";
import { decide, isFrozen } from "../decide.ts";
import type {
  Control,
  Controls,
  Decision,
  GlobalFreeze,
  HealthMemory,
  OperatorMove,
  OperatorRequest,
  ServiceSpec,
  Settings,
  Situation,
} from "../model.ts";
import { firstTraffic } from "../strategy/first.ts";
import { toWeights } from "../strategy/weights.ts";
import { ALONE } from "./dns.ts";
import type { SpecChanges } from "./evidence.ts";
import { T0, testMemory, testServiceSpec, testSettings } from "./evidence.ts";

/** Profile `sandbox`. */
export const SANDBOX: Settings = testSettings({
  intervalMs: 1_000,
  recheckMs: 200,
  timeoutMs: 800,
  fall: 2,
  clear: 2,
  holdMinMs: 0,
  holdMaxMs: 2_000,
  reportMs: 1_000,
  freshnessMs: 4_000,
  softMs: 3_000,
  healMs: 5_000,
  recoverMs: 5_000,
  stableHoldMs: 10_000,
  rampMs: 20_000,
  rampStepMs: 5_000,
  cooldownMs: 5_000,
  panicHoldMs: 10_000,
  failedReturnMs: 15_000,
  escalationMs: 60_000,
  dampingHalfLifeMs: 30_000,
  dampingSuppress: null,
});

/** Services of each strategy in r1, r2 and r3; active-active with capacities 50, 30 and 20. */
export const passiveSpec = (strategy: object = {}, changed: SpecChanges = {}): ServiceSpec =>
  testServiceSpec({
    strategy: { kind: "active-passive", failback: "manual", panic: "hold", trickle: 0, ...strategy },
    ...changed,
  });

export const activeSpec = (strategy: object = {}, changed: SpecChanges = {}): ServiceSpec => {
  const spec = testServiceSpec({
    strategy: { kind: "active-active", failback: "automatic", panic: "hold", panicBelow: 0.5, ...strategy },
    ...changed,
  });
  const sizes = [
    { capacity: 50, headroom: 1.2 },
    { capacity: 30, headroom: 1.4 },
    { capacity: 20, headroom: 2.5 },
  ];
  return withoutFamilyCapacity({ ...spec, endpoints: spec.endpoints.map((one, at) => ({ ...one, ...sizes[at] })) });
};

export const roundRobinSpec = (strategy: object = {}, changed: SpecChanges = {}): ServiceSpec =>
  testServiceSpec({ strategy: { kind: "round-robin", failback: "automatic", panic: "hold", ...strategy }, ...changed });

const withoutFamilyCapacity = (spec: ServiceSpec): ServiceSpec => ({
  ...spec,
  families: spec.families.map((family) => ({ ...family, capacity: {} })),
});

// ------------------------------------------------------------------------------------------------ regions

export interface RegionChanges {
  readonly verdict?: Verdict;
  readonly evidence?: EvidenceKind;
  readonly since?: number;
  readonly score?: number | null;
  readonly factor?: number;
  readonly outside?: OutsideView;
  readonly detectedAt?: number | null;
  readonly before?: Verdict | null;
  readonly isSuppressed?: boolean;
  readonly flags?: RegionVerdict["flags"];
  readonly votes?: RegionVerdict["votes"];
}

const EVIDENCE: Readonly<Record<Verdict, EvidenceKind>> = {
  healthy: "good",
  degraded: "soft",
  unhealthy: "bad",
  recovering: "good",
  unknown: "unknown",
  maintenance: "good",
};

const FACTOR: Readonly<Record<Verdict, number>> = {
  healthy: 1,
  degraded: 1,
  unhealthy: 0,
  recovering: 0,
  unknown: 1,
  maintenance: 0,
};

const toHealth = (region: RegionId, changed: RegionChanges): HealthMemory => {
  const verdict = changed.verdict ?? "healthy";
  return testMemory({
    region,
    verdict,
    evidence: changed.evidence ?? EVIDENCE[verdict],
    factor: changed.factor ?? FACTOR[verdict],
    since: changed.since ?? T0 - 3_600_000,
    why: `${region} says why`,
    before: changed.before ?? null,
    detectedAt: changed.detectedAt ?? null,
    isSuppressed: changed.isSuppressed ?? false,
  });
};

const toVerdict = (health: HealthMemory, changed: RegionChanges): RegionVerdict => ({
  region: health.region,
  verdict: health.verdict,
  since: health.since,
  why: health.why,
  score: changed.score === undefined ? (health.verdict === "unknown" ? null : 100) : changed.score,
  evidence: health.evidence,
  inside: "up",
  outside: changed.outside ?? (health.verdict === "unhealthy" ? "down" : "up"),
  flags: changed.flags ?? [],
  votes: changed.votes ?? [],
});

/** Votes down of these vantages, `region/network`, as seen from `region`. */
export const votesDown = (region: RegionId, vantages: readonly string[], because = "web down (tcp_refused) since 03:11:56Z") =>
  vantages.map((vantage) => ({
    vantage,
    view: vantage.startsWith(`${region}/`) ? ("inside" as const) : ("outside" as const),
    vote: "down" as const,
    because,
    suspect: false,
  }));

// ------------------------------------------------------------------------------------------------ situations

export const NO_CONTROLS: Controls = {
  frozenGlobally: null,
  frozen: null,
  frozenRegions: {},
  drained: {},
  placement: null,
  overrides: [],
};

export const testControl = (changed: Partial<Control> = {}): Control => ({ by: "ann", reason: "a test", at: T0, ...changed });

/** By an operator. */
export const testGlobalFreeze = (): GlobalFreeze => ({ ...testControl(), cause: "operator" });

export interface SituationInput extends Partial<Omit<Situation, "spec" | "verdicts" | "health">> {
  readonly spec?: ServiceSpec;
  /** Regions that are not healthy, fresh and good for an hour. */
  readonly regions?: Readonly<Record<RegionId, RegionChanges>>;
}

/** The first write is done and settled. */
export const testSituation = ({ spec = passiveSpec(), regions = {}, ...changed }: SituationInput = {}): Situation => {
  const traffic = firstTraffic(spec, []);
  const health = spec.endpoints.map(({ region }) => toHealth(region, regions[region] ?? {}));
  return {
    spec,
    configurationVersion: 1,
    verdicts: health.map((one) => toVerdict(one, regions[one.region] ?? {})),
    health: Object.fromEntries(health.map((one) => [one.region, one])),
    traffic,
    controls: NO_CONTROLS,
    written: Object.fromEntries(Object.entries(traffic.shares).map(([id, shares]) => [id, toWeights(shares)])),
    areRecordsOutdated: false,
    epoch: "1 A",
    isChangeInFlight: false,
    blockedBy: null,
    drift: null,
    edit: null,
    modeWritten: "auto",
    surroundings: ALONE,
    approved: null,
    databases: [],
    transfer: null,
    now: T0,
    ...changed,
  };
};

export const request = (move: OperatorMove, changed: Partial<OperatorRequest> = {}): OperatorRequest => ({
  move,
  by: "ann",
  reason: "because",
  breakGlass: [],
  ...changed,
});

/** What the server keeps of a decision, at the same moment. */
export const persist = (situation: Situation, decision: Decision): Situation => {
  if (!decision.proposal) return { ...situation, traffic: decision.trafficNow, controls: decision.controlsAfter };
  if (!decision.isAllowed) return { ...situation, traffic: decision.trafficNow };
  const controls = decision.controlsAfter;
  return {
    ...situation,
    traffic: decision.trafficAfter,
    controls,
    written: decision.proposal.weightsAfter,
    areRecordsOutdated: false,
    modeWritten: isFrozen({ controls, now: situation.now }) ? "frozen" : "auto",
    epoch: `${situation.epoch} next`,
  };
};

// ------------------------------------------------------------------------------------------------ a world

export interface Made {
  /** Milliseconds since the start. */
  readonly at: number;
  readonly kind: string;
  /** Of the first family. */
  readonly weights: Readonly<Record<RegionId, number>>;
}

/** A service over time: verdicts are set by hand, decisions are made and kept. */
export class World {
  situation: Situation;
  readonly made: Made[] = [];
  last: Decision | null = null;

  constructor(input: SituationInput = {}) {
    this.situation = testSituation(input);
  }

  get weights(): Readonly<Record<RegionId, number>> {
    return Object.values(this.situation.written ?? {})[0] ?? {};
  }

  /** A verdict that begins now. */
  set(region: RegionId, verdict: Verdict, changed: RegionChanges = {}): this {
    const { now } = this.situation;
    const detectedAt = verdict === "unhealthy" ? now : null;
    const full: RegionChanges = { verdict, since: now, detectedAt, ...changed };
    const health = toHealth(region, full);
    this.situation = {
      ...this.situation,
      health: { ...this.situation.health, [region]: health },
      verdicts: this.situation.verdicts.map((one) => (one.region === region ? toVerdict(health, full) : one)),
    };
    return this;
  }

  change(changed: Partial<Situation>): this {
    this.situation = { ...this.situation, ...changed };
    return this;
  }

  look(asked: OperatorRequest | null = null): Decision {
    const decision = decide(this.situation, asked);
    this.situation = persist(this.situation, decision);
    this.last = decision;
    if (decision.proposal && decision.isAllowed)
      this.made.push({ at: this.situation.now - T0, kind: decision.proposal.kind, weights: this.weights });
    return decision;
  }

  /** Lets time pass, with a look every `everyMs`. */
  run(ms: number, everyMs = 1_000): this {
    for (let passed = 0; passed < ms; passed += everyMs) {
      this.situation = { ...this.situation, now: this.situation.now + everyMs };
      this.look();
    }
    return this;
  }
}
