/**
 * Reads the body of ChangeResourceRecordSets and checks what needs no zone: fields, ranges, limits. Pure.
 * What needs the zone (exists, matches, coexists) is in apply-changes.ts.
 */
import { z } from "zod";
import {
  BATCH_ELEMENTS_MAX,
  BATCH_VALUE_CHARACTERS_MAX,
  COMMENT_CHARACTERS_MAX,
  RECORD_SET_VALUES_MAX,
  SET_IDENTIFIER_CHARACTERS_MAX,
  TTL_SECONDS_MAX,
  WEIGHT_MAX,
} from "../limits.ts";
import { type Failure, fail, invalidInput } from "./failure.ts";
import {
  type AliasTarget,
  type Change,
  compact,
  type GeoLocation,
  RECORD_TYPES,
  type RecordSet,
  type RecordType,
} from "./model.ts";
import { parseName } from "./names.ts";
import { parseValue } from "./values.ts";
import { parseXml } from "./xml.ts";

const Text = z.string();
const WireRecordSet = z.object({
  Name: Text,
  Type: Text,
  SetIdentifier: Text.optional(),
  Weight: Text.optional(),
  Region: Text.optional(),
  Failover: Text.optional(),
  MultiValueAnswer: Text.optional(),
  GeoLocation: z
    .object({ ContinentCode: Text.optional(), CountryCode: Text.optional(), SubdivisionCode: Text.optional() })
    .optional(),
  TTL: Text.optional(),
  ResourceRecords: z.object({ ResourceRecord: z.array(z.object({ Value: Text })).min(1) }).optional(),
  AliasTarget: z.object({ HostedZoneId: Text, DNSName: Text, EvaluateTargetHealth: z.enum(["true", "false"]) }).optional(),
  HealthCheckId: Text.optional(),
});
type WireRecordSet = z.infer<typeof WireRecordSet>;
const WireBatch = z.object({
  ChangeBatch: z.object({
    Comment: Text.optional(),
    Changes: z.object({
      Change: z.array(z.object({ Action: z.enum(["CREATE", "DELETE", "UPSERT"]), ResourceRecordSet: WireRecordSet })).min(1),
    }),
  }),
});

export interface ChangeBatch {
  readonly changes: readonly Change[];
  readonly comment?: string;
}
export type ParsedBatch = { readonly kind: "batch"; readonly batch: ChangeBatch } | Failure;

