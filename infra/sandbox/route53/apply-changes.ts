/**
 * One batch against one zone: all or nothing, in order, on a working copy. Pure.
 * The messages are the service's own, because clients read them.
 */
import { GROUP_MEMBERS_MAX, ZONE_RECORD_SETS_MAX } from "../limits.ts";
import { type Change, policyOf, type RecordSet, type Records } from "./model.ts";
import { isWithin } from "./names.ts";

export type Applied =
  | { readonly kind: "applied"; readonly records: Records; readonly touched: readonly string[] }
  | { readonly kind: "no-such-health-check"; readonly id: string }
  | { readonly kind: "refused"; readonly messages: readonly string[] };

/** What a weighted record set with another TTL than its group's does: the documented and the once observed behaviour. */
export type MixedTtl = "overwrite" | "refuse";

export interface ApplyContext {
  readonly zone: { readonly id: string; readonly name: string };
  readonly records: Records;
  readonly hasHealthCheck: (id: string) => boolean;
  readonly mixedTtl: MixedTtl;
}

interface Work extends ApplyContext {
  readonly next: Map<string, readonly RecordSet[]>;
  readonly touched: Set<string>;
}

export const applyChanges = (context: ApplyContext, changes: readonly Change[]): Applied => {
  const unknown = changes.find(
    ({ action, set }) => action !== "DELETE" && set.healthCheckId !== undefined && !context.hasHealthCheck(set.healthCheckId),
  );
  if (unknown) return { kind: "no-such-health-check", id: unknown.set.healthCheckId! };
  const work: Work = { ...context, next: new Map(context.records), touched: new Set() };
  const messages = repeatedChanges(changes);
  for (const change of changes) {
    const problems = isWithin(change.set.name, work.zone.name)
      ? applyOne(work, change)
      : [`RRSet with DNS name ${change.set.name} is not permitted in zone ${work.zone.name}`];
    messages.push(...problems);
  }
  messages.push(...zoneProblems(work));
  if (messages.length > 0) return { kind: "refused", messages };
  return { kind: "applied", records: work.next, touched: [...work.touched] };
};

const keyOf = (set: RecordSet): string => JSON.stringify([set.name, set.type, set.setIdentifier ?? null]);
const describe = (set: RecordSet): string =>
  `resource record set [name='${set.name}', type='${set.type}'${set.setIdentifier === undefined ? "" : `, set-identifier='${set.setIdentifier}'`}]`;

/** A record set may appear twice in a batch only as DELETE and then CREATE or UPSERT. */
const repeatedChanges = (changes: readonly Change[]): string[] => {
  const actions = new Map<string, { set: RecordSet; sequence: string[] }>();
  for (const { action, set } of changes) {
    const entry = actions.get(keyOf(set)) ?? { set, sequence: [] };
    entry.sequence.push(action);
    actions.set(keyOf(set), entry);
  }
  return [...actions.values()]
    .filter(({ sequence }) => sequence.length > 1 && !/^DELETE,(CREATE|UPSERT)$/.test(sequence.join()))
    .map(({ set }) => `The request contains an invalid set of changes for a resource record set '${set.type} ${set.name}'`);
};

const applyOne = (work: Work, { action, set }: Change): string[] => {
  const atName = work.next.get(set.name) ?? [];
  const present = atName.find((other) => keyOf(other) === keyOf(set));
  switch (action) {
    case "DELETE": {
      if (!present) return [`Tried to delete ${describe(set)} but it was not found`];
      if (canonical(present) !== canonical(set))
        return [`Tried to delete ${describe(set)} but the values provided do not match the current values`];
      return replaceAt(
        work,
        set.name,
        atName.filter((other) => other !== present),
      );
    }
    case "CREATE": {
      if (present) return [`Tried to create ${describe(set)} but it already exists`];
      return put(work, set, atName);
    }
    case "UPSERT":
      return put(
        work,
        set,
        atName.filter((other) => other !== present),
      );
  }
};

/** Everything that a DELETE must repeat. Values are a set: their order doesn't count. */
const canonical = (set: RecordSet): string =>
  JSON.stringify([
    set.weight ?? null,
    set.region ?? null,
    set.failover ?? null,
    set.geoLocation
      ? [set.geoLocation.continentCode ?? null, set.geoLocation.countryCode ?? null, set.geoLocation.subdivisionCode ?? null]
      : null,
    set.multiValueAnswer ?? false,
    set.ttl ?? null,
    set.values ? [...set.values].sort() : null,
    set.aliasTarget ? [set.aliasTarget.hostedZoneId, set.aliasTarget.dnsName, set.aliasTarget.evaluateTargetHealth] : null,
    set.healthCheckId ?? null,
  ]);

const replaceAt = (work: Work, name: string, sets: readonly RecordSet[]): string[] => {
  if (sets.length === 0) work.next.delete(name);
  else work.next.set(name, sets);
  work.touched.add(name);
  return [];
};

