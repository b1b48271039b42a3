/** Services, epochs and zones for tests of what is written to DNS: real shapes with as little in them as a law needs. */
import * as fc from "fast-check";
import type { EndpointSpec, Epoch, Observed, RecordSet, SafetyLimits, ServiceSpec, Settings, Surroundings } from "../model.ts";
import { toEpochSet } from "../plan/epoch.ts";
import { renderFamilies, toObserved } from "../plan/record-sets.ts";

/** No rule has anything to count: what a test of something else wants. */
export const NO_LIMITS: SafetyLimits = {
  capacityMin: 0,
  failoversPerHour: null,
  failoversPerDay: null,
  failoversPerHourOfAll: null,
  regionsOutMax: null,
  incidentsMax: null,
  correlationMs: 0,
  shadowMs: 0,
  stepMax: 1,
  removedMax: 20,
  removedMs: 600_000,
  receivedMs: 0,
  approvalMs: 900_000,
  onApprovalTimeout: {},
};

/** Nothing else happened anywhere. */
export const ALONE: Surroundings = { departures: [], regionsOut: [], releases: [], declaredAt: null };

/** The default policy: whatever somebody else edits is told and left alone. */
export const REPORT_ALL: ServiceSpec["drift"] = {
  weight: "report",
  value: "report",
  ttl: "report",
  missing: "report",
  extra: "report",
  healthcheck: "report",
};

export const REGIONS = ["us-east", "eu-west", "ap-south"] as const;

const SETTINGS: Settings = {
  intervalMs: 5_000,
  recheckMs: 1_000,
  timeoutMs: 2_000,
  fall: 3,
  clear: 3,
  rise: 2,
  holdMinMs: 3_000,
  holdMaxMs: 15_000,
  reportMs: 5_000,
  freshnessMs: 17_000,
  softMs: 60_000,
  healMs: 60_000,
  recoverMs: 60_000,
  stableHoldMs: 1_800_000,
  rampMs: 600_000,
  rampStepMs: 60_000,
  cooldownMs: 300_000,
  panicHoldMs: 300_000,
  failedReturnMs: 3_600_000,
  escalationMs: 86_400_000,
  dampingHalfLifeMs: 900_000,
  dampingSuppress: 2_000,
  dampingReuse: 750,
};

/** An endpoint that publishes one documentation address per type. */
export const testEndpoint = (region: string, at = 0): EndpointSpec => ({
  region,
  priority: at + 1,
  capacity: 1,
  headroom: 1.4,
  answers: { A: [`192.0.2.${at + 1}`], AAAA: [`2001:db8::${at + 1}`], CNAME: [`${region}.example.net`] },
});

/** `www.example.com` in three regions, type A, one family; anything may be replaced. */
export const testService = (changes: Partial<ServiceSpec> = {}): ServiceSpec => {
  const name = changes.name ?? "www.example.com";
  const endpoints = changes.endpoints ?? REGIONS.map(testEndpoint);
  const priority = Object.fromEntries(endpoints.map((endpoint) => [endpoint.region, endpoint.priority]));
  const capacity = Object.fromEntries(endpoints.map((endpoint) => [endpoint.region, endpoint.capacity]));
  return {
    id: "www",
    name,
    zoneId: "Z1",
    priority: 100,
    owner: "acme",
    epochName: `_regent.${name}`,
    ttlSeconds: 30,
    types: ["A"],
    mode: "automatic",
    strategy: { kind: "active-passive", failback: "manual", panic: "hold", trickle: 0 },
    settings: SETTINGS,
    quorumNetworks: 2,
    regionsMin: 1,
    drift: REPORT_ALL,
    safety: NO_LIMITS,
    isSized: true,
    stateful: null,
    endpoints,
    checks: [],
    families: [{ id: "default", name, priority, capacity }],
    ...changes,
  };
};

export const ULID = "01JD8ZK3M4N5P6Q7R8S9T0V1W2";

/** A well-formed ULID for each number from 0 on, in order. */
export const testUlid = (n: number): string => `01JD8ZK3M4${n.toString().padStart(16, "0")}`;

export const testEpoch = (changes: Partial<Epoch> = {}): Epoch => ({
  owner: "acme",
  term: 3,
  revision: 7,
  ulid: ULID,
  mode: "auto",
  digest: "0123456789abcdef",
  ...changes,
});

