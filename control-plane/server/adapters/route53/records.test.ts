import type { ResourceRecordSet } from "@aws-sdk/client-route-53";
import { describe, expect, test } from "vitest";
import { toChanges, toPage, toRecordSet, toResourceRecordSet } from "./records.ts";

const listed: readonly ResourceRecordSet[] = [
  {
    Name: "www.example.com.",
    Type: "A",
    SetIdentifier: "a",
    Weight: 0,
    TTL: 30,
    ResourceRecords: [{ Value: "192.0.2.1" }],
    HealthCheckId: "hc",
  },
  { Name: "\\052.example.com.", Type: "TXT", TTL: 0, ResourceRecords: [{ Value: '"a b"' }, { Value: '"c"' }] },
  {
    Name: "lb.example.com.",
    Type: "AAAA",
    SetIdentifier: "geo",
    GeoLocation: { CountryCode: "*" },
    AliasTarget: { HostedZoneId: "Z2", DNSName: "DualStack.lb-1.example.net.", EvaluateTargetHealth: false },
  },
  {
    Name: "m.example.com.",
    Type: "A",
    SetIdentifier: "m",
    MultiValueAnswer: true,
    TTL: 60,
    ResourceRecords: [{ Value: "192.0.2.9" }],
  },
  { Name: "t.example.com.", Type: "A", TTL: 60, ResourceRecords: [{ Value: "192.0.2.9" }], TrafficPolicyInstanceId: "tp-1" },
  {
    Name: "p.example.com.",
    Type: "A",
    SetIdentifier: "near",
    GeoProximityLocation: { Coordinates: { Latitude: "49.22", Longitude: "-74.01" }, Bias: 0 },
    TTL: 60,
    ResourceRecords: [{ Value: "192.0.2.9" }],
  },
  {
    Name: "c.example.com.",
    Type: "A",
    SetIdentifier: "c",
    CidrRoutingConfig: { CollectionId: "x", LocationName: "*" },
    TTL: 1,
    ResourceRecords: [{ Value: "192.0.2.9" }],
  },
];

describe("record sets between the SDK's shape and ours", () => {
  test("whatever is listed goes into a DELETE exactly as it was listed", () => {
    for (const wire of listed) expect(toResourceRecordSet(toRecordSet(wire)!)).toEqual(wire);
  });

  test("fields that the SDK leaves undefined are not there", () => {
    const wire = {
      ...listed[2]!,
      Weight: undefined,
      TTL: undefined,
      ResourceRecords: undefined,
      GeoLocation: { CountryCode: "*", ContinentCode: undefined },
    };
    expect(JSON.parse(JSON.stringify(toRecordSet(wire)))).toEqual(toRecordSet(wire));
    expect(Object.keys(toRecordSet(wire)!)).toEqual(["name", "type", "setIdentifier", "alias", "other"]);
    expect(Object.keys(toRecordSet(wire)!.other!.GeoLocation as object)).toEqual(["CountryCode"]);
  });

  test("what Regent manages has its own fields, the rest is in other", () => {
    expect(toRecordSet(listed[0]!)).toEqual({
      name: "www.example.com",
      type: "A",
      setIdentifier: "a",
      weight: 0,
      ttl: 30,
      values: ["192.0.2.1"],
      healthCheckId: "hc",
    });
    expect(toRecordSet(listed[3]!)?.other).toEqual({ MultiValueAnswer: true });
  });

  test.for([
    { Name: undefined, Type: "A" },
    { Name: "a." },
    { Name: "a.", Type: "A", Weight: 256 },
    { Name: "a.", Type: "A", TTL: -1 },
  ])("%j makes no sense", (wire) => expect(toRecordSet(wire as ResourceRecordSet)).toBeNull());

  test("a batch is its deletes, then its creates, each in order", () => {
    const [a, b] = listed.map((wire) => toRecordSet(wire)!);
    const changes = toChanges({ deletes: [b!, a!], creates: [a!, b!] });
    expect(changes.map(({ Action, ResourceRecordSet }) => [Action, ResourceRecordSet?.Name])).toEqual([
      ["DELETE", "\\052.example.com."],
      ["DELETE", "www.example.com."],
      ["CREATE", "www.example.com."],
      ["CREATE", "\\052.example.com."],
    ]);
  });
});

describe("pages", () => {
  const sets = [...listed];

  test("the last page has no next place", () => {
    expect(toPage({ ResourceRecordSets: sets, IsTruncated: false })).toMatchObject({ kind: "page", next: null });
  });

  test("a page that goes on says where, in our spelling", () => {
    const page = toPage({
      ResourceRecordSets: sets,
      IsTruncated: true,
      NextRecordName: "\\052.x.com.",
      NextRecordType: "A",
      NextRecordIdentifier: "a",
    });
    expect(page).toMatchObject({ next: { name: "*.x.com", type: "A", setIdentifier: "a" } });
  });

  test.for([
    {},
    { ResourceRecordSets: sets },
    { ResourceRecordSets: sets, IsTruncated: true },
    { ResourceRecordSets: [], IsTruncated: true, NextRecordName: "x." },
    { ResourceRecordSets: [{ Type: "A" }], IsTruncated: false },
  ])("nonsense %# is a failure", (answer) => expect(toPage(answer as Parameters<typeof toPage>[0]).kind).toBe("failed"));
});
