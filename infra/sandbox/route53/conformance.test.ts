/** The sandbox meets every expectation that a real zone is held to. Set REGENT_LIVE_ZONE to a zone id to ask AWS as well. */
import { GetHostedZoneCommand, Route53Client } from "@aws-sdk/client-route-53";
import { afterAll, beforeAll, describe, test } from "vitest";
import type { Subject } from "./conformance.ts";
import { route53Expectations } from "./conformance.ts";
import { createRoute53 } from "./index.ts";

const credentials = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "sandbox-secret" };

describe("the sandbox", () => {
  const route53 = createRoute53({ credentials: [credentials], propagation: { minMs: 0, maxMs: 0 } });
  let subject: Subject;
  beforeAll(async () => {
    const { port } = await route53.listen(0);
    const created = route53.store.createZone({ name: "example.test.", callerReference: "conformance" });
    if (created.kind !== "created") throw new Error(created.kind);
    const client = new Route53Client({ endpoint: `http://127.0.0.1:${port}`, region: "us-east-1", credentials });
    subject = { client, zoneId: created.zone.head.id, zoneName: "example.test" };
  });
  afterAll(async () => {
    subject.client.destroy();
    await route53.close();
  });
  test.each(route53Expectations)("$title", ({ run }) => run(subject));
});

// Without a zone of its own this half isn't there at all; the README says which half has been run.
const liveZone = process.env.REGENT_LIVE_ZONE;
if (liveZone !== undefined) {
  describe("the real zone", () => {
    const client = new Route53Client({ region: "us-east-1", maxAttempts: 10 });
    let subject: Subject;
    beforeAll(async () => {
      const { HostedZone } = await client.send(new GetHostedZoneCommand({ Id: liveZone }));
      subject = { client, zoneId: liveZone, zoneName: HostedZone?.Name?.slice(0, -1) ?? "" };
    });
    afterAll(() => client.destroy());
    test.each(route53Expectations)("$title", { timeout: 120_000 }, ({ run }) => run(subject));
  });
}