/** `others` is what the name holds without the record set that is being written. */
const put = (work: Work, set: RecordSet, others: readonly RecordSet[]): string[] => {
  const group = others.filter((other) => other.type === set.type);
  const problems = [...nameProblems(work, set, others), ...groupProblems(work, set, group), ...aliasProblems(work, set)];
  if (problems.length > 0) return problems;
  const isOneTtl = policyOf(set) === "weighted" && set.ttl !== undefined;
  const aligned = isOneTtl
    ? others.map((other) => (other.type === set.type && other.ttl !== undefined ? { ...other, ttl: set.ttl! } : other))
    : others;
  return replaceAt(work, set.name, [...aligned, set]);
};

const nameProblems = (work: Work, set: RecordSet, others: readonly RecordSet[]): string[] => {
  const { name: zoneName } = work.zone;
  if (set.type === "CNAME" && set.name === zoneName)
    return [`RRSet of type CNAME with DNS name ${set.name} is not permitted at apex in zone ${zoneName}`];
  if (set.type === "SOA" && set.name !== zoneName)
    return [`RRSet of type SOA with DNS name ${set.name} is not permitted in zone ${zoneName}`];
  if (set.type === "CNAME" && others.some((other) => other.type !== "CNAME"))
    return [
      `RRSet of type CNAME with DNS name ${set.name} is not permitted as it conflicts with other records with the same DNS name in zone ${zoneName}`,
    ];
  if (set.type !== "CNAME" && others.some((other) => other.type === "CNAME"))
    return [
      `RRSet of type ${set.type} with DNS name ${set.name} is not permitted because a conflicting RRSet of type  CNAME with the same DNS name already exists in zone ${zoneName}`,
    ];
  return [];
};

const groupProblems = (work: Work, set: RecordSet, group: readonly RecordSet[]): string[] => {
  if (group.length === 0) return [];
  const policy = policyOf(set);
  const who = `RRSet with DNS name ${set.name}, type ${set.type}`;
  if (policy === "simple") return [`${who} cannot be created as other RRSets exist with the same name and type.`];
  const member = `${who}, SetIdentifier ${set.setIdentifier}`;
  if (group.some((other) => policyOf(other) !== policy))
    return [
      `${member} cannot be created as a non-${policy === "multivalue" ? "multivalue answer" : policy} set exists with the same name and type.`,
    ];
  if (group.length >= GROUP_MEMBERS_MAX)
    return [`Exceeded limit on number of ${policy} RRSets for ${set.name}, type ${set.type} in this zone.`];
  if (
    policy === "weighted" &&
    work.mixedTtl === "refuse" &&
    set.ttl !== undefined &&
    group.some((other) => other.ttl !== undefined && other.ttl !== set.ttl)
  )
    return [`${member} cannot be created as weighted sets must contain the same TTL.`];
  if (policy === "latency" && group.some((other) => other.region === set.region))
    return [
      `${member}, and Region Name=${set.region} cannot be created because a latency RRSet with the same name, type and region already exists.`,
    ];
  if (policy === "failover" && group.some((other) => other.failover === set.failover))
    return [`${member} cannot be created as a ${set.failover} failover RRSet exists with the same name and type.`];
  if (policy === "geolocation" && group.some((other) => JSON.stringify(other.geoLocation) === JSON.stringify(set.geoLocation)))
    return [`${member} cannot be created as a geolocation RRSet with the same location exists with the same name and type.`];
  return [];
};

/** Only targets in this zone: there is no load balancer in a sandbox that an alias could point to. */
const aliasProblems = (work: Work, set: RecordSet): string[] => {
  const alias = set.aliasTarget;
  if (!alias) return [];
  const who = `Tried to create an alias that targets ${alias.dnsName}, type ${set.type} in zone ${alias.hostedZoneId}`;
  const problems: string[] = [];
  const isHere = alias.hostedZoneId === work.zone.id && isWithin(alias.dnsName, work.zone.name);
  if (!isHere) problems.push(`${who}, but the alias target name does not lie within the target zone`);
  const isFound = work.next.get(alias.dnsName)?.some((target) => target.type === set.type) === true && alias.dnsName !== set.name;
  if (!isHere || !isFound) problems.push(`${who}, but that target was not found`);
  return problems;
};

const zoneProblems = (work: Work): string[] => {
  const apex = work.next.get(work.zone.name) ?? [];
  const problems: string[] = [];
  if (!apex.some((set) => set.type === "NS"))
    problems.push("A HostedZone must contain at least one NS record for the zone itself.");
  if (apex.filter((set) => set.type === "SOA").length !== 1) problems.push("A HostedZone must contain exactly one SOA record.");
  let sets = 0;
  for (const atName of work.next.values()) sets += atName.length;
  if (sets > ZONE_RECORD_SETS_MAX) problems.push(`Exceeded limit MAX_RRSETS_BY_ZONE for zone: ${work.zone.id}`);
  return problems;
};
