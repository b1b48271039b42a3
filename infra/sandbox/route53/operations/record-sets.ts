/** ChangeResourceRecordSets, ListResourceRecordSets and GetChange. */
import { RECORD_SETS_PAGE_MAX } from "../../limits.ts";
import { parseChangeBatch } from "../change-batch.ts";
import { fail, invalidInput, noSuchHealthCheck, noSuchHostedZone, priorRequestNotComplete } from "../failure.ts";
import { listedSets } from "../listed-sets.ts";
import type { ChangeRecord, GeoLocation, RecordSet } from "../model.ts";
import { parseName, sortKeyOf } from "../names.ts";
import { type Node, optionalNode } from "../xml.ts";
import { type Operation, readMaxItems, reply } from "./operation.ts";

export const writeChange = (change: ChangeRecord, isPending: boolean): Node => [
  "ChangeInfo",
  [
    ["Id", `/change/${change.id}`],
    ["Status", isPending ? "PENDING" : "INSYNC"],
    ["SubmittedAt", new Date(change.submittedAt).toISOString()],
    optionalNode("Comment", change.comment),
  ],
];

export const changeResourceRecordSets: Operation = ({ store, id, body, propagation, onAccepted }) => {
  if (!store.zone(id)) return noSuchHostedZone(id);
  const parsed = parseChangeBatch(body);
  if (parsed.kind === "failure") return parsed;
  const outcome = store.change(id, parsed.batch, propagation);
  switch (outcome.kind) {
    case "accepted":
      onAccepted?.(outcome.change.id);
      // The service says PENDING even where nothing is left to wait for.
      return reply(["ChangeResourceRecordSetsResponse", [writeChange(outcome.change, true)]]);
    case "refused":
      return fail("InvalidChangeBatch", ...outcome.messages);
    case "no-such-health-check":
      return noSuchHealthCheck(outcome.id);
    case "no-such-zone":
      return noSuchHostedZone(id);
    case "prior-request-not-complete":
      return priorRequestNotComplete();
  }
};

export const getChange: Operation = ({ store, id }) => {
  const found = store.findChange(id);
  if (!found) return fail("NoSuchChange", `Could not find resource with ID: ${id}`);
  return reply(["GetChangeResponse", [writeChange(found.change, found.isPending)]]);
};

const writeGeoLocation = (geo: GeoLocation): Node => [
  "GeoLocation",
  [
    optionalNode("ContinentCode", geo.continentCode),
    optionalNode("CountryCode", geo.countryCode),
    optionalNode("SubdivisionCode", geo.subdivisionCode),
  ],
];

const writeSet = (set: RecordSet): Node => [
  "ResourceRecordSet",
  [
    ["Name", set.name],
    ["Type", set.type],
    optionalNode("SetIdentifier", set.setIdentifier),
    optionalNode("Weight", set.weight),
    optionalNode("Region", set.region),
    set.geoLocation ? writeGeoLocation(set.geoLocation) : undefined,
    optionalNode("Failover", set.failover),
    optionalNode("MultiValueAnswer", set.multiValueAnswer),
    optionalNode("TTL", set.ttl),
    set.values ? ["ResourceRecords", set.values.map((value): Node => ["ResourceRecord", [["Value", value]]])] : undefined,
    set.aliasTarget
      ? [
          "AliasTarget",
          [
            ["HostedZoneId", set.aliasTarget.hostedZoneId],
            ["DNSName", set.aliasTarget.dnsName],
            ["EvaluateTargetHealth", String(set.aliasTarget.evaluateTargetHealth)],
          ],
        ]
      : undefined,
    optionalNode("HealthCheckId", set.healthCheckId),
  ],
];

type Start = readonly [key: string, type: string, identifier: string];
const keyOf = (set: RecordSet): Start => [sortKeyOf(set.name), set.type, set.setIdentifier ?? ""];
const isBefore = (a: Start, b: Start): boolean => {
  for (const [index, part] of a.entries()) if (part !== b[index]) return part < b[index]!;
  return false;
};

/** Index of the first record set at or after `start`. The listing is sorted, so halving finds it. */
const firstFrom = (sets: readonly RecordSet[], start: Start): number => {
  let [low, high] = [0, sets.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (isBefore(keyOf(sets[middle]!), start)) low = middle + 1;
    else high = middle;
  }
  return low;
};

export const listResourceRecordSets: Operation = ({ store, id, query }) => {
  const zone = store.zone(id);
  if (!zone) return noSuchHostedZone(id);
  const maxItems = readMaxItems(query, RECORD_SETS_PAGE_MAX);
  if (maxItems === undefined) return invalidInput(`MaxItems '${query.get("maxitems")}' is not a positive number`);
  const [name, type, identifier] = [query.get("name"), query.get("type"), query.get("identifier")];
  if (type !== null && name === null) return invalidInput("Type can only be specified along with Name");
  if (identifier !== null && type === null) return invalidInput("Identifier can only be specified along with Name and Type");
  const parsed = name === null ? undefined : parseName(name);
  if (parsed?.kind === "invalid")
    return fail("InvalidInput", `FATAL problem: ${parsed.code} (${parsed.text}) encountered with '${name}'`);
  const sets = listedSets(zone.records);
  const from = parsed ? firstFrom(sets, [sortKeyOf(parsed.name), type ?? "", identifier ?? ""]) : 0;
  const next = sets[from + maxItems];
  return reply([
    "ListResourceRecordSetsResponse",
    [
      ["ResourceRecordSets", sets.slice(from, from + maxItems).map(writeSet)],
      ["IsTruncated", String(next !== undefined)],
      optionalNode("NextRecordName", next?.name),
      optionalNode("NextRecordType", next?.type),
      optionalNode("NextRecordIdentifier", next?.setIdentifier),
      ["MaxItems", String(maxItems)],
    ],
  ]);
};
