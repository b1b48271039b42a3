/**
 * The sandbox meets every expectation that a real zone is held to. With REGENT_LIVE_ZONE=<zone id> the same is asked of AWS; see
 * docs/ROUTE53.md, which this file compares with the expectations.
 */
import { writeFileSync } from "node:fs";
import { GetHostedZoneCommand, ListHostedZonesCommand, Route53Client } from "@aws-sdk/client-route-53";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { writeDocument } from "./conformance/document.ts";
import { undocumented } from "./conformance/sources.ts";
import {
  a,
  create,
  expectation,
  list,
  listed,
  newLabel,
  refusal,
  type Subject,
  send,
  sweepLabel,
} from "./conformance/subject.ts";
import { recordTranscript, type Transcript, TranscriptEntry } from "./conformance/transcript.ts";
import { route53Expectations, route53Groups } from "./conformance.ts";
import { createRoute53 } from "./index.ts";

const credentials = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "sandbox-secret" };
const ZONE_NAME = "example.test";
/** Somebody else's names, before and after ours in a listing. */
const NEIGHBOURS = [`aaa.${ZONE_NAME}`, `zzz.${ZONE_NAME}`];

const asked = route53Expectations.filter(({ sandboxOnly }) => sandboxOnly === undefined);
const kept = route53Expectations.filter(({ sandboxOnly }) => sandboxOnly !== undefined);

/** A Route 53 of its own with one zone that isn't empty. */
const startSandbox = async () => {
  const route53 = createRoute53({ credentials: [credentials], propagation: { minMs: 0, maxMs: 0 } });
  const { port } = await route53.listen(0);
  const created = route53.store.createZone({ name: `${ZONE_NAME}.`, callerReference: "conformance" });
  if (created.kind !== "created") throw new Error(created.kind);
  const newClient = (secretAccessKey = credentials.secretAccessKey) =>
    new Route53Client({
      endpoint: `http://127.0.0.1:${port}`,
      region: "us-east-1",
      credentials: { ...credentials, secretAccessKey },
      maxAttempts: 1,
    });
  const check = route53.store.createHealthCheck("conformance", {
    type: "TCP",
    ipAddress: "192.0.2.1",
    port: 443,
    requestInterval: 30,
    failureThreshold: 3,
    measureLatency: false,
    inverted: false,
    disabled: false,
    enableSni: false,
  });
  if ("kind" in check) throw new Error(check.kind);
  const client = newClient();
  const zoneId = created.zone.head.id;
  await send({ client, zoneId }, ...NEIGHBOURS.map((name) => create(a(name, "192.0.2.9"))));
  const newSubject = (): Subject => ({
    client: newClient(),
    zoneId,
    zoneName: ZONE_NAME,
    label: newLabel(),
    healthCheckId: check.id,
    provoke: (kind, count) => route53.faults.set({ kind, count }),
  });
  return { route53, client, zoneId, newClient, newSubject };
};

describe("the sandbox", () => {
  let sandbox: Awaited<ReturnType<typeof startSandbox>>;
  let subject: Subject;
  let transcript: Transcript;
  beforeAll(async () => {
    sandbox = await startSandbox();
    subject = sandbox.newSubject();
    transcript = recordTranscript(subject.client, subject);
  });
  afterAll(async () => {
    await sandbox.route53.close();
  });

  describe.each(route53Groups)("$title", ({ expectations }) => {
    test.each(expectations)("$title", async ({ title, sandboxOnly, run }) => {
      if (sandboxOnly === undefined) transcript.serve(title);
      await run(sandboxOnly === undefined ? subject : sandbox.newSubject());
    });
  });

  describe("the transcript of it", () => {
    test("has a well-formed entry for every expectation", () => {
      for (const entry of transcript.entries) TranscriptEntry.parse(entry);
      expect(new Set(transcript.entries.map((entry) => entry.expectation))).toEqual(new Set(asked.map(({ title }) => title)));
      expect(transcript.entries.some(({ answer }) => "accepted" in answer)).toBe(true);
      expect(transcript.entries.some(({ answer }) => "refused" in answer && answer.refused.message !== undefined)).toBe(true);
    });

    test("names nothing outside the random label", () => {
      const text = JSON.stringify(transcript.entries);
      const names = [...text.matchAll(/[\w.*\\-]+\.example\.test/gi)].map(([name]) => name.toLowerCase());
      expect(names.length).toBeGreaterThan(200);
      expect(names.filter((name) => !name.endsWith(`.${subject.label}.${ZONE_NAME}`))).toEqual([]);
      const seen = transcript.entries.some(
        ({ answer }) => "accepted" in answer && Number(answer.accepted.recordSetsOutsideTheLabel) > 0,
      );
      expect(seen, "the neighbours were listed, and left out").toBe(true);
    });

    test("holds no secret and no header", () => {
      const text = JSON.stringify(transcript.entries);
      expect(text).not.toMatch(/AKID|sandbox-secret|authorization|signature|x-amz-|credential/i);
    });
  });

  test("leaves the zone as it was", async () => {
    const { ResourceRecordSets = [] } = await list(sandbox, {});
    expect(ResourceRecordSets.map(({ Name, Type }) => [Name, Type])).toEqual([
      [`${ZONE_NAME}.`, "NS"],
      [`${ZONE_NAME}.`, "SOA"],
      ...NEIGHBOURS.map((name) => [`${name}.`, "A"]),
    ]);
  });

  test("an expectation that fails leaves nothing either", async () => {
    const own = sandbox.newSubject();
    const failing = expectation({ title: "fails", why: "", source: undocumented("") }, async (place) => {
      await send(place, create(a(place.name, "192.0.2.1")), create(a(`b.${place.name}`, "192.0.2.1")));
      throw new Error("the reason");
    });
    await expect(failing.run(own)).rejects.toThrow("the reason");
    expect(await listed({ ...own, name: `${own.label}.${ZONE_NAME}` })).toEqual([]);
  });

  test("what a failed clean-up left goes with the last sweep of the label", async () => {
    const own = sandbox.newSubject();
    const failing = expectation({ title: "fails", why: "", source: undocumented("") }, async (place) => {
      await send(place, ...Array.from({ length: 700 }, (_, index) => create(a(`n${index}.${place.name}`, "192.0.2.1"))));
      place.provoke?.("throttle", 1);
      throw new Error("the reason");
    });
    await expect(failing.run(own)).rejects.toThrow("the reason");
    const below = { ...own, name: `${own.label}.${ZONE_NAME}` };
    expect(await listed(below)).toHaveLength(700);
    await sweepLabel(own);
    expect(await listed(below)).toEqual([]);
  });

  test("a change outside the label, and any call that isn't the suite's, is not sent", async () => {
    const own = sandbox.newSubject();
    const recorded = recordTranscript(own.client, own);
    for (const name of [`www.${ZONE_NAME}`, ZONE_NAME, `x${own.label}.${ZONE_NAME}`, `${own.label}.elsewhere.test`])
      expect((await refusal(send(own, create(a(name, "192.0.2.1"))))).message).toMatch(/^not sent/);
    expect((await refusal(own.client.send(new ListHostedZonesCommand({})))).message).toMatch(/^not sent/);
    expect(recorded.entries).toEqual([]);
  });

  test("a refusal that may quote a signed request is told by its code alone", async () => {
    const own = { ...sandbox.newSubject(), client: sandbox.newClient("another-secret") };
    const recorded = recordTranscript(own.client, own);
    await refusal(list(own, {}));
    expect(recorded.entries[0]?.answer).toEqual({ refused: { code: "SignatureDoesNotMatch", status: 403 } });
  });
});

