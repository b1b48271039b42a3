/**
 * One half of a pair of databases in two regions, of which one streams to the other. Which half is the primary stands in the files of both: a
 * promotion by anybody changes it, and a restart brings each back as it lies. Apart from the region's own database, whose role never changes.
 */
import { stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type postgres from "postgres";
import { copyPrimary } from "./copy-primary.ts";
import { createQueue } from "./in-order.ts";
import { PAIR_MAKE_AGAIN_MS } from "./limits.ts";
import { grantHook, grantProbe, ownerConnection } from "./owner-connection.ts";
import { createPostgresCluster } from "./postgres-cluster.ts";
import { OWNER_ROLE } from "./postgres-files.ts";
import { PAIR_FOLDER, type PairConfig } from "./region-config.ts";
import { clusterFolder } from "./unprivileged.ts";

export interface PairDatabase {
  readonly port: number;
  readonly pid: () => number | undefined;
  /** Starts it as it lies. A standby that was never made is made as soon as the primary answers, which this doesn't wait for. */
  readonly start: () => Promise<void>;
  readonly stop: (mode: "fast" | "immediate") => Promise<void>;
  /** Throws this half away, with whatever only it has, and copies the other as its standby. Throws when the other can't be copied. */
  readonly rebuild: () => Promise<void>;
}

/**
 * One wants to see on a laptop within seconds that the other is gone: a cut link is noticed by these, which are a minute each in a Postgres
 * that nobody has set.
 */
const REPLICATION_SETTINGS: Readonly<Record<string, string>> = {
  wal_level: "replica",
  max_wal_senders: "4",
  wal_keep_size: "32MB",
  hot_standby: "on",
  wal_sender_timeout: "2s",
  wal_receiver_timeout: "2s",
  wal_receiver_status_interval: "500ms",
  wal_retrieve_retry_interval: "500ms",
};

/** Prepares this half: a primary's files at first, a standby's not yet. Starts nothing. */
export const createPairDatabase = async (options: {
  readonly dataDir: string;
  readonly pair: PairConfig;
  readonly probePassword: string;
}): Promise<PairDatabase> => {
  const { dataDir, pair, probePassword } = options;
  const begun = join(dataDir, "pair.begun");
  const cluster = await createPostgresCluster({
    dataDir,
    port: pair.port,
    ownerPassword: pair.ownerPassword,
    // A root caller's cluster may lie elsewhere and outlive this folder, with the passwords of another home.
    startsAnew: (await stat(begun).catch(() => undefined)) === undefined,
    name: PAIR_FOLDER,
    isCopy: pair.initially === "standby",
    settings: {
      ...REPLICATION_SETTINGS,
      primary_conninfo: `host=127.0.0.1 port=${pair.otherPort} user=${OWNER_ROLE} password=${pair.ownerPassword} connect_timeout=2`,
    },
  });
  await writeFile(begun, "", { mode: 0o600 });
  const isMade = async (): Promise<boolean> =>
    (await stat(join(cluster.folder, "PG_VERSION")).catch(() => undefined)) !== undefined;
  const inOrder = createQueue();
  let again: NodeJS.Timeout | undefined;

  const make = async (): Promise<void> => {
    const primary = ownerConnection(pair.otherPort, pair.ownerPassword);
    try {
      await expectWritable(primary);
      const from = await clusterFolder(join(pair.otherDataDir, PAIR_FOLDER), cluster.account);
      await cluster.stop("fast");
      await copyPrimary({ primary, from, to: cluster.folder, account: cluster.account });
    } finally {
      await primary.end({ timeout: 1 });
    }
    await cluster.start();
  };
  const start = async (): Promise<void> => {
    if (await isMade()) {
      await cluster.start();
      if (pair.initially === "primary") await grantRoles(cluster.port, { pair, probePassword });
    } else
      await make().catch(() => {
        again = setTimeout(() => void inOrder(start).catch(() => undefined), PAIR_MAKE_AGAIN_MS);
      });
  };
  const notAgain = (): void => {
    clearTimeout(again);
    again = undefined;
  };
  return {
    port: cluster.port,
    pid: cluster.pid,
    start: () => {
      notAgain();
      return inOrder(start);
    },
    stop: (mode) =>
      inOrder(async () => {
        notAgain();
        await cluster.stop(mode);
      }),
    rebuild: () => {
      notAgain();
      return inOrder(make);
    },
  };
};

/** Made where a write is taken; the other half has them by replication. One that is a standby by now, or fenced, keeps what it has. */
const grantRoles = async (
  port: number,
  { pair, probePassword }: { readonly pair: PairConfig; readonly probePassword: string },
): Promise<void> => {
  const sql = ownerConnection(port, pair.ownerPassword);
  try {
    if (!(await isWritable(sql))) return;
    await grantProbe(sql, probePassword);
    await grantHook(sql, pair.hookPassword);
  } finally {
    await sql.end({ timeout: 1 });
  }
};

const expectWritable = async (primary: postgres.Sql): Promise<void> => {
  if (!(await isWritable(primary)))
    throw new Error("The other half of the pair takes no writes itself: there is nothing to be the standby of.");
};

const isWritable = async (sql: postgres.Sql): Promise<boolean> => {
  const [row] = await sql<{ writable: boolean }[]>`
    SELECT NOT (pg_is_in_recovery() OR current_setting('transaction_read_only')::bool) AS writable`;
  return row?.writable === true;
};
