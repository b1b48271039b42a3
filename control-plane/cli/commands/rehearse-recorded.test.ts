/** rehearse --from-history over HTTP, from what a virtual night left in a database: what is printed can be rehearsed, and comes out as it was. */
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { MemoryDatabase } from "@regent/server/adapters/memory/database.ts";
import { testDoors } from "@regent/server/http/testing/doors.ts";
import { runRehearsal } from "@regent/simulation/rehearsal/run-rehearsal.ts";
import { read, readShipped } from "@regent/simulation/testing/rehearse.ts";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runTyped } from "../testing/typed.ts";

const INCIDENT = "01JD8Z0000000000000000000B";

let database: MemoryDatabase;
let server: Server;
let folder: string;
let token: string;
let change: { readonly id: string; readonly at: number };

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "recorded-"));
  const found = await read(readShipped("region-dead.yaml"));
  if (found.kind === "invalid") throw new Error(found.lines.join("\n"));
  await runRehearsal(found.rehearsal, (world) => {
    database = world.server.database;
  });
  const { events } = await database.decisions.readHistory({ limit: 500 });
  const failover = events.find((event) => event.change?.kind === "failover")?.change;
  if (failover === undefined) throw new Error("no failover");
  change = { id: failover.id, at: failover.times.decided };
  const incident = {
    id: INCIDENT,
    cause: "region:eu-west",
    state: "closed" as const,
    severity: "critical" as const,
    title: "eu-west is unhealthy",
    openedAt: change.at,
    updatedAt: change.at + 60_000,
    closedAt: change.at + 120_000,
    acknowledged: null,
    hit: 1,
    parts: [],
    unwell: 0,
    lines: [],
    escalations: 0,
  };
  const doors = testDoors({
    change: (id) => database.decisions.readChange(id),
    history: async (query) => {
      const page = await database.decisions.readHistory(query);
      return { events: [...page.events], next: page.next };
    },
    incidents: async () => ({ incidents: [incident], next: null }),
    // The virtual world applies no text: what it runs with is the shop's.
    recording: async (query) => ({
      ...(await database.recordings.read({ ...query, limit: 1_000 })),
      configuration: { version: 1, at: 1, text: readShipped("shop.yaml") },
    }),
  });
  token = await doors.tokenOf("viewer");
  server = createServer(async (request, response) => {
    const { status, text, headers } = await doors.ask(request.method ?? "", request.url ?? "", { token });
    response.writeHead(status, { "content-type": headers.get("content-type") ?? "" }).end(text);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
});
afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await rm(folder, { recursive: true, force: true });
});

const regent = (...args: readonly string[]) =>
  runTyped(args, {
    REGENT_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    REGENT_TOKEN: token,
    REGENT_HOME: folder,
  });

test.each(["incident", "change"])("an %s becomes a file that comes out as it was", async (what) => {
  const file = join(folder, `${what}.yaml`);
  const id = what === "incident" ? INCIDENT : change.id.padStart(26, "0");
  expect(await regent("rehearse", "--from-history", id, "--out", file)).toMatchObject({ code: 0, err: "" });
  expect(await readFile(file, "utf8")).toContain("What wasn't recorded");
  expect(await regent("test", file)).toMatchObject({ code: 0, err: "" });
  const again = await regent("rehearse", "--from-history", id, "--out", file);
  expect(again).toMatchObject({ code: 1, err: expect.stringContaining("EEXIST") });
});

test("without --out it is printed, also as JSON", async () => {
  const { out, code } = await regent("rehearse", "--from-history", INCIDENT);
  expect(code).toBe(0);
  expect(out).toMatch(
    /^# Recorded: 01JD8Z0000000000000000000B, [\s\S]*\nrehearsal: 1\nname: "eu-west is unhealthy, as it was recorded"\n/,
  );
  const json = JSON.parse((await regent("rehearse", "--from-history", INCIDENT, "--json")).out) as { rehearsal: string };
  expect(json.rehearsal.trimEnd()).toBe(out.trimEnd());
});

test("what doesn't exist isn't found, and files don't go with it", async () => {
  expect(await regent("rehearse", "--from-history", "01JD8Z0000000000000000000Z")).toMatchObject({
    code: 4,
    err: expect.stringContaining("There is no incident and no change"),
  });
  expect(await regent("rehearse", "--from-history", INCIDENT, "night.yaml")).toMatchObject({ code: 2 });
});