describe("the expectations", () => {
  test("each says why Regent needs it and where AWS documents it, or that it doesn't", () => {
    for (const { title, why, source } of route53Expectations) {
      expect(why.length, title).toBeGreaterThan(5);
      if (source.kind === "undocumented") expect(source.seen.length, title).toBeGreaterThan(10);
      else {
        expect(source.url, title).toMatch(
          /^https:\/\/docs\.aws\.amazon\.com\/Route53\/latest\/(APIReference|DeveloperGuide)\/[\w-]+\.html$/,
        );
        expect(source.where, title).toMatch(/^(API Reference|Developer Guide), .+, .+/);
        expect(source.says.length, title).toBeGreaterThan(10);
      }
    }
  });

  test("no two have one title", () => {
    expect(new Set(route53Expectations.map(({ title }) => title)).size).toBe(route53Expectations.length);
  });

  test("docs/ROUTE53.md is what they say", async () => {
    await expect(writeDocument(route53Groups)).toMatchFileSnapshot("../../../docs/ROUTE53.md");
  });
});

// Without a zone of its own this half isn't there at all; docs/ROUTE53.md says whether it has ever been run.
const liveZone = process.env.REGENT_LIVE_ZONE;
if (liveZone !== undefined) {
  if (!/^Z[A-Z0-9]{1,31}$/.test(liveZone)) throw new Error("REGENT_LIVE_ZONE is a zone id, such as Z0123456789ABCDEFGHIJ");
  const healthCheckId = process.env.REGENT_LIVE_HEALTH_CHECK;
  const label = newLabel();
  // Throttling is waited out: an account may be in use.
  const client = new Route53Client({ region: "us-east-1", maxAttempts: 10 });

  describe(`the real zone, below ${label}`, { timeout: 240_000 }, () => {
    let subject: Subject;
    let transcript: Transcript;
    beforeAll(async () => {
      const { HostedZone } = await client.send(new GetHostedZoneCommand({ Id: liveZone }));
      const zoneName = HostedZone?.Name?.replace(/\.$/, "") ?? "";
      subject = { client, zoneId: liveZone, zoneName, label, ...(healthCheckId === undefined ? {} : { healthCheckId }) };
      transcript = recordTranscript(client, subject);
      process.stdout.write(`everything is written below ${label}.${zoneName}\n`);
    });
    afterAll(async () => {
      try {
        transcript.serve("clean-up");
        await sweepLabel(subject);
      } finally {
        client.destroy();
        const lines = transcript.entries.map((entry) => `${JSON.stringify(entry)}\n`).join("");
        const file = process.env.REGENT_LIVE_TRANSCRIPT;
        if (file === undefined) process.stdout.write(lines);
        else writeFileSync(file, lines);
      }
    }, 240_000);

    test.for(asked)("$title", async ({ title, needsHealthCheck, run }, { skip }) => {
      if (needsHealthCheck && healthCheckId === undefined) return skip("REGENT_LIVE_HEALTH_CHECK names no health check");
      transcript.serve(title);
      await run(subject);
    });
    test.skip.each(kept)("$title (sandbox only: $sandboxOnly)", () => undefined);
  });
}
