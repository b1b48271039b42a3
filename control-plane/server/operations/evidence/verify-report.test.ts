/** Every door that a report has to pass, one refusal each. */
import { generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { type AgentDeclaration, REPORT_BYTES_MAX } from "@regent/contract";
import { describe, expect, test } from "vitest";
import { createAgentKeys, toKeyId } from "../configuration/agent-keys.ts";
import { type SignedRequest, verifyReport } from "./verify-report.ts";

const NOW = 1_795_000_000_000;
const pair = () => {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  return { privateKey, raw: publicKey.export({ format: "der", type: "spki" }).subarray(-32).toString("base64") };
};
const old = pair();
const next = pair();
const agent: AgentDeclaration = {
  id: "a1",
  region: "eu-west",
  network: "net-a",
  runtime: "node",
  publicKeys: [old.raw, next.raw],
  canaries: [],
};
const keys = createAgentKeys([agent]);

const body = (more: object = {}) => ({
  v: 1,
  aud: "test/v1/reports",
  agent: "a1",
  region: "eu-west",
  network: "net-a",
  boot: 1,
  sequence: 7,
  sentAt: NOW,
  build: "b",
  runtime: "node",
  configurationVersion: 0,
  self: { healthy: true, mode: "normal", overruns: 0, spooled: 0, dropped: 0 },
  observations: [],
  unchanged: [],
  backfill: [],
  ...more,
});

const request = (
  content: unknown = body(),
  { id = "a1.1.7", at = NOW, key = old.privateKey as KeyObject, keyId = toKeyId(old.raw) } = {},
): SignedRequest => {
  const bytes = Buffer.from(typeof content === "string" ? content : JSON.stringify(content));
  const timestamp = String(Math.floor(at / 1000));
  const signature = sign(null, Buffer.concat([Buffer.from(`${id}.${timestamp}.`), bytes]), key).toString("base64");
  return { id, timestamp, signature: `v1a,${signature}`, keyId, body: bytes };
};

const kind = (made: SignedRequest) => verifyReport(made, { keys, aud: "test/v1/reports", now: NOW }).kind;

describe("verifyReport", () => {
  test("takes what a declared agent signed, with either of its two keys", () => {
    expect(kind(request())).toBe("verified");
    expect(kind(request(body(), { key: next.privateKey, keyId: toKeyId(next.raw) }))).toBe("verified");
  });

  test.each<[string, SignedRequest, string]>([
    ["another key", request(body(), { key: pair().privateKey }), "unknown-signer"],
    ["an unknown agent", request(body(), { id: "a2.1.7" }), "unknown-signer"],
    ["an unknown key id", request(body(), { keyId: "0000000000000000" }), "unknown-signer"],
    [
      "a body changed after signing",
      { ...request(), body: Buffer.from(JSON.stringify(body({ sequence: 8 }))) },
      "unknown-signer",
    ],
    ["no signature", { ...request(), signature: undefined }, "unknown-signer"],
    ["another framing", { ...request(), signature: request().signature?.replace("v1a,", "v1,") }, "unknown-signer"],
    ["a timestamp that isn't the signed one", { ...request(), timestamp: String(Math.floor(NOW / 1000) + 1) }, "unknown-signer"],
    ["a clock six minutes back", request(body(), { at: NOW - 360_000 }), "clock-skew"],
    ["a clock six minutes ahead", request(body(), { at: NOW + 360_000 }), "clock-skew"],
    ["something that isn't JSON", request("nothing"), "invalid-request"],
    ["an unknown field", request(body({ extra: 1 })), "invalid-request"],
    [
      "a failure that only the agent can have",
      request(body({ observations: [{ target: "s/r/c", ageMs: 0, outcome: "fail", reason: "db_auth", latencyMs: 0 }] })),
      "invalid-request",
    ],
    ["a boot of the far future", request(body({ boot: NOW * 2 }), { id: `a1.${NOW * 2}.7` }), "invalid-request"],
    ["another sequence than signed", request(body({ sequence: 8 })), "wrong-place"],
    ["another agent than signed", request(body({ agent: "a2" })), "wrong-place"],
    ["another region than declared", request(body({ region: "us-east" })), "wrong-place"],
    ["another network than declared", request(body({ network: "net-b" })), "wrong-place"],
    ["another control plane", request(body({ aud: "other/v1/reports" })), "wrong-place"],
    ["too many bytes", request("x".repeat(REPORT_BYTES_MAX + 1)), "too-large"],
  ])("refuses %s", (_, made, expected) => {
    expect(kind(made)).toBe(expected);
  });
});
