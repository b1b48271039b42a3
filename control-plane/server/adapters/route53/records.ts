/**
 * Record sets between the AWS SDK's shapes and the engine's. Pure. Everything that a DELETE must repeat survives the way there and
 * back: what Regent doesn't manage is kept in `other`, untouched.
 */
import type { Change, ListResourceRecordSetsResponse, ResourceRecordSet, RRType } from "@aws-sdk/client-route-53";
import type { RecordSet } from "@regent/engine";
import * as z from "zod";
import type { Page } from "./listing.ts";
import { fromRoute53Name, toRoute53Name, unescapeName } from "./names.ts";

const Text = z.string().min(1);
const WireRecordSet = z.looseObject({
  Name: Text,
  Type: Text,
  SetIdentifier: Text.optional(),
  Weight: z.int().min(0).max(255).optional(),
  TTL: z.int().min(0).max(2_147_483_647).optional(),
  ResourceRecords: z.array(z.object({ Value: z.string() })).optional(),
  AliasTarget: z.object({ HostedZoneId: Text, DNSName: Text, EvaluateTargetHealth: z.boolean() }).optional(),
  HealthCheckId: Text.optional(),
});

const WirePage = z.object({
  ResourceRecordSets: z.array(WireRecordSet),
  IsTruncated: z.boolean().optional(),
  NextRecordName: Text.optional(),
  NextRecordType: Text.optional(),
  NextRecordIdentifier: Text.optional(),
});

/** Drops absent fields at every depth, so that a record set compares and serialises by what it holds. */
const compact = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(compact);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, field]) => field !== undefined)
      .map(([key, field]) => [key, compact(field)]),
  );
};

const toSet = (wire: z.infer<typeof WireRecordSet>): RecordSet => {
  const { Name, Type, SetIdentifier, Weight, TTL, ResourceRecords, AliasTarget, HealthCheckId, ...rest } = wire;
  const other = compact(rest) as Record<string, unknown>;
  return {
    name: fromRoute53Name(Name),
    type: Type,
    ...(SetIdentifier === undefined ? {} : { setIdentifier: SetIdentifier }),
    ...(Weight === undefined ? {} : { weight: Weight }),
    ...(TTL === undefined ? {} : { ttl: TTL }),
    ...(ResourceRecords?.length ? { values: ResourceRecords.map(({ Value }) => Value) } : {}),
    ...(AliasTarget ? { alias: toAlias(AliasTarget) } : {}),
    ...(HealthCheckId === undefined ? {} : { healthCheckId: HealthCheckId }),
    ...(Object.keys(other).length > 0 ? { other } : {}),
  };
};

/** The target keeps its case: it may lie outside our zones, and a DELETE has to name it as it was listed. */
const toAlias = (target: {
  HostedZoneId: string;
  DNSName: string;
  EvaluateTargetHealth: boolean;
}): NonNullable<RecordSet["alias"]> => ({
  hostedZoneId: target.HostedZoneId,
  name: unescapeName(target.DNSName),
  evaluateTargetHealth: target.EvaluateTargetHealth,
});

/** One listed record set; null if it makes no sense. */
export const toRecordSet = (wire: ResourceRecordSet): RecordSet | null => {
  const parsed = WireRecordSet.safeParse(wire);
  return parsed.success ? toSet(parsed.data) : null;
};

/** The set as a change names it: exactly what was listed. */
export const toResourceRecordSet = (set: RecordSet): ResourceRecordSet => ({
  ...(set.other ?? {}),
  Name: toRoute53Name(set.name),
  // The SDK's list of types is a hint for editors; a type it doesn't know is sent as it was listed.
  Type: set.type as RRType,
  ...(set.setIdentifier === undefined ? {} : { SetIdentifier: set.setIdentifier }),
  ...(set.weight === undefined ? {} : { Weight: set.weight }),
  ...(set.ttl === undefined ? {} : { TTL: set.ttl }),
  ...(set.values === undefined ? {} : { ResourceRecords: set.values.map((Value) => ({ Value })) }),
  ...(set.alias === undefined
    ? {}
    : {
        AliasTarget: {
          HostedZoneId: set.alias.hostedZoneId,
          DNSName: toRoute53Name(set.alias.name),
          EvaluateTargetHealth: set.alias.evaluateTargetHealth,
        },
      }),
  ...(set.healthCheckId === undefined ? {} : { HealthCheckId: set.healthCheckId }),
});

/** Deletes first, then creates, each in the order given: Route 53 applies a batch in order. */
export const toChanges = (batch: {
  readonly deletes: readonly RecordSet[];
  readonly creates: readonly RecordSet[];
}): Change[] => [
  ...batch.deletes.map((set): Change => ({ Action: "DELETE", ResourceRecordSet: toResourceRecordSet(set) })),
  ...batch.creates.map((set): Change => ({ Action: "CREATE", ResourceRecordSet: toResourceRecordSet(set) })),
];

/** One page of a listing, or why it makes no sense. */
export const toPage = (
  answer: Partial<ListResourceRecordSetsResponse>,
): Page | { readonly kind: "failed"; readonly why: string } => {
  const parsed = WirePage.safeParse(answer);
  if (!parsed.success)
    return { kind: "failed", why: `the listing makes no sense: ${parsed.error.issues[0]?.path.join(".") ?? ""}` };
  const { ResourceRecordSets, IsTruncated, NextRecordName, NextRecordType, NextRecordIdentifier } = parsed.data;
  if (IsTruncated === undefined) return { kind: "failed", why: "the listing doesn't say whether it goes on" };
  const sets = ResourceRecordSets.map(toSet);
  if (!IsTruncated) return { kind: "page", sets, next: null };
  if (NextRecordName === undefined || sets.length === 0)
    return { kind: "failed", why: "the listing goes on but doesn't say where" };
  const next = {
    name: fromRoute53Name(NextRecordName),
    ...(NextRecordType === undefined ? {} : { type: NextRecordType }),
    ...(NextRecordIdentifier === undefined ? {} : { setIdentifier: NextRecordIdentifier }),
  };
  return { kind: "page", sets, next };
};
