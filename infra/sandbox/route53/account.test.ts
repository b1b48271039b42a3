/** What the account holds beside record sets, through the real SDK: zones that are found, and the life of health checks. Regent reads these and makes none. */
import {
  CreateHealthCheckCommand,
  DeleteHealthCheckCommand,
  GetHealthCheckCommand,
  type HealthCheck,
  type HealthCheckConfig,
  ListHealthChecksCommand,
  ListHostedZonesByNameCommand,
  ListHostedZonesCommand,
  Route53Client,
  UpdateHealthCheckCommand,
} from "@aws-sdk/client-route-53";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { refusal } from "./conformance/subject.ts";
import { createRoute53 } from "./index.ts";

const credentials = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "sandbox-secret" };
const tcp: HealthCheckConfig = { Type: "TCP", IPAddress: "192.0.2.1", Port: 443, RequestInterval: 30, FailureThreshold: 3 };

const route53 = createRoute53({ credentials: [credentials] });
let client: Route53Client;
let zoneId: string;
let made = 0;
beforeAll(async () => {
  const { port } = await route53.listen(0);
  const created = route53.store.createZone({ name: "example.test.", callerReference: "account" });
  if (created.kind !== "created") throw new Error(created.kind);
  zoneId = created.zone.head.id;
  client = new Route53Client({ endpoint: `http://127.0.0.1:${port}`, region: "us-east-1", credentials, maxAttempts: 1 });
});
afterAll(async () => {
  client.destroy();
  await route53.close();
});

const make = async (config: HealthCheckConfig, CallerReference = `account-${++made}`): Promise<HealthCheck> => {
  const answer = await client.send(new CreateHealthCheckCommand({ CallerReference, HealthCheckConfig: config }));
  return answer.HealthCheck!;
};
const errorOf = async (call: Promise<unknown>): Promise<string> => (await refusal(call)).name;

test("a zone is in the list, and found by its name", async () => {
  const id = `/hostedzone/${zoneId}`;
  const { HostedZones } = await client.send(new ListHostedZonesCommand({}));
  expect(HostedZones?.map((zone) => zone.Id)).toEqual([id]);
  const byName = await client.send(new ListHostedZonesByNameCommand({ DNSName: "example.test", MaxItems: 1 }));
  expect(byName.HostedZones?.map((zone) => [zone.Id, zone.Name])).toEqual([[id, "example.test."]]);
});

describe("a health check", () => {
  test("is made with version 1, listed, updated to version 2, and gone once deleted", async () => {
    const check = await make(tcp);
    expect(check).toMatchObject({ HealthCheckVersion: 1, HealthCheckConfig: { Inverted: false, IPAddress: "192.0.2.1" } });
    const { HealthChecks = [] } = await client.send(new ListHealthChecksCommand({}));
    expect(HealthChecks.map(({ Id }) => Id)).toContain(check.Id);
    const { HealthCheck: next } = await client.send(
      new UpdateHealthCheckCommand({ HealthCheckId: check.Id, Inverted: true, HealthCheckVersion: 1 }),
    );
    expect(next).toMatchObject({ HealthCheckVersion: 2, HealthCheckConfig: { Inverted: true, IPAddress: "192.0.2.1" } });
    await client.send(new DeleteHealthCheckCommand({ HealthCheckId: check.Id }));
    expect(await errorOf(client.send(new GetHealthCheckCommand({ HealthCheckId: check.Id })))).toBe("NoSuchHealthCheck");
  });

  test("with the same reference and settings is the same one, with other settings HealthCheckAlreadyExists", async () => {
    const first = await make(tcp, "same");
    expect((await make(tcp, "same")).Id).toBe(first.Id);
    expect(await errorOf(make({ ...tcp, Port: 444 }, "same"))).toBe("HealthCheckAlreadyExists");
  });

  test("isn't updated for another version", async () => {
    const { Id } = await make(tcp);
    const update = new UpdateHealthCheckCommand({ HealthCheckId: Id, Disabled: true, HealthCheckVersion: 7 });
    expect(await errorOf(client.send(update))).toBe("HealthCheckVersionMismatch");
  });

  test("has an interval of 10 or 30 s", async () => {
    expect(await errorOf(make({ ...tcp, RequestInterval: 20 }))).toBe("InvalidInput");
  });

  test("that is calculated keeps its children from being deleted", async () => {
    const { Id } = await make(tcp);
    const parent = await make({ Type: "CALCULATED", HealthThreshold: 1, ChildHealthChecks: [Id!] });
    expect(parent.HealthCheckConfig?.ChildHealthChecks).toEqual([Id]);
    // AWS's reference calls this code disused and names no other.
    expect(await errorOf(client.send(new DeleteHealthCheckCommand({ HealthCheckId: Id })))).toBe("HealthCheckInUse");
  });
});
