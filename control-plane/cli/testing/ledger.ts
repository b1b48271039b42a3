/** For end-to-end tests of `up --stateful`: the two halves of the pair as their superuser sees them, and a hook that never promotes anybody. */
import { readFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { join } from "node:path";
import { ownerConnection } from "@regent/sandbox/regions/owner-connection.ts";
import { Ports } from "../up/ports.ts";

export type Half = "eu-west" | "us-east";
/** `down`: nobody answers. */
export type HalfRole = "writable" | "fenced" | "standby" | "down";

export interface Ledger {
  readonly role: (half: Half) => Promise<HalfRole>;
  readonly roles: () => Promise<Readonly<Record<Half, HalfRole>>>;
  /** Whether this half receives what the other one writes. */
  readonly streams: (half: Half) => Promise<boolean>;
  readonly write: (half: Half, note: string) => Promise<void>;
  /** In the order in which they were written. */
  readonly notes: (half: Half) => Promise<readonly string[]>;
  readonly hookPort: number;
}

const ROLE = `SELECT CASE WHEN pg_is_in_recovery() THEN 'standby'
  WHEN current_setting('transaction_read_only')::bool THEN 'fenced' ELSE 'writable' END AS role`;
const STREAMING = "SELECT count(*)::int AS n FROM pg_stat_wal_receiver WHERE status = 'streaming'";
const NOTES = "SELECT coalesce(json_agg(text ORDER BY id), '[]') AS notes FROM note";

export const openLedger = async (home: string): Promise<Ledger> => {
  const { pair } = Ports.parse(JSON.parse(await readFile(join(home, "ports.json"), "utf8")));
  if (pair === undefined) throw new Error("this home has no pair of databases");
  const password = (await readFile(join(home, "pair-owner.password"), "utf8")).trim();
  const ask = async (half: Half, query: string): Promise<Readonly<Record<string, unknown>>> => {
    const sql = ownerConnection(pair.halves[half] ?? 0, password);
    try {
      const [row] = await sql.unsafe(query);
      return { ...row };
    } finally {
      await sql.end({ timeout: 1 });
    }
  };
  const role: Ledger["role"] = (half) =>
    ask(half, ROLE).then(
      (row) => row.role as HalfRole,
      () => "down",
    );
  return {
    role,
    roles: async () => {
      const [west, east] = await Promise.all([role("eu-west"), role("us-east")]);
      return { "eu-west": west, "us-east": east };
    },
    streams: async (half) => (await ask(half, STREAMING)).n === 1,
    write: async (half, note) => {
      await ask(half, "CREATE TABLE IF NOT EXISTS note (id bigint GENERATED ALWAYS AS IDENTITY, text text)");
      await ask(half, `INSERT INTO note (text) VALUES ('${note.replaceAll("'", "''")}')`);
    },
    notes: async (half) => (await ask(half, NOTES)).notes as readonly string[],
    hookPort: pair.hook,
  };
};

export interface IdleHook {
  /** The id of every call, in order. */
  readonly calls: () => readonly string[];
  readonly close: () => Promise<void>;
}

/** Answers every call that it is at work, and does nothing. */
export const startIdleHook = async (port: number): Promise<IdleHook> => {
  const calls: string[] = [];
  const server: Server = createServer((request, response) => {
    calls.push(String(request.headers["webhook-id"]));
    request.resume();
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ state: "working", fenced: null }));
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
  return {
    calls: () => calls,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};
