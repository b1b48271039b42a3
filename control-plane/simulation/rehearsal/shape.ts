/**
 * What a rehearsal file looks like, as a schema: shape and words only, so that editors get it as JSON Schema (docs/rehearsal.schema.json). What
 * the words mean beside a configuration is checked by compile.ts. Durations are `90s`, `15m`, `2h`, `1d`, `500ms`, or a number of seconds.
 */
import { OperatorReason, OwnerId, RuleId, Verdict } from "@regent/contract";
import * as z from "zod";
import { REHEARSAL_LINES_MAX, REHEARSAL_NOTATION_MAX } from "../limits.ts";

const Moment = z.union([
  z.number().min(0),
  z.string().regex(/^\d{1,8}(\.\d{1,3})?(ms|s|m|h|d)$/, "a duration such as 500ms, 90s, 15m, 2h or 1d"),
]);
/** A moment of the timeline, or a length of time, as it is written. */
export type WrittenTime = z.infer<typeof Moment>;

const Name = z.string().min(1).max(200);
/** Names; in `outcomes` also with `*` for any part of one. */
const Names = z.union([Name, z.array(Name).min(1).max(100)]);
export type WrittenNames = z.infer<typeof Names>;

const OutcomeLine = z.strictObject({
  /** Who sees it: `inside`, `outside`, or `region/network`. */
  vantages: Names.optional(),
  services: Names.optional(),
  /** Of the endpoints that are looked at. */
  regions: Names.optional(),
  checks: Names.optional(),
  /** What is seen, one part after the other: `ok*60 refused*15m ok`. */
  what: z.union([z.int(), z.string().min(1).max(REHEARSAL_NOTATION_MAX)]),
  /** How long each probe takes. */
  latency: Moment.optional(),
});
export type WrittenOutcomes = z.infer<typeof OutcomeLine>;

const FactLine = z.strictObject({
  /** Who sees it: `region/network`; all when absent. */
  vantages: Names.optional(),
  services: Names.optional(),
  /** Whose database. */
  regions: Names.optional(),
  /** From before the timeline when absent, and to its end. */
  from: Moment.optional(),
  to: Moment.optional(),
  role: z.enum(["primary", "standby", "read-only"]).optional(),
  /** Of a standby whose replication is connected. */
  lag: Moment.optional(),
  /** A standby's replication. */
  link: z.enum(["up", "cut"]).optional(),
});
export type WrittenFacts = z.infer<typeof FactLine>;

const OPERATOR_ACTS = [
  "failover",
  "failback",
  "drain",
  "undrain",
  "freeze",
  "unfreeze",
  "approve",
  "refuse",
  "override",
] as const;
const OperatorAct = z.enum(OPERATOR_ACTS);

const OperatorLine = z.strictObject({
  at: Moment,
  /** Who asks. */
  as: z.string().min(1).max(100),
  do: OperatorAct,
  /** Absent for a freeze of everything. */
  service: Name.optional(),
  region: Name.optional(),
  /** Where a failover goes. */
  to: Name.optional(),
  /** Of an override: what it decides, for how long, and the shares of a pin. */
  what: z.enum(["on", "off", "pin", "freeze"]).optional(),
  for: Moment.optional(),
  shares: z.record(Name, z.number().min(0).max(1)).optional(),
  reason: OperatorReason,
  breakGlass: z.array(RuleId).max(20).optional(),
});
export type WrittenOperator = z.infer<typeof OperatorLine>;

const MaintenanceLine = z.strictObject({
  from: Moment,
  to: Moment,
  /** Who planned it. */
  as: z.string().min(1).max(100),
  regions: Names,
  /** All when absent. */
  services: Names.optional(),
  reason: OperatorReason,
});
export type WrittenMaintenance = z.infer<typeof MaintenanceLine>;

const DnsLine = z.strictObject({ from: Moment, to: Moment, what: z.enum(["throttle", "away", "late"]) });
export type WrittenDns = z.infer<typeof DnsLine>;

/** What somebody else writes: the weight of one region, or an epoch record with another owner. */
const EditLine = z.strictObject({
  at: Moment,
  service: Name,
  region: Name.optional(),
  weight: z.int().min(0).max(255).optional(),
  owner: OwnerId.optional(),
});
export type WrittenEdit = z.infer<typeof EditLine>;

const Assignments = z.union([Name, z.array(Name).min(1).max(50)]);
const ConfigurationLine = z.strictObject({
  at: Moment,
  /** `services.checkout.strategy.failback=automatic` */
  set: Assignments,
});
export type WrittenConfiguration = z.infer<typeof ConfigurationLine>;

