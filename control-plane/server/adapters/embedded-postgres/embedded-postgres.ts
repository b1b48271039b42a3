/**
 * The database that the server brings along: real Postgres, started with the server and stopped with it. When an earlier server was killed,
 * its postmaster lives on and holds the folder; it is taken over, data and all. Two servers never share one: whoever runs holds an advisory
 * lock on a connection of its own, which ends with the process however that ends.
 */
import { setTimeout as pause } from "node:timers/promises";
import postgres from "postgres";
import { type Cluster, choosePort, OWNER_ROLE, prepareCluster } from "./cluster.ts";
import { GREETING_SECONDS, LOCK_WAIT_MS, POLL_MS, WATCH_MS } from "./limits.ts";
import { isAlive, readCommand, readLockFile, startPostmaster, stopPostmaster, strikeOutPid, toCommand } from "./postmaster.ts";

export interface EmbeddedPostgresOptions {
  /** Holds the cluster, its passwords (0600), its port and its log. */
  readonly dataDir: string;
  /** The last one, or a free one, when absent. */
  readonly port?: number;
  readonly log: (line: string) => void;
  /** The postmaster ended without being asked to. Called once. */
  readonly onCrash?: () => void;
}

export interface EmbeddedPostgres {
  /** Holds the password: never log it. */
  readonly url: string;
  readonly pid: number;
  readonly port: number;
  /** True when it was running already, left behind by a server that was killed. */
  readonly isTakenOver: boolean;
  /** Stops it in order. May be called twice. */
  readonly stop: () => Promise<void>;
}

interface Running {
  readonly pid: number;
  readonly port: number;
  readonly isTakenOver: boolean;
  /** Holds the advisory lock of the one server that uses this cluster. */
  readonly lock: postgres.Sql;
}

// Small, because it shares a laptop or a small machine; everything that keeps data safe stays as Postgres ships it. Checkpoints are rare and
// their log small, because a checkpoint's writes are what reports wait for: with 256 MB one in a hundred waited for half a second.
const SETTINGS: Readonly<Record<string, string>> = {
  listen_addresses: "127.0.0.1",
  unix_socket_directories: "",
  max_connections: "60",
  shared_buffers: "64MB",
  work_mem: "4MB",
  maintenance_work_mem: "32MB",
  max_wal_size: "1GB",
  wal_compression: "on",
  checkpoint_timeout: "15min",
  wal_level: "minimal",
  max_wal_senders: "0",
  max_parallel_workers: "0",
  jit: "off",
  io_method: "sync",
  log_min_messages: "warning",
  log_line_prefix: "%m [%p] ",
  log_checkpoints: "off",
};

const DATABASE = "regent";
const ROLE = "regent";
// Any constant that nobody else uses as an advisory lock in this cluster.
const SERVER_LOCK = 0x5e12_7e12;

