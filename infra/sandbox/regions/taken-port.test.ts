/** A region's database whose port is somebody else's for a moment starts when it is free again; for good, it says so. */
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { createPostgresCluster, type PostgresCluster } from "./postgres-cluster.ts";

let taker: Server | null = null;
let cluster: PostgresCluster | null = null;
let folder = "";
afterEach(async () => {
  taker?.close();
  await cluster?.stop("immediate");
  await rm(folder, { recursive: true, force: true });
});

const make = async (): Promise<PostgresCluster> => {
  folder = await mkdtemp(join(tmpdir(), "sandbox-port-"));
  cluster = await createPostgresCluster({ dataDir: folder, port: 0, ownerPassword: "owner-owner-owner", startsAnew: true });
  const { port } = cluster;
  taker = await new Promise<Server>((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(port, "127.0.0.1", () => resolve(server));
  });
  return cluster;
};

test("for a moment", async () => {
  const own = await make();
  setTimeout(() => taker?.close(), 400);
  await own.start();
  expect(own.pid()).toBeGreaterThan(0);
}, 30_000);

test("for good", async () => {
  const own = await make();
  await expect(own.start()).rejects.toThrow(/Postgres did not start: .*(in use|any TCP\/IP sockets)/s);
}, 30_000);
