/** What the tests of the safety rules share: a region that fails, the limits of the profiles, and who stands in the way. */
import type { RuleAnswer, RuleId } from "@regent/contract";
import { decide } from "../decide.ts";
import type {
  Decision,
  Departure,
  OperatorRequest,
  Proposal,
  SafetyLimits,
  ServiceDeparture,
  ServiceSpec,
  Situation,
} from "../model.ts";
import { evaluate } from "../safety/evaluate.ts";
import { NO_LIMITS } from "./dns.ts";
import { T0 } from "./evidence.ts";
import type { SituationInput } from "./situation.ts";
import { passiveSpec, testSituation, votesDown } from "./situation.ts";

/** Of the profiles `standard` and `careful`. */
export const STANDARD_LIMITS: SafetyLimits = {
  capacityMin: 0.5,
  failoversPerHour: 3,
  failoversPerDay: 6,
  failoversPerHourOfAll: 5,
  regionsOutMax: 1,
  incidentsMax: 3,
  correlationMs: 60_000,
  shadowMs: 600_000,
  stepMax: 0.1,
  removedMax: 0.5,
  removedMs: 600_000,
  receivedMs: 600_000,
  approvalMs: 900_000,
  onApprovalTimeout: {},
};

/** Of the profile `sandbox`. */
export const SANDBOX_LIMITS: SafetyLimits = {
  ...STANDARD_LIMITS,
  failoversPerHour: null,
  failoversPerDay: null,
  failoversPerHourOfAll: null,
  regionsOutMax: null,
  incidentsMax: null,
  correlationMs: 0,
  shadowMs: 0,
  stepMax: 1,
  removedMax: 20,
  receivedMs: 10_000,
  approvalMs: 60_000,
};

/** With these limits and no others. */
export const limited = (limits: Partial<SafetyLimits>, spec: ServiceSpec = passiveSpec()): ServiceSpec => ({
  ...spec,
  safety: { ...NO_LIMITS, ...limits },
});

/** r1 is dead for 5 s, seen from outside on two networks, and r2 should take its traffic, unless the input says otherwise. */
export const failing = (input: SituationInput = {}): Situation =>
  testSituation({
    ...input,
    regions: {
      r1: { verdict: "unhealthy", detectedAt: T0 - 5_000, votes: votesDown("r1", ["r2/a", "r3/b"]) },
      ...input.regions,
    },
  });

export const standing = ({ rules }: Pick<Decision, "rules">): readonly RuleId[] =>
  rules.filter(({ answer, skipped }) => answer !== "allow" && !skipped).map(({ rule }) => rule);

export const answerOf = ({ rules }: Pick<Decision, "rules">, id: RuleId): RuleAnswer => {
  const found = rules.find(({ rule }) => rule === id);
  if (!found) throw new Error(`${id} wasn't asked`);
  return found;
};

/** What one rule says of what would be done. */
export const ask = (id: RuleId, situation: Situation, asked: OperatorRequest | null = null): RuleAnswer =>
  answerOf(decide(situation, asked), id);

export const proposalOf = (situation: Situation, asked: OperatorRequest | null = null): Proposal => {
  const { proposal } = decide(situation, asked);
  if (!proposal) throw new Error("nothing is proposed");
  return proposal;
};

/** The rules' answers to a proposal made by hand. */
export const asked = (proposal: Proposal, situation: Situation): Pick<Decision, "rules"> => ({
  rules: evaluate({ proposal, situation }).answers,
});

/** Automation left r2 for r1, an hour and more ago unless said. */
export const departure = (changed: Partial<Departure> = {}): Departure => ({
  at: T0 - 3_600_000,
  left: ["r2"],
  received: ["r1"],
  moved: 1,
  vantages: ["r1/a", "r3/b"],
  findings: ["web down (tcp_refused)"],
  ...changed,
});

/** Another service's, unless said. */
export const departureOf = (changed: Partial<ServiceDeparture> = {}): ServiceDeparture => ({
  ...departure(changed),
  service: changed.service ?? "other",
});

/** Traffic as it is, with this behind it. */
export const after = (departures: readonly Departure[], spec: ServiceSpec = passiveSpec()): Situation["traffic"] => ({
  ...testSituation({ spec }).traffic,
  departures,
});
