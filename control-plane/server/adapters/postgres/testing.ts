/**
 * Real Postgres for tests: one throwaway cluster per process, one fresh migrated database per call. The cluster and its folder go with the
 * process, even when that is killed. With REGENT_TEST_POSTGRES, the URL of a superuser on a server that may be littered, that server is
 * used instead: so the suites run on every version that we support.
 */
import { spawn } from "node:child_process";
import { mkdtemp, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import postgres from "postgres";
import { giveTo, placeOf } from "../embedded-postgres/account.ts";
import { CLUSTER_ENVIRONMENT, type Cluster, choosePort, OWNER_ROLE, prepareCluster } from "../embedded-postgres/cluster.ts";
import { readLockFile, toCommand } from "../embedded-postgres/postmaster.ts";
import { connect } from "./database.ts";
import { migrate } from "./migrate.ts";

export interface TestDatabase {
  readonly url: string;
  readonly name: string;
  /** Optional: the cluster goes with the process. */
  readonly drop: () => Promise<void>;
}

/** About 1 s for the first of a process, 50 ms for each further one. */
export const testDatabase = async (): Promise<TestDatabase> => {
  cluster ??= openCluster();
  const { owner, toUrl } = await cluster;
  const name = nextName();
  await owner.unsafe(`create database ${name} template ${TEMPLATE}`);
  return {
    url: toUrl(name),
    name,
    drop: async () => {
      await owner.unsafe(`drop database if exists ${name} with (force)`);
    },
  };
};

/** An empty database, for tests of migrations. */
export const testEmptyDatabase = async (): Promise<string> => {
  cluster ??= openCluster();
  const { owner, toUrl } = await cluster;
  const name = nextName();
  await owner.unsafe(`create database ${name}`);
  return toUrl(name);
};

interface ThrowawayCluster {
  readonly owner: postgres.Sql;
  readonly toUrl: (database: string) => string;
}

// Named after the process, as a server that was given may serve several.
const TEMPLATE = `regent_template_${process.pid}`;
let cluster: Promise<ThrowawayCluster> | null = null;
let databasesMade = 0;

const nextName = (): string => {
  databasesMade += 1;
  return `regent_test_${process.pid}_${databasesMade}`;
};

const SETTINGS = {
  listen_addresses: "127.0.0.1",
  unix_socket_directories: "",
  max_connections: "100",
  shared_buffers: "64MB",
  fsync: "off",
  synchronous_commit: "off",
  full_page_writes: "off",
  max_wal_senders: "0",
  wal_level: "minimal",
  autovacuum: "off",
  jit: "off",
  io_method: "sync",
  log_min_messages: "fatal",
};

const openCluster = async (): Promise<ThrowawayCluster> => {
  const given = process.env.REGENT_TEST_POSTGRES;
  const base = given === undefined ? await startThrowawayCluster() : new URL(given);
  const toUrl = (database: string): string => Object.assign(new URL(base), { pathname: `/${database}` }).href;
  const owner = postgres(toUrl("postgres"), { max: 1, fetch_types: false, onnotice: () => undefined, idle_timeout: 1 });
  await owner.unsafe(`create database ${TEMPLATE}`);
  const template = connect(toUrl(TEMPLATE), { connections: 1 });
  await migrate(template);
  await template.close();
  return { owner, toUrl };
};

const startThrowawayCluster = async (): Promise<URL> => {
  const folder = await mkdtemp(join(tmpdir(), "regent-test-"));
  const prepared = await prepareCluster(folder, true);
  // So that whoever runs Postgres may also remove it.
  await giveTo(folder, prepared.account);
  const port = await choosePort(folder, undefined);
  startTied(prepared, folder, toCommand(prepared, port, SETTINGS));
  await untilReady(prepared);
  return new URL(`postgres://${OWNER_ROLE}:${prepared.ownerPassword}@127.0.0.1:${port}`);
};

// The shell waits for the end of its standard input, which is a pipe from us: it closes however this process ends.
const startTied = (prepared: Cluster, folder: string, command: readonly string[]): void => {
  const script = 'log=$1; folder=$2; shift 2; "$@" 2>"$log" & read -r _; kill -QUIT $!; wait; rm -rf "$folder"';
  const child = spawn("/bin/sh", ["-c", script, "sh", join(prepared.folder, "log"), folder, ...command], {
    ...prepared.account,
    cwd: placeOf(prepared.folder, prepared.account).cwd,
    env: CLUSTER_ENVIRONMENT,
    stdio: ["pipe", "ignore", "ignore"],
    detached: true,
  });
  child.unref();
  (child.stdin as unknown as { unref: () => void }).unref();
};

const untilReady = async (prepared: Cluster): Promise<void> => {
  for (const deadline = performance.now() + 20_000; performance.now() < deadline; await pause(5)) {
    if ((await readLockFile(prepared.folder))?.isReady) return;
  }
  throw new Error(`Postgres did not start: ${await readFile(join(prepared.folder, "log"), "utf8").catch(() => "no log")}`);
};
