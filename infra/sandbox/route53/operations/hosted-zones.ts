/** Creating, reading, listing and deleting hosted zones. */
import { z } from "zod";
import { COMMENT_CHARACTERS_MAX, LIST_PAGE_MAX } from "../../limits.ts";
import { fail, invalidInput, noSuchHostedZone } from "../failure.ts";
import { parseName, sortKeyOf } from "../names.ts";
import type { Store, Zone } from "../store.ts";
import { type Node, optionalNode, parseXml } from "../xml.ts";
import { created, type Operation, readMaxItems, reply } from "./operation.ts";
import { writeChange } from "./record-sets.ts";

const WireZone = z.object({
  Name: z.string().min(1).max(1_024),
  CallerReference: z.string().min(1).max(128),
  HostedZoneConfig: z
    .object({ Comment: z.string().max(COMMENT_CHARACTERS_MAX).optional(), PrivateZone: z.enum(["true", "false"]).optional() })
    .optional(),
  VPC: z.never().optional(),
});

const countSets = ({ records }: Zone): number => {
  let count = 0;
  for (const sets of records.values()) count += sets.length;
  return count;
};

const writeZone = (zone: Zone): Node => [
  "HostedZone",
  [
    ["Id", `/hostedzone/${zone.head.id}`],
    ["Name", zone.head.name],
    ["CallerReference", zone.head.callerReference],
    ["Config", [optionalNode("Comment", zone.head.comment), ["PrivateZone", "false"]]],
    ["ResourceRecordSetCount", String(countSets(zone))],
  ],
];

const writeDelegationSet = (store: Store): Node => [
  "DelegationSet",
  [["NameServers", store.nameServerNames.map((name): Node => ["NameServer", name])]],
];

export const createHostedZone: Operation = ({ store, body, endpoint }) => {
  const xml = parseXml(body);
  if (xml.kind === "malformed" || xml.root !== "CreateHostedZoneRequest")
    return fail("MalformedInput", "expected CreateHostedZoneRequest");
  const wire = WireZone.safeParse(xml.content);
  if (!wire.success)
    return invalidInput(wire.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`).join("; "));
  if (wire.data.HostedZoneConfig?.PrivateZone === "true") return invalidInput("private zones need a VPC, and there is none here");
  const parsed = parseName(wire.data.Name);
  if (parsed.kind === "invalid") return fail("InvalidDomainName", `${wire.data.Name} is not a valid domain name`);
  const comment = wire.data.HostedZoneConfig?.Comment;
  const outcome = store.createZone({
    name: parsed.name,
    callerReference: wire.data.CallerReference,
    ...(comment ? { comment } : {}),
  });
  if (outcome.kind === "reference-used")
    return fail("HostedZoneAlreadyExists", `A hosted zone has already been created with the specified caller reference.`);
  if (outcome.kind === "too-many")
    return fail("TooManyHostedZones", "This operation can't be completed because the account has too many hosted zones.");
  return created(
    ["CreateHostedZoneResponse", [writeZone(outcome.zone), writeChange(outcome.change, true), writeDelegationSet(store)]],
    `${endpoint}/2013-04-01/hostedzone/${outcome.zone.head.id}`,
  );
};

export const getHostedZone: Operation = ({ store, id }) => {
  const zone = store.zone(id);
  return zone ? reply(["GetHostedZoneResponse", [writeZone(zone), writeDelegationSet(store)]]) : noSuchHostedZone(id);
};

export const deleteHostedZone: Operation = ({ store, id }) => {
  const outcome = store.deleteZone(id);
  switch (outcome.kind) {
    case "deleted":
      return reply(["DeleteHostedZoneResponse", [writeChange(outcome.change, true)]]);
    case "no-such-zone":
      return noSuchHostedZone(id);
    case "not-empty":
      return fail(
        "HostedZoneNotEmpty",
        "The specified hosted zone contains non-required resource record sets and so cannot be deleted.",
      );
  }
};

export const getHostedZoneCount: Operation = ({ store }) =>
  reply(["GetHostedZoneCountResponse", [["HostedZoneCount", String(store.zones().length)]]]);

export const listHostedZones: Operation = ({ store, query }) => {
  const maxItems = readMaxItems(query, LIST_PAGE_MAX);
  if (maxItems === undefined) return invalidInput("MaxItems is not a positive number");
  const zones = [...store.zones()].sort((a, b) => (a.head.id < b.head.id ? -1 : 1));
  const marker = query.get("marker") ?? "";
  const rest = zones.filter((zone) => zone.head.id >= marker);
  const next = rest[maxItems];
  return reply([
    "ListHostedZonesResponse",
    [
      ["HostedZones", rest.slice(0, maxItems).map(writeZone)],
      optionalNode("Marker", query.get("marker") ?? undefined),
      ["IsTruncated", String(next !== undefined)],
      optionalNode("NextMarker", next?.head.id),
      ["MaxItems", String(maxItems)],
    ],
  ]);
};

const nameKey = (zone: Zone): string => `${sortKeyOf(zone.head.name)}\0\0${zone.head.id}`;

export const listHostedZonesByName: Operation = ({ store, query }) => {
  const maxItems = readMaxItems(query, LIST_PAGE_MAX);
  if (maxItems === undefined) return invalidInput("MaxItems is not a positive number");
  const [dnsName, zoneId] = [query.get("dnsname"), query.get("hostedzoneid")];
  if (zoneId !== null && dnsName === null) return invalidInput("HostedZoneId can only be specified along with DNSName");
  const parsed = dnsName === null ? undefined : parseName(dnsName);
  if (parsed?.kind === "invalid") return fail("InvalidDomainName", `${dnsName} is not a valid domain name`);
  const start = parsed ? `${sortKeyOf(parsed.name)}\0\0${zoneId ?? ""}` : "";
  const zones = [...store.zones()].sort((a, b) => (nameKey(a) < nameKey(b) ? -1 : 1)).filter((zone) => nameKey(zone) >= start);
  const next = zones[maxItems];
  return reply([
    "ListHostedZonesByNameResponse",
    [
      ["HostedZones", zones.slice(0, maxItems).map(writeZone)],
      optionalNode("DNSName", dnsName ?? undefined),
      optionalNode("HostedZoneId", zoneId ?? undefined),
      ["IsTruncated", String(next !== undefined)],
      optionalNode("NextDNSName", next?.head.name),
      optionalNode("NextHostedZoneId", next?.head.id),
      ["MaxItems", String(maxItems)],
    ],
  ]);
};