// ------------------------------------------------------------------------------------------------ what is expected

const oneOrMore = <T extends z.ZodType>(one: T) => z.union([one, z.array(one).min(1).max(20)]);

const ExpectedVerdict = z.strictObject({ service: Name, region: Name, is: oneOrMore(Verdict) });
/** Parts of the traffic that DNS answers, 0 to 1; within 0.02. */
const ExpectedShares = z.strictObject({ service: Name, family: Name.optional(), is: z.record(Name, z.number().min(0).max(1)) });
const ExpectedChange = z.strictObject({
  service: Name.optional(),
  kind: oneOrMore(Name).optional(),
  by: z.enum(["automation", "operator"]).optional(),
  /** Regions that lost all of their traffic. */
  left: Names.optional(),
  /** Regions that gained some. */
  received: Names.optional(),
});
const ExpectedHeld = z.strictObject({
  service: Name.optional(),
  /** What stands in the way: rules, or `mode`. */
  by: oneOrMore(z.union([RuleId, z.literal("mode")])).optional(),
  answer: z.enum(["clamp", "defer", "require-approval", "deny"]).optional(),
  left: Names.optional(),
});
const ExpectedPage = z.strictObject({
  service: Name.optional(),
  kind: Name.optional(),
  /** A part of its sentence. */
  saying: Name.optional(),
});
const ExpectedStandstill = z.strictObject({ service: Name });
const ExpectedAnswer = z.strictObject({
  service: Name.optional(),
  do: OperatorAct.optional(),
  is: z.enum(["made", "unchanged", "refused", "away"]).optional(),
  /** The rule that refused it. */
  by: RuleId.optional(),
});

const Expectation = z.strictObject({
  at: Moment.optional(),
  by: Moment.optional(),
  from: Moment.optional(),
  to: Moment.optional(),
  never: z.literal(true).optional(),
  atMost: z.int().min(0).max(10_000).optional(),
  exactly: z.int().min(0).max(10_000).optional(),
  verdict: ExpectedVerdict.optional(),
  shares: ExpectedShares.optional(),
  change: ExpectedChange.optional(),
  held: ExpectedHeld.optional(),
  page: ExpectedPage.optional(),
  standstill: ExpectedStandstill.optional(),
  answer: ExpectedAnswer.optional(),
});
export type WrittenExpectation = z.infer<typeof Expectation>;

export const WrittenRehearsal = z.strictObject({
  rehearsal: z.literal(1),
  name: z.string().min(1).max(200),
  /** What it shows, in a sentence or two. */
  why: z.string().min(1).max(1_000).optional(),
  /** A regent.yaml, seen from this file. */
  config: z.string().min(1).max(500).optional(),
  /** Instead of `config`: what a regent.yaml would say. */
  declaration: z.unknown().optional(),
  seed: z.int().min(0).max(0xffff_ffff).default(1),
  /** What one count of a notation lasts. */
  step: Moment.default("1s"),
  for: Moment,
  outcomes: z.array(OutcomeLine).max(REHEARSAL_LINES_MAX).default([]),
  /** What agents are told of stateful services' databases; the preferred region's is the primary, and the others follow it. */
  facts: z.array(FactLine).max(REHEARSAL_LINES_MAX).default([]),
  /** What the declared hook does when it is called. */
  hook: z.enum(["promotes", "refuses", "silent"]).default("promotes"),
  operators: z.array(OperatorLine).max(REHEARSAL_LINES_MAX).default([]),
  /** Windows that were planned before the timeline begins; those of the configuration are in force too, on the rehearsal's calendar. */
  maintenance: z.array(MaintenanceLine).max(REHEARSAL_LINES_MAX).default([]),
  dns: z.array(DnsLine).max(REHEARSAL_LINES_MAX).default([]),
  edits: z.array(EditLine).max(REHEARSAL_LINES_MAX).default([]),
  configuration: z.array(ConfigurationLine).max(REHEARSAL_LINES_MAX).default([]),
  expect: z.array(Expectation).max(REHEARSAL_LINES_MAX).default([]),
});
export type WrittenRehearsal = z.infer<typeof WrittenRehearsal>;

export const REHEARSAL_SCHEMA_TITLE = "Regent rehearsal";

/** JSON Schema 2020-12 of what a person writes. */
export const toRehearsalJsonSchema = (): Readonly<Record<string, unknown>> => {
  const { $schema, ...schema } = z.toJSONSchema(WrittenRehearsal, { io: "input" });
  return { $schema, title: REHEARSAL_SCHEMA_TITLE, ...schema };
};
