/**
 * A real Postgres that a test kills, restarts, copies and promotes. Its files lie in a folder of their own; a copy of a stopped cluster becomes
 * a standby that streams, or a backup that is put back.
 */
import { execFile, spawn } from "node:child_process";
import { chmod, mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { giveTo } from "@regent/server/adapters/embedded-postgres/account.ts";
import { type Cluster, choosePort, OWNER_ROLE, prepareCluster } from "@regent/server/adapters/embedded-postgres/cluster.ts";
import { isAlive, startPostmaster, stopPostmaster, toCommand } from "@regent/server/adapters/embedded-postgres/postmaster.ts";

const run = promisify(execFile);

export interface PostgresCluster {
  readonly port: number;
  /** Of this database, by this port of 127.0.0.1: a link's, or the cluster's own. */
  readonly url: (database: string, port?: number) => string;
  readonly start: () => Promise<void>;
  /** In order: one checkpoint, nothing lost. */
  readonly stop: () => Promise<void>;
  /** SIGKILL of the postmaster; its children follow by themselves. */
  readonly kill: () => Promise<void>;
  /** A cold copy; only while it is stopped. */
  readonly copyTo: (folder: string, as: CopyKind) => Promise<PostgresCluster>;
}

export type CopyKind = { readonly kind: "backup" } | { readonly kind: "standby"; readonly primaryPort: number };

/** Nothing is lost when a process is killed; a power cut is no part of these tests, so nothing is synced. */
const SETTINGS: Readonly<Record<string, string>> = {
  listen_addresses: "127.0.0.1",
  unix_socket_directories: "",
  max_connections: "100",
  shared_buffers: "64MB",
  fsync: "off",
  full_page_writes: "off",
  wal_level: "replica",
  max_wal_senders: "4",
  wal_keep_size: "64MB",
  hot_standby: "on",
  autovacuum: "off",
  jit: "off",
  io_method: "sync",
  log_min_messages: "fatal",
};

/** Children of a killed postmaster hold its memory for a moment, and until then a new one refuses to start. */
const RESTART_MS_MAX = 10_000;

export const createPostgresCluster = async (folder: string): Promise<PostgresCluster> => {
  const cluster = await prepareCluster(folder, true);
  await giveTo(folder, cluster.account);
  return runCluster(cluster, await choosePort(folder, undefined), {});
};

const runCluster = (cluster: Cluster, port: number, more: Readonly<Record<string, string>>): PostgresCluster => {
  let pid: number | null = null;
  const start = async (): Promise<void> => {
    const command = toCommand(cluster, port, { ...SETTINGS, ...more });
    for (const deadline = performance.now() + RESTART_MS_MAX; ; await sleep(50))
      try {
        const child = await startPostmaster(cluster, command);
        pid = child.pid ?? null;
        if (pid !== null) endWithUs(pid);
        return;
      } catch (error) {
        if (performance.now() > deadline) throw error;
      }
  };
  const url = (database: string, at = port): string =>
    `postgres://${OWNER_ROLE}:${cluster.ownerPassword}@127.0.0.1:${at}/${database}`;
  return {
    port,
    url,
    start,
    stop: async () => {
      if (pid !== null) await stopPostmaster(pid);
      pid = null;
    },
    kill: async () => {
      if (pid === null) return;
      process.kill(pid, "SIGKILL");
      while (isAlive(pid)) await sleep(5);
      pid = null;
    },
    copyTo: async (to, as) => {
      if (pid !== null) throw new Error("a running cluster can't be copied as it lies");
      const copy: Cluster = { ...cluster, folder: join(to, "cluster"), logFile: join(to, "postgres.log") };
      await rm(to, { recursive: true, force: true });
      await mkdir(to, { mode: 0o700 });
      await giveTo(to, cluster.account);
      await run("cp", ["-a", cluster.folder, copy.folder]);
      if (as.kind === "backup") return runCluster(copy, port, more);
      const signal = join(copy.folder, "standby.signal");
      await writeFile(signal, "");
      await chmod(signal, 0o600);
      await giveTo(signal, cluster.account);
      const primary = `host=127.0.0.1 port=${as.primaryPort} user=${OWNER_ROLE} password=${cluster.ownerPassword}`;
      return runCluster(copy, await choosePort(to, undefined), { ...more, primary_conninfo: primary });
    },
  };
};

/** The shell waits for the end of its standard input, which is a pipe from us: it closes however this process ends. */
const endWithUs = (pid: number): void => {
  const child = spawn("/bin/sh", ["-c", 'read -r _; kill -QUIT "$1"', "sh", String(pid)], {
    stdio: ["pipe", "ignore", "ignore"],
    detached: true,
  });
  child.unref();
  (child.stdin as unknown as { readonly unref: () => void }).unref();
};
