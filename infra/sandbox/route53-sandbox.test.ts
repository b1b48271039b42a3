/** All of it together: a batch through the real SDK, seen server by server in DNS; restarts; a check that moves answers. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Route53Client } from "@aws-sdk/client-route-53";
import { afterEach, describe, expect, test } from "vitest";
import { testAsk } from "./dns/test-client.ts";
import { create, send, txt } from "./route53/conformance/subject.ts";
import { type Route53Sandbox, type Route53SandboxOptions, startRoute53Sandbox } from "./route53-sandbox.ts";

const credentials = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "sandbox-secret" };
const running: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of running.splice(0).reverse()) await end();
});

const start = async (options: Partial<Route53SandboxOptions> = {}): Promise<Route53Sandbox> => {
  const sandbox = await startRoute53Sandbox({ credentials: [credentials], zones: ["example.test"], ...options });
  running.push(() => sandbox.close());
  return sandbox;
};
const write = async (sandbox: Route53Sandbox, name: string): Promise<void> => {
  const client = new Route53Client({ endpoint: sandbox.endpoint, region: "us-east-1", credentials });
  await send({ client, zoneId: sandbox.zoneIds["example.test"]!, zoneName: "example.test" }, create(txt(name, '"regent1 r=1"')));
  client.destroy();
};
const portOf = (address: string): number => Number(address.split(":")[1]);
const seenBy = (sandbox: Route53Sandbox, name: string): Promise<string[]> =>
  Promise.all(sandbox.nameServers.map(async (address) => (await testAsk(portOf(address), { name, type: "TXT" })).rcode));

describe("the sandbox of Route 53", () => {
  test("shows a change at each name server in its own time, and to a resolver after that", async () => {
    let clock = Date.now();
    const sandbox = await start({ propagation: { perServerMs: [0, 100, 200, 300] }, now: () => clock });
    await write(sandbox, "_regent.api.example.test");
    const seen: string[] = [];
    for (const step of [0, 100, 100, 100]) {
      clock += step;
      seen.push((await seenBy(sandbox, "_regent.api.example.test")).map((rcode) => (rcode === "NOERROR" ? "+" : "-")).join(""));
    }
    expect(seen).toEqual(["+---", "++--", "+++-", "++++"]);
    expect((await testAsk(portOf(sandbox.resolver), { name: "_regent.api.example.test", type: "TXT" })).data).toEqual([
      "regent1 r=1",
    ]);
  });

  test("keeps zones, ids and records over a restart", async () => {
    const dataDir = mkdtempSync(join(tmpdir(), "route53-sandbox-"));
    running.push(() => rmSync(dataDir, { recursive: true, force: true }));
    const first = await start({ dataDir });
    await write(first, "_regent.api.example.test");
    await first.close();
    const second = await start({ dataDir, zones: ["example.test", "example.org"] });
    expect(second.zoneIds["example.test"]).toBe(first.zoneIds["example.test"]);
    expect(second.zoneIds["example.org"]).not.toBe(second.zoneIds["example.test"]);
    expect(await seenBy(second, "_regent.api.example.test")).toEqual(["NOERROR", "NOERROR", "NOERROR", "NOERROR"]);
  });

  test("goes on without a name server that died", async () => {
    const sandbox = await start({ propagation: { minMs: 0, maxMs: 0 } });
    await write(sandbox, "_regent.api.example.test");
    await sandbox.stopNameServer(0);
    await expect(testAsk(portOf(sandbox.nameServers[0]!), { name: "example.test" }, "tcp")).rejects.toThrow();
    expect((await testAsk(portOf(sandbox.resolver), { name: "_regent.api.example.test", type: "TXT" })).data).toEqual([
      "regent1 r=1",
    ]);
  });

  test("leaves nothing open when a port is taken", async () => {
    const first = await start();
    const taken = portOf(first.resolver);
    await expect(startRoute53Sandbox({ credentials: [credentials], ports: { resolver: taken } })).rejects.toThrow(/EADDRINUSE/);
  });
});
