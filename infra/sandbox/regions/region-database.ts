/** The region's own database: its cluster, the role for probes, the read-only switch, and the check that the deep health answer shows. */
import { randomBytes } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type postgres from "postgres";
import type { DatabaseFault } from "../faults.ts";
import { createDatabaseCheck, type DatabaseCheck } from "./database-check.ts";
import { POSTGRES_POLL_MS } from "./limits.ts";
import { grantProbe, ownerConnection } from "./owner-connection.ts";
import { createPostgresCluster } from "./postgres-cluster.ts";

export interface RegionDatabase {
  readonly port: number;
  readonly pid: () => number | undefined;
  /** Starts it if need be and undoes every fault. */
  readonly mend: () => Promise<void>;
  readonly break: (fault: DatabaseFault) => Promise<void>;
  readonly stop: () => Promise<void>;
  readonly check: DatabaseCheck;
}

/** Initialises the cluster at first; starts nothing yet. */
export const createRegionDatabase = async (options: {
  readonly dataDir: string;
  readonly port: number;
  readonly probePassword: string;
}): Promise<RegionDatabase> => {
  const { password: ownerPassword, isNew } = await keptPassword(join(options.dataDir, "owner.password"));
  const cluster = await createPostgresCluster({ dataDir: options.dataDir, port: options.port, ownerPassword, startsAnew: isNew });
  const connect = (): postgres.Sql => ownerConnection(cluster.port, ownerPassword);
  const check = createDatabaseCheck(connect);

  const asOwner = async (work: (sql: postgres.Sql) => Promise<void>): Promise<void> => {
    const sql = connect();
    try {
      await work(sql);
    } finally {
      await sql.end({ timeout: 1 });
    }
  };
  const mend = async (): Promise<void> => {
    await cluster.start();
    await asOwner(async (sql) => {
      await setReadOnly(sql, "off");
      await grantProbe(sql, options.probePassword);
    });
    check.forget();
  };
  return {
    port: cluster.port,
    pid: cluster.pid,
    check,
    mend,
    break: async (fault) => {
      if (fault.fault === "database-down") await cluster.stop(fault.mode);
      else {
        await cluster.start();
        await asOwner((sql) => setReadOnly(sql, "on"));
      }
      check.forget();
    },
    stop: async () => {
      await check.close();
      await cluster.stop("fast");
    },
  };
};

/** Made once per region and kept beside the cluster, readable by its owner alone. */
const keptPassword = async (path: string): Promise<{ readonly password: string; readonly isNew: boolean }> => {
  const isNew = await writeFile(path, randomBytes(24).toString("base64url"), { mode: 0o600, flag: "wx" }).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code !== "EEXIST") throw error;
      return false;
    },
  );
  return { password: (await readFile(path, "utf8")).trim(), isNew };
};

/** Sets what new sessions get and waits until a new session would really get it: the reload is a signal, answered a little later. */
const setReadOnly = async (sql: postgres.Sql, wanted: "on" | "off"): Promise<void> => {
  await sql.unsafe(`ALTER SYSTEM SET default_transaction_read_only = ${wanted}`);
  await sql`SELECT pg_reload_conf()`;
  const deadline = performance.now() + 5_000;
  for (;;) {
    const [row] = await sql<{ current: string }[]>`SELECT current_setting('default_transaction_read_only') AS current`;
    if (row?.current === wanted) return;
    if (performance.now() > deadline)
      throw new Error(`Postgres did not take default_transaction_read_only = ${wanted} within 5 s.`);
    await pause(POSTGRES_POLL_MS);
  }
};
