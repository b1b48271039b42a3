/** The embedded database: kept over restarts, taken over from a killed server, never shared by two. */
import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import postgres from "postgres";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type EmbeddedPostgres, startEmbeddedPostgres } from "./embedded-postgres.ts";
import { isAlive } from "./postmaster.ts";

let home = "";
let dataDir = "";
const started: EmbeddedPostgres[] = [];
const lines: string[] = [];

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), "regent-embedded-"));
  dataDir = join(home, "postgres");
});

afterAll(async () => {
  for (const each of started) await each.stop();
  await rm(home, { recursive: true, force: true });
});

const start = async (options: { onCrash?: () => void } = {}): Promise<EmbeddedPostgres> => {
  const embedded = await startEmbeddedPostgres({ dataDir, log: (line) => lines.push(line), ...options });
  started.push(embedded);
  return embedded;
};

/** A server in a process of its own; answers what it started once that is usable. */
const startElsewhere = (): Promise<{ readonly serverPid: number; readonly pid: number; readonly url: string }> => {
  const script = `
    const { startEmbeddedPostgres } = await import(${JSON.stringify(new URL("./embedded-postgres.ts", import.meta.url).href)});
    const { url, pid } = await startEmbeddedPostgres({ dataDir: ${JSON.stringify(dataDir)}, log: () => {} });
    console.log(JSON.stringify({ url, pid }));
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", script], { stdio: ["ignore", "pipe", "inherit"] });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", () => reject(new Error("the other server ended")));
    child.stdout.once("data", (text) => resolve({ serverPid: child.pid as number, ...JSON.parse(String(text)) }));
  });
};

const query = async (url: string, text: string): Promise<readonly Record<string, unknown>[]> => {
  const sql = postgres(url, { max: 1, fetch_types: false, onnotice: () => undefined });
  try {
    return [...(await sql.unsafe(text))];
  } finally {
    await sql.end({ timeout: 1 });
  }
};

test("a killed server's database is taken over with all that was committed, and a running one is never shared", async () => {
  const other = await startElsewhere();
  await query(other.url, "create table kept (n integer); insert into kept values (1), (2)");
  await expect(start()).rejects.toThrow("Another Regent server is using");

  process.kill(other.serverPid, "SIGKILL");
  await expect.poll(() => isAlive(other.serverPid)).toBe(false);
  expect(isAlive(other.pid)).toBe(true);

  const embedded = await start();
  expect(embedded).toMatchObject({ pid: other.pid, isTakenOver: true, url: other.url });
  expect(await query(embedded.url, "select n from kept order by n")).toEqual([{ n: 1 }, { n: 2 }]);
  await embedded.stop();
  expect(isAlive(embedded.pid)).toBe(false);
});

test("a restart keeps data, password and port", async () => {
  const embedded = await start();
  expect(embedded.isTakenOver).toBe(false);
  expect(await query(embedded.url, "select n from kept order by n")).toEqual([{ n: 1 }, { n: 2 }]);
  await embedded.stop();
  expect((await start()).url).toBe(embedded.url);
});

test("a postmaster that dies is reported once, and the next start recovers what was committed", async () => {
  let crashes = 0;
  await started.at(-1)?.stop();
  const embedded = await start({ onCrash: () => (crashes += 1) });
  await query(embedded.url, "insert into kept values (3)");
  process.kill(embedded.pid, "SIGKILL");
  await expect.poll(() => crashes, { timeout: 5_000 }).toBe(1);
  await embedded.stop();
  const next = await start();
  expect(await query(next.url, "select count(*)::integer as n from kept")).toEqual([{ n: 3 }]);
  await next.stop();
});

test("a lock file whose process number went to another program doesn't keep it from starting", async () => {
  const lockFile = join(dataDir, "cluster", "postmaster.pid");
  await writeFile(lockFile, `${process.pid}\n${join(dataDir, "cluster")}\n1\n5432\n\n127.0.0.1\n       0         0\nready   \n`);
  const embedded = await start();
  expect(embedded.isTakenOver).toBe(false);
  expect(await query(embedded.url, "select count(*)::integer as n from kept")).toEqual([{ n: 3 }]);
  await embedded.stop();
});

test("nobody else reads its secrets, and its role can't run programs or read files of the server", async () => {
  for (const name of ["password", "owner-password", "port"]) expect((await stat(join(dataDir, name))).mode & 0o077, name).toBe(0);
  expect((await stat(dataDir)).mode & 0o077).toBe(0);
  const embedded = await start();
  await expect(query(embedded.url, "copy kept to program 'true'")).rejects.toThrow(/permission denied/);
  await expect(query(embedded.url, "select pg_read_file('postgresql.conf')")).rejects.toThrow(/permission denied/);
  await expect(query(embedded.url.replace(/:[^:@]+@/, ":wrong@"), "select 1")).rejects.toThrow(/password/);
  expect(lines.join("\n")).not.toContain((await readFile(join(dataDir, "password"), "utf8")).trim());
  expect(await query(embedded.url, "show fsync")).toEqual([{ fsync: "on" }]);
});
