/**
 * Postgres refuses to run as root. For a root caller this finds an ordinary account, and says how that account reaches files in folders that
 * only root may enter; for everybody else it changes nothing.
 */
import { createHash } from "node:crypto";
import { chown, cp, lstat, mkdir, readFile, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";

/** What Postgres runs as; null when the caller isn't root and Postgres simply runs as the caller. */
export interface Account {
  readonly uid: number;
  readonly gid: number;
}

/** `postgres` where the machine has one, else `nobody`: no account is made behind anybody's back. Throws when neither exists. */
export const findAccount = async (): Promise<Account | null> => {
  if (process.getuid?.() !== 0) return null;
  const lines = (await readFile("/etc/passwd", "utf8")).split("\n").map((line) => line.split(":"));
  for (const name of ["postgres", "nobody"]) {
    const fields = lines.find((each) => each[0] === name);
    if (fields !== undefined) return { uid: Number(fields[2]), gid: Number(fields[3]) };
  }
  throw new Error(
    "Postgres can't run as root, and this machine has neither a postgres nor a nobody account. Run Regent as an ordinary account, or set DATABASE_URL.",
  );
};

export const giveTo = async (path: string, account: Account | null): Promise<void> => {
  if (account !== null) await chown(path, account.uid, account.gid);
};

/**
 * How a Postgres program is started on a data folder: its working folder, and what it is told the data folder is. As another account on
 * Linux that is the working folder itself, which root enters first: the account needs no way into $REGENT_HOME, which stays mode 0700.
 */
export const placeOf = (folder: string, account: Account | null): { readonly cwd: string; readonly dataFolder: string } =>
  account !== null && process.platform === "linux"
    ? { cwd: folder, dataFolder: "/proc/self/cwd" }
    : { cwd: "/", dataFolder: folder };

/** Where the binaries can be run: the package's own folder, or a copy below /var/lib when the account can't reach that. */
export const reachableBinaries = async (native: string, account: Account | null): Promise<string> => {
  if (account === null || (await isReachable(join(native, "bin", "postgres"), account))) return join(native, "bin");
  const copy = join("/var/lib", `regent-postgres-${createHash("sha256").update(native).digest("hex").slice(0, 16)}`);
  if (!(await isOurs(copy))) {
    const unfinished = `${copy}.${process.pid}`;
    await mkdir(unfinished, { mode: 0o755 });
    await cp(native, unfinished, { recursive: true, verbatimSymlinks: true });
    // Two starts at once: the first rename wins, the other uses its copy.
    await rename(unfinished, copy).catch(() => rm(unfinished, { recursive: true, force: true }));
  }
  return join(copy, "bin");
};

const isOurs = async (folder: string): Promise<boolean> => {
  const found = await lstat(folder).catch(() => null);
  if (found !== null && !(found.isDirectory() && found.uid === 0))
    throw new Error(`${folder} exists and isn't root's own folder: remove it and start again.`);
  return found !== null;
};

const isReachable = async (path: string, account: Account): Promise<boolean> => {
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    const found = await stat(folder);
    const bit = found.uid === account.uid ? 0o100 : found.gid === account.gid ? 0o010 : 0o001;
    if ((found.mode & bit) === 0) return false;
    if (folder === dirname(folder)) return true;
  }
};
