import { Observation } from "@regent/contract";
import { describe, expect, it } from "vitest";
import { runProbe, withinContract } from "./probe.ts";
import type { ProbeDeps } from "./probe-deps.ts";
import { serveTcp } from "./testing/servers.ts";

const deps: ProbeDeps = { dial: { allowLoopback: true, allowPrivate: true, connectTo: {} }, secrets: new Map(), ca: [] };

describe("runProbe", () => {
  it("gives an observation that the contract takes, whatever a target says", async () => {
    const code = "X".repeat(5_000);
    const fields = Buffer.from(`SFATAL\0C${code}\0M${"y".repeat(5_000)}\0\0`);
    const head = Buffer.from([0x45, 0, 0, 0, 0]);
    head.writeInt32BE(fields.length + 4, 1);
    const server = await serveTcp((socket) => socket.once("data", () => socket.write(Buffer.concat([head, fields]))));
    const probe = {
      kind: "postgres",
      address: server.address,
      tls: "off",
      database: "postgres",
      role: "any",
      onSlow: "degrade",
    } as const;
    const result = await runProbe(probe, deps, 1_000);
    await server.close();
    expect(result.facts?.code).toHaveLength(200);
    expect(Observation.safeParse({ target: "shop/eu/db", ageMs: 1, ...result }).error).toBeUndefined();
  });

  it("bounds times and facts", () => {
    const result = withinContract({
      outcome: "ok",
      latencyMs: 700_000,
      phases: { connect: 650_000 },
      facts: { lag: Number.POSITIVE_INFINITY, role: "r".repeat(300), isOld: true, none: null },
    });
    expect(result).toMatchObject({
      latencyMs: 600_000,
      phases: { connect: 600_000 },
      facts: { lag: null, isOld: true, none: null },
    });
    expect(result.facts?.role).toHaveLength(200);
  });
});
