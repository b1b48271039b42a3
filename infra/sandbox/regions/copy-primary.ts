/**
 * Makes a standby's files from a running primary's, as pg_basebackup would: the embedded binaries have none. Both clusters lie on this machine,
 * so the files are copied as they lie, between the two calls that tell the primary of a backup. What was written meanwhile is in its WAL.
 */
import { chown, copyFile, mkdir, readdir, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import type postgres from "postgres";
import { type Account, ownedFolder } from "./unprivileged.ts";

/** Of the primary alone, or made anew by every start. */
const FOLDERS_LEFT_OUT = [
  "pg_wal",
  "pg_replslot",
  "pg_dynshmem",
  "pg_notify",
  "pg_serial",
  "pg_snapshots",
  "pg_stat_tmp",
  "pg_subtrans",
];
const FILES_LEFT_OUT =
  /^(postmaster\.(pid|opts)|standby\.signal|recovery\.signal|backup_label.*|pg_internal\.init.*|.*\.tmp|pgsql_tmp.*)$/;
/** Says how far the files are; copied last, as the others must not be older than it. */
const CONTROL_FILE = join("global", "pg_control");
const WAL_FILE = /^([0-9A-F]{24}|[0-9A-F]{8}\.history)$/;

export interface CopyOptions {
  /** One connection to the primary, as its superuser: the backup ends with the session that began it. */
  readonly primary: postgres.Sql;
  readonly from: string;
  /** Replaced whole, or left as it is when the copy fails. Its postmaster must not run. */
  readonly to: string;
  readonly account: Account | undefined;
}

export const copyPrimary = async ({ primary, from, to, account }: CopyOptions): Promise<void> => {
  const unfinished = `${to}.new`;
  const own = (path: string): Promise<void> =>
    account === undefined ? Promise.resolve() : chown(path, account.uid, account.gid);
  const copy = (path: string): Promise<void> => copyOne(join(from, path), join(unfinished, path), own);
  await ownedFolder(unfinished, account);
  try {
    await primary`SELECT pg_backup_start('standby', fast => true)`;
    for (const entry of await readdir(from, { recursive: true, withFileTypes: true })) {
      const path = relative(from, join(entry.parentPath, entry.name));
      if (entry.isDirectory()) await makeFolder(join(unfinished, path), own);
      else if (isWanted(path, entry.name)) await copy(path);
    }
    await copy(CONTROL_FILE);
    const [stopped] = await primary<
      { label: string }[]
    >`SELECT labelfile AS label FROM pg_backup_stop(wait_for_archive => false)`;
    if (stopped === undefined) throw new Error("pg_backup_stop answered nothing");
    // The standby is then consistent by itself, before it has heard anything from the primary.
    for (const name of await readdir(join(from, "pg_wal"))) if (WAL_FILE.test(name)) await copy(join("pg_wal", name));
    for (const [name, text] of [
      ["backup_label", stopped.label],
      ["standby.signal", ""],
    ] as const) {
      await writeFile(join(unfinished, name), text, { mode: 0o600 });
      await own(join(unfinished, name));
    }
    await rm(to, { recursive: true, force: true });
    await rename(unfinished, to);
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
};

const isWanted = (path: string, name: string): boolean =>
  path !== CONTROL_FILE && !FILES_LEFT_OUT.test(name) && !FOLDERS_LEFT_OUT.some((folder) => path.startsWith(`${folder}/`));

type Own = (path: string) => Promise<void>;

const makeFolder = async (path: string, own: Own): Promise<void> => {
  await mkdir(path, { recursive: true, mode: 0o700 });
  await own(path);
};

/** A file that the primary dropped meanwhile is gone for the standby too: the WAL says so. */
const copyOne = async (from: string, to: string, own: Own): Promise<void> => {
  try {
    await copyFile(from, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    await mkdir(dirname(to), { recursive: true });
    return;
  }
  await own(to);
};
