/** One real Postgres that a region owns: started, stopped hard or softly, and taken over when an earlier process left it running. */
import { type ChildProcess, spawn } from "node:child_process";
import { open, readFile, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { PORT_PAUSE_MS, PORT_TRIES_MAX, POSTGRES_POLL_MS, POSTGRES_START_MS_MAX } from "./limits.ts";
import { findBinaries, initialiseCluster, POSTGRES_ENVIRONMENT } from "./postgres-files.ts";
import { readPostmasterFile, stopOrphan, stopPostmaster } from "./postmaster.ts";
import { type Account, clusterFolder, unprivilegedAccount } from "./unprivileged.ts";

export interface PostgresCluster {
  readonly port: number;
  /** Where its files are, and whose they are. */
  readonly folder: string;
  readonly account: Account | undefined;
  /** Pid of the postmaster while it runs. */
  readonly pid: () => number | undefined;
  /** Starts it unless it runs; stops an orphan of the same folder first. Throws with the log's tail when it can't start. */
  readonly start: () => Promise<void>;
  /** Stops it: `fast` in order, `immediate` as a crash. Nothing to do when it doesn't run. */
  readonly stop: (mode: "fast" | "immediate") => Promise<void>;
}

interface Place {
  readonly binaries: string;
  readonly folder: string;
  readonly logFile: string;
  readonly account: Account | undefined;
  readonly port: number;
  readonly settings: Readonly<Record<string, string>>;
}

/**
 * Prepares the cluster in `<dataDir>/<name>` (initdb at first) without starting it.
 * `port` 0 chooses a free one, kept for the life of this object.
 */
export const createPostgresCluster = async (options: {
  readonly dataDir: string;
  readonly port: number;
  readonly ownerPassword: string;
  /** The password was just made: a cluster that is found belongs to a folder that was deleted since, and is removed. */
  readonly startsAnew: boolean;
  /** Of its folder; `postgres` when left out. */
  readonly name?: string;
  /** Its files come from another cluster: nothing is initialised, and it can't be started before they are there. */
  readonly isCopy?: boolean;
  /** Over those that every cluster here has. */
  readonly settings?: Readonly<Record<string, string>>;
}): Promise<PostgresCluster> => {
  const { name = "postgres", settings = {} } = options;
  const account = await unprivilegedAccount();
  const binaries = await findBinaries(account);
  const folder = await clusterFolder(join(options.dataDir, name), account);
  const logFile = join(options.dataDir, `${name}.log`);
  if (options.startsAnew) {
    await stopOrphan(folder);
    await rm(folder, { recursive: true, force: true });
  }
  if (options.isCopy !== true) await initialiseCluster({ binaries, folder, account, ownerPassword: options.ownerPassword });
  const port = options.port === 0 ? await freePort() : options.port;
  const place: Place = { binaries, folder, logFile, account, port, settings };
  let child: ChildProcess | undefined;
  const pid = (): number | undefined => (child?.exitCode === null && child.signalCode === null ? child.pid : undefined);

  return {
    port: place.port,
    folder,
    account,
    pid,
    start: async () => {
      if (pid() !== undefined) return;
      await stopOrphan(folder);
      child = await startWhenFree(place);
    },
    stop: async (mode) => {
      const running = child;
      const runningPid = pid();
      if (running === undefined || runningPid === undefined) return;
      const ended = new Promise<void>((resolve) => running.once("exit", () => resolve()));
      await Promise.race([stopPostmaster(runningPid, mode), ended]);
      await ended;
    },
  };
};

/** Its port may be somebody's for a moment: an outgoing connection of any program takes a free one. */
const startWhenFree = async (place: Place): Promise<ChildProcess> => {
  for (let left = PORT_TRIES_MAX; ; left -= 1) {
    try {
      return await startPostmaster(place);
    } catch (error) {
      if (left <= 1 || !/could not create any TCP\/IP sockets|Address already in use/i.test(String(error))) throw error;
      await pause(PORT_PAUSE_MS);
    }
  }
};

const startPostmaster = async (place: Place): Promise<ChildProcess> => {
  const log = await open(place.logFile, "w", 0o600);
  const child = spawn(join(place.binaries, "postgres"), postgresArguments(place), {
    ...place.account,
    cwd: "/",
    env: POSTGRES_ENVIRONMENT,
    stdio: ["ignore", log.fd, log.fd],
    // Its own process group: Ctrl-C in the terminal stops the region, and the region stops its database.
    detached: true,
  });
  let failure: Error | undefined;
  child.once("error", (error) => {
    failure = error;
  });
  await log.close();
  const deadline = performance.now() + POSTGRES_START_MS_MAX;
  while (performance.now() < deadline) {
    const found = await readPostmasterFile(place.folder);
    if (found?.pid === child.pid && found?.isReady) return child;
    if (failure !== undefined) throw failure;
    if (child.exitCode !== null || child.signalCode !== null)
      throw new Error(`Postgres did not start: ${await logTail(place.logFile)}`);
    await pause(POSTGRES_POLL_MS);
  }
  child.kill("SIGKILL");
  throw new Error(`Postgres was not ready within ${POSTGRES_START_MS_MAX} ms: ${await logTail(place.logFile)}`);
};

const logTail = async (path: string): Promise<string> => {
  const lines = (await readFile(path, "utf8").catch(() => "")).trim().split("\n").slice(-5).join(" | ");
  return lines === "" ? "its log is empty" : lines;
};

// Small, because three of them share a laptop; unsynced, because a region's demo data is worth nothing after a power cut.
const postgresArguments = ({ folder, port, settings: more }: Place): string[] => {
  const settings = {
    listen_addresses: "127.0.0.1",
    unix_socket_directories: "",
    shared_buffers: "16MB",
    max_connections: "20",
    fsync: "off",
    synchronous_commit: "off",
    full_page_writes: "off",
    max_wal_size: "32MB",
    min_wal_size: "2MB",
    max_wal_senders: "0",
    wal_level: "minimal",
    autovacuum_naptime: "300s",
    io_method: "sync",
    log_min_messages: "fatal",
    ...more,
  };
  const flags = Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
  return ["-D", folder, "-p", String(port), ...flags];
};

/** A port that was free a moment ago. Postgres itself can't choose one, so another program could take it in between. */
const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() =>
        typeof address === "object" && address !== null ? resolve(address.port) : reject(new Error("no free port")),
      );
    });
  });