/** Throws when another living server uses this folder, or when Postgres can't be started (with the tail of its log). */
export const startEmbeddedPostgres = async (options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> => {
  const cluster = await prepareCluster(options.dataDir);
  const { lock, ...running } = (await takeOver(cluster, options)) ?? (await start(cluster, options));
  await ensureDatabase(lock, cluster.password);

  let isStopping = false;
  const watch = setInterval(() => {
    if (isAlive(running.pid)) return;
    clearInterval(watch);
    options.log(`The embedded Postgres (process ${running.pid}) ended unasked; its log is ${cluster.logFile}.`);
    options.onCrash?.();
  }, WATCH_MS);
  watch.unref();

  return {
    url: toUrl(ROLE, cluster.password, running.port),
    ...running,
    stop: async () => {
      if (isStopping) return;
      isStopping = true;
      clearInterval(watch);
      await lock.end({ timeout: 0 });
      await stopPostmaster(running.pid);
    },
  };
};

/** Null when nothing (usable) runs on this folder; then nothing runs on it at all. */
const takeOver = async (cluster: Cluster, { dataDir, port, log }: EmbeddedPostgresOptions): Promise<Running | null> => {
  const found = await readLockFile(cluster.folder);
  if (found === null || !isAlive(found.pid)) return null;
  const command = await readCommand(found.pid, cluster.folder);
  if (command === null) {
    await strikeOutPid(cluster.folder);
    return null;
  }
  const greeting = await holdLock(cluster, found.port);
  if (greeting.kind === "in use")
    throw new Error(
      `Another Regent server is using ${dataDir} (its Postgres is process ${found.pid}). Stop it, or set another REGENT_HOME.`,
    );
  const isWanted = (port ?? found.port) === found.port && isSame(command, toCommand(cluster, found.port, SETTINGS));
  if (greeting.kind === "held" && isWanted) {
    log(`Took over the Postgres that an earlier server left running (process ${found.pid}).`);
    return { pid: found.pid, port: found.port, isTakenOver: true, lock: greeting.lock };
  }
  if (greeting.kind === "held") await greeting.lock.end({ timeout: 0 });
  log(
    `Stopping the Postgres that an earlier server left running (process ${found.pid}): it was started otherwise, or doesn't answer.`,
  );
  await stopPostmaster(found.pid);
  return null;
};

const start = async (cluster: Cluster, { dataDir, port }: EmbeddedPostgresOptions): Promise<Running> => {
  const chosen = await choosePort(dataDir, port);
  const child = await startPostmaster(cluster, toCommand(cluster, chosen, SETTINGS));
  const pid = child.pid as number;
  const greeting = await holdLock(cluster, chosen);
  if (greeting.kind === "held") return { pid, port: chosen, isTakenOver: false, lock: greeting.lock };
  await stopPostmaster(pid);
  throw new Error(`The embedded Postgres was started, but doesn't let us in; its log is ${cluster.logFile}.`);
};

type Greeting = { readonly kind: "held"; readonly lock: postgres.Sql } | { readonly kind: "in use" } | { readonly kind: "mute" };

// Postgres notices the end of a killed server a moment later, so its lock is asked for some times.
const holdLock = async (cluster: Cluster, port: number): Promise<Greeting> => {
  const lock = openAsOwner(cluster, port);
  try {
    for (const deadline = performance.now() + LOCK_WAIT_MS; performance.now() < deadline; await pause(POLL_MS)) {
      const [row] = await lock<{ isHeld: boolean }[]>`select pg_try_advisory_lock(${SERVER_LOCK}) as "isHeld"`;
      if (row?.isHeld) return { kind: "held", lock };
    }
  } catch {
    await lock.end({ timeout: 0 });
    return { kind: "mute" };
  }
  await lock.end({ timeout: 0 });
  return { kind: "in use" };
};

// `ps` shows words without their borders, so borders don't count.
const isSame = (a: readonly string[], b: readonly string[]): boolean => a.join(" ") === b.join(" ");

/** The server's role owns its database and nothing else; the owner of the cluster could run programs. */
const ensureDatabase = async (owner: postgres.Sql, password: string): Promise<void> => {
  const [known] = await owner<{ hasRole: boolean; hasDatabase: boolean }[]>`
    select exists (select from pg_roles where rolname = ${ROLE}) as "hasRole",
      exists (select from pg_database where datname = ${DATABASE}) as "hasDatabase"`;
  // The password is ours: letters, digits, "-" and "_" only.
  await owner.unsafe(`${known?.hasRole ? "alter" : "create"} role ${ROLE} login password '${password}'`);
  if (!known?.hasDatabase) await owner.unsafe(`create database ${DATABASE} owner ${ROLE}`);
};

const openAsOwner = (cluster: Cluster, port: number): postgres.Sql =>
  postgres(toUrl(OWNER_ROLE, cluster.ownerPassword, port, "postgres"), {
    max: 1,
    max_lifetime: null,
    connect_timeout: GREETING_SECONDS,
    fetch_types: false,
    onnotice: () => undefined,
    connection: { application_name: "regent-embedded" },
  });

const toUrl = (role: string, password: string, port: number, database = DATABASE): string =>
  `postgres://${role}:${password}@127.0.0.1:${port}/${database}`;
