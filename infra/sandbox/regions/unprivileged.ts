/**
 * Postgres refuses to run as root. For a root caller this finds an ordinary account and places that account can reach; for everybody else
 * it changes nothing. Used by the cluster alone.
 */
import { createHash } from "node:crypto";
import { chown, cp, lstat, mkdir, readFile, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";

/** The account that Postgres runs as; undefined when the caller is not root and Postgres simply runs as the caller. */
export interface Account {
  readonly uid: number;
  readonly gid: number;
}

/** `postgres` where the machine has one, else `nobody`: no account is created behind anybody's back. Throws when neither exists. */
export const unprivilegedAccount = async (): Promise<Account | undefined> => {
  if (process.getuid?.() !== 0) return undefined;
  const accounts = (await readFile("/etc/passwd", "utf8")).split("\n").map((line) => line.split(":"));
  for (const name of ["postgres", "nobody"]) {
    const fields = accounts.find((each) => each[0] === name);
    if (fields !== undefined) return { uid: Number(fields[2]), gid: Number(fields[3]) };
  }
  throw new Error("Postgres can't run as root, and /etc/passwd has neither a postgres nor a nobody account to run it as.");
};

/** May the account walk through every folder above this path? */
const isReachable = async (path: string, account: Account): Promise<boolean> => {
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    const found = await stat(folder);
    const bit = found.uid === account.uid ? 0o100 : found.gid === account.gid ? 0o010 : 0o001;
    if ((found.mode & bit) === 0) return false;
    if (folder === dirname(folder)) return true;
  }
};

/**
 * A root-owned folder under /var/tmp, named by what it stands in for. It survives reboots. One that somebody else made first is refused:
 * the name can be guessed, so its owner could read or swap what we put there.
 */
const standInFolder = async (wanted: string): Promise<string> => {
  const folder = join("/var/tmp", `regent-sandbox-${createHash("sha256").update(wanted).digest("hex").slice(0, 16)}`);
  await mkdir(folder, { mode: 0o711 }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "EEXIST") throw error;
  });
  const found = await lstat(folder);
  if (!found.isDirectory() || found.uid !== 0)
    throw new Error(`${folder} exists and is not root's own folder; remove it and start again.`);
  return folder;
};

/** Makes the region's own folder. A root caller's must let the account pass through; its secrets are files of mode 0600. */
export const regionFolder = (folder: string): Promise<string | undefined> =>
  mkdir(folder, { recursive: true, mode: process.getuid?.() === 0 ? 0o711 : 0o700 });

/** Where the cluster really lives: the wanted folder, or a stand-in when the account can't reach it (a home below /root, mode 0700). */
export const clusterFolder = async (wanted: string, account: Account | undefined): Promise<string> => {
  if (account === undefined || (await isReachable(wanted, account))) return wanted;
  return join(await standInFolder(wanted), "postgres");
};

/** Where the binaries can be run from: the package's own folder, or a copy of it when the account can't reach that. */
export const binariesFolder = async (native: string, account: Account | undefined): Promise<string> => {
  if (account === undefined || (await isReachable(join(native, "bin", "postgres"), account))) return join(native, "bin");
  const copy = join(await standInFolder(native), "native");
  if ((await stat(copy).catch(() => undefined)) === undefined) {
    const unfinished = `${copy}.${process.pid}`;
    await cp(native, unfinished, { recursive: true, verbatimSymlinks: true });
    // Several regions start at once; the first rename wins and the others use its copy.
    await rename(unfinished, copy).catch(() => rm(unfinished, { recursive: true, force: true }));
  }
  return join(copy, "bin");
};

/** An empty folder, mode 0700, owned by the account. */
export const ownedFolder = async (folder: string, account: Account | undefined): Promise<void> => {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { mode: 0o700 });
  if (account !== undefined) await chown(folder, account.uid, account.gid);
};