/** The same weight map for every family. */
export const testWeights = (spec: ServiceSpec, weights: readonly number[]): Record<string, Record<string, number>> =>
  Object.fromEntries(
    spec.families.map(({ id }) => [id, Object.fromEntries(spec.endpoints.map(({ region }, at) => [region, weights[at] ?? 0]))]),
  );

/** What a listing shows after Regent wrote `weights` with `epoch`. */
export const testObserved = (spec: ServiceSpec, weights: readonly number[], epoch: Epoch = testEpoch()): Observed =>
  toObserved(spec, [toEpochSet(spec, epoch), ...renderFamilies(spec, testWeights(spec, weights))]);

/** A zone with Route 53's edges that the plan relies on: all or nothing, and a DELETE that repeats what is held. null is a refusal. */
export const applyToZone = (
  zone: readonly RecordSet[],
  { deletes, creates }: { readonly deletes: readonly RecordSet[]; readonly creates: readonly RecordSet[] },
): readonly RecordSet[] | null => {
  const key = (set: RecordSet): string => JSON.stringify([set.name, set.type, set.setIdentifier]);
  const text = (set: RecordSet): string => JSON.stringify(Object.entries(set).sort(([a], [b]) => (a < b ? -1 : 1)));
  const held = new Map(zone.map((set) => [key(set), set]));
  for (const set of deletes) {
    const current = held.get(key(set));
    if (current === undefined || text(current) !== text(set)) return null;
    held.delete(key(set));
  }
  for (const set of creates) {
    if (held.has(key(set))) return null;
    held.set(key(set), set);
  }
  return [...held.values()];
};

/** 1 to 5 regions with any shares that sum to 1; zeros, equal and very small ones are likely. */
export const sharesArbitrary: fc.Arbitrary<Record<string, number>> = fc
  .array(
    fc.oneof(
      fc.constant(0),
      fc.integer({ min: 1, max: 10 }),
      fc.double({ min: 1e-6, max: 10, noNaN: true, noDefaultInfinity: true }),
    ),
    { minLength: 1, maxLength: 5 },
  )
  .filter((parts) => parts.some((part) => part > 0))
  .map((parts) => {
    const sum = parts.reduce((total, part) => total + part, 0);
    return Object.fromEntries(parts.map((part, at) => [`r${at}`, part / sum]));
  });

/** Any service: 1 to 4 regions, 1 or 2 families, address types or CNAME, with and without health checks and aliases. */
export const serviceArbitrary: fc.Arbitrary<ServiceSpec> = fc
  .record({
    regions: fc.integer({ min: 1, max: 4 }),
    families: fc.integer({ min: 1, max: 2 }),
    types: fc.constantFrom<ServiceSpec["types"]>(["A"], ["AAAA"], ["A", "AAAA"], ["CNAME"]),
    checks: fc.array(fc.boolean(), { minLength: 4, maxLength: 4 }),
    isAlias: fc.boolean(),
    ttlSeconds: fc.integer({ min: 1, max: 300 }),
  })
  .map(({ regions, families, types, checks, isAlias, ttlSeconds }) => {
    const endpoints = Array.from({ length: regions }, (_, at): EndpointSpec => {
      const endpoint = testEndpoint(`r${at}`, at);
      const alias = { alias: { hostedZoneId: "Z2", name: `lb-${at}.example.net`, evaluateTargetHealth: true } };
      return {
        ...endpoint,
        ...(isAlias ? { answers: { A: alias, AAAA: alias, CNAME: alias } } : {}),
        ...(checks[at] === true ? { healthCheckId: `hc-${at}` } : {}),
      };
    });
    const base = testService({ endpoints, types, ttlSeconds });
    const [family] = base.families;
    if (family === undefined) throw new Error("A service has a family.");
    return {
      ...base,
      families: Array.from({ length: families }, (_, at) => ({ ...family, id: `f${at}`, name: `f${at}.example.com` })),
    };
  });

/** Weights of which at least one is positive. */
export const weightsArbitrary: fc.Arbitrary<readonly number[]> = fc
  .array(fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 255 })), { minLength: 4, maxLength: 4 })
  .map(([first = 0, ...rest]) => [Math.max(1, first), ...rest]);