/** Parses a request body. Failures are MalformedInput, InvalidInput or InvalidChangeBatch, as the service's. */
export const parseChangeBatch = (body: string): ParsedBatch => {
  const xml = parseXml(body);
  if (xml.kind === "malformed" || xml.root !== "ChangeResourceRecordSetsRequest")
    return fail("MalformedInput", "ChangeBatch is not valid, expected ChangeResourceRecordSetsRequest");
  const wire = WireBatch.safeParse(xml.content);
  if (!wire.success)
    return invalidInput(wire.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`).join("; "));
  const { Comment: comment, Changes } = wire.data.ChangeBatch;
  if (comment !== undefined && comment.length > COMMENT_CHARACTERS_MAX)
    return constraint("changeBatch.comment", comment, `length less than or equal to ${COMMENT_CHARACTERS_MAX}`);
  const changes: Change[] = [];
  const messages: string[] = [];
  for (const [index, change] of Changes.Change.entries()) {
    const shape = checkShape(change.ResourceRecordSet, change.Action, index);
    if (shape) return shape;
    const set = toRecordSet(change.ResourceRecordSet, messages);
    if (set) changes.push({ action: change.Action, set });
  }
  messages.push(...batchLimits(Changes.Change));
  if (messages.length > 0) return fail("InvalidChangeBatch", ...messages);
  return { kind: "batch", batch: compact<ChangeBatch>({ changes, comment: comment === "" ? undefined : comment }) };
};

const constraint = (path: string, value: string, rule: string): Failure =>
  fail(
    "InvalidInput",
    `1 validation error detected: Value '${value}' at '${path}' failed to satisfy constraint: Member must have ${rule}`,
  );

const isIntegerTo = (text: string, max: number): boolean => /^\d{1,10}$/.test(text) && Number(text) <= max;

/** The checks that Route 53 answers with InvalidInput: ranges first, then which fields go together. */
const checkShape = (set: WireRecordSet, action: string, index: number): Failure | undefined => {
  const at = `changeBatch.changes.${index + 1}.member.resourceRecordSet`;
  if (set.Weight !== undefined && !isIntegerTo(set.Weight, WEIGHT_MAX))
    return constraint(
      `${at}.weight`,
      set.Weight,
      set.Weight.startsWith("-") ? "value greater than or equal to 0" : `value less than or equal to ${WEIGHT_MAX}`,
    );
  if (set.TTL !== undefined && !isIntegerTo(set.TTL, TTL_SECONDS_MAX))
    return constraint(`${at}.tTL`, set.TTL, `value less than or equal to ${TTL_SECONDS_MAX}`);
  const id = set.SetIdentifier;
  if (id !== undefined && (id.length === 0 || id.length > SET_IDENTIFIER_CHARACTERS_MAX))
    return constraint(
      `${at}.setIdentifier`,
      id,
      id.length === 0 ? "length greater than or equal to 1" : `length less than or equal to ${SET_IDENTIFIER_CHARACTERS_MAX}`,
    );
  if (!RECORD_TYPES.includes(set.Type as RecordType))
    return fail(
      "InvalidInput",
      `1 validation error detected: Value '${set.Type}' at '${at}.type' failed to satisfy constraint: Member must satisfy enum value set: [${RECORD_TYPES.join(", ")}]`,
    );
  return checkTogether(
    set,
    `Change with [Action=${action}, Name=${absolute(set.Name)}, Type=${set.Type}, SetIdentifier=${id ?? null}]`,
  );
};

const absolute = (name: string): string => (name.endsWith(".") ? name : `${name}.`);

const checkTogether = (set: WireRecordSet, where: string): Failure | undefined => {
  const policies = [
    set.Weight,
    set.Region,
    set.Failover,
    set.GeoLocation,
    set.MultiValueAnswer === "false" ? undefined : set.MultiValueAnswer,
  ].filter((field) => field !== undefined).length;
  const oneOf =
    "Expected exactly one of [Weight, Region, Failover, GeoLocation, MultiValueAnswer, GeoProximityLocation, or CidrRoutingConfig]";
  if (policies > 1) return invalidInput(`${oneOf}, but found more than one in ${where}`);
  if (policies === 1 && set.SetIdentifier === undefined) return invalidInput(`Missing field 'SetIdentifier' in ${where}`);
  if (policies === 0 && set.SetIdentifier !== undefined) return invalidInput(`${oneOf}, but found none in ${where}`);
  if (set.Failover !== undefined && set.Failover !== "PRIMARY" && set.Failover !== "SECONDARY")
    return invalidInput(`Failover must be PRIMARY or SECONDARY in ${where}`);
  const plain = set.TTL !== undefined && set.ResourceRecords !== undefined;
  const alias = set.AliasTarget !== undefined;
  const source = "Expected exactly one of [AliasTarget, all of [TTL, and ResourceRecords], or TrafficPolicyInstanceId]";
  if (alias && (set.TTL !== undefined || set.ResourceRecords !== undefined))
    return invalidInput(`${source}, but found more than one in ${where}`);
  if (!alias && !plain) return invalidInput(`${source}, but found none in ${where}`);
  if (set.MultiValueAnswer === "true" && alias) return invalidInput(`MultiValueAnswer can't be an alias in ${where}`);
  return undefined;
};

const batchLimits = (changes: readonly { Action: string; ResourceRecordSet: WireRecordSet }[]): string[] => {
  let elements = 0;
  let characters = 0;
  for (const { Action, ResourceRecordSet: set } of changes) {
    const factor = Action === "UPSERT" ? 2 : 1;
    const records = set.ResourceRecords?.ResourceRecord ?? [];
    elements += factor * (set.AliasTarget ? 1 : records.length);
    characters += factor * records.reduce((sum, record) => sum + record.Value.length, 0);
  }
  const messages: string[] = [];
  if (elements > BATCH_ELEMENTS_MAX) messages.push(`Number of records limit of ${BATCH_ELEMENTS_MAX} exceeded.`);
  if (characters > BATCH_VALUE_CHARACTERS_MAX) messages.push(`RDATA character limit of ${BATCH_VALUE_CHARACTERS_MAX} exceeded.`);
  return messages;
};

const toName = (text: string, messages: string[]): string | undefined => {
  const parsed = parseName(text);
  if (parsed.kind === "name") return parsed.name;
  messages.push(`FATAL problem: ${parsed.code} (${parsed.text}) encountered with '${text}'`);
  return undefined;
};

const toAlias = (alias: NonNullable<WireRecordSet["AliasTarget"]>, messages: string[]): AliasTarget | undefined => {
  const dnsName = toName(alias.DNSName, messages);
  if (dnsName === undefined) return undefined;
  return { hostedZoneId: alias.HostedZoneId, dnsName, evaluateTargetHealth: alias.EvaluateTargetHealth === "true" };
};

/** The record set as it will be listed; undefined with messages if a name or a value can't be. */
const toRecordSet = (wire: WireRecordSet, messages: string[]): RecordSet | undefined => {
  const before = messages.length;
  const name = toName(wire.Name, messages);
  const type = wire.Type as RecordType;
  const values = wire.ResourceRecords?.ResourceRecord.map((record) => record.Value);
  if (values) messages.push(...valueProblems(type, values));
  const aliasTarget = wire.AliasTarget ? toAlias(wire.AliasTarget, messages) : undefined;
  if (name === undefined || messages.length > before) return undefined;
  const geo = wire.GeoLocation;
  return compact<RecordSet>({
    name,
    type,
    setIdentifier: wire.SetIdentifier,
    weight: wire.Weight === undefined ? undefined : Number(wire.Weight),
    region: wire.Region,
    failover: wire.Failover as "PRIMARY" | "SECONDARY" | undefined,
    geoLocation: geo
      ? compact<GeoLocation>({
          continentCode: geo.ContinentCode,
          countryCode: geo.CountryCode,
          subdivisionCode: geo.SubdivisionCode,
        })
      : undefined,
    multiValueAnswer: wire.MultiValueAnswer === "true" ? true : undefined,
    ttl: wire.TTL === undefined ? undefined : Number(wire.TTL),
    values,
    aliasTarget,
    healthCheckId: wire.HealthCheckId,
  });
};

const valueProblems = (type: RecordType, values: readonly string[]): string[] => {
  const problems: string[] = [];
  for (const value of values) {
    const parsed = parseValue(type, value);
    if (parsed.kind === "invalid") problems.push(parsed.message);
  }
  const repeated = values.find((value, index) => values.indexOf(value) !== index);
  if (repeated !== undefined) problems.push(`Duplicate Resource Record: '${repeated}'`);
  if (values.length > RECORD_SET_VALUES_MAX) problems.push(`Cannot have more than ${RECORD_SET_VALUES_MAX} records in a RRSet.`);
  if ((type === "CNAME" || type === "SOA") && values.length > 1)
    problems.push(`Cannot have more than 1 records in a RRSet of type ${type}.`);
  return problems;
};
