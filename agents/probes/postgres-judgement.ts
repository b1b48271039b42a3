/**
 * What a Postgres server's answers mean. Pure: the exchange is in `postgres.ts` and `postgres-accepting.ts`.
 *
 * Lag, exactly. A lag is only claimed of a standby whose WAL receiver is streaming: without one, "received = replayed" is true and says
 * nothing (agents.md 7.2). Connected and all replayed: 0. Connected and behind: at most the age of the last replayed transaction, `db_lag`
 * when that exceeds `lagMaxSeconds`. Not connected: `db_replica_disconnected`; it still passes (`degraded`) while the age of the last
 * replayed transaction, an upper bound of the lag, is within `lagMaxSeconds` or none is declared, and fails beyond it or when there is
 * no age. A standby whose primary has just died is therefore not itself a failure: it is where the traffic must go.
 */
import type { Facts, PostgresProbe, Reason } from "@regent/contract";
import * as z from "zod";
import type { Finding } from "./socket-error.ts";

/** One row; what an ordinary role may read on Postgres 13 and newer. `numbackends` because pg_stat_activity hides others' rows. */
export const STATE_QUERY = `
SELECT pg_is_in_recovery() AS in_recovery,
  current_setting('transaction_read_only')::bool AS tx_read_only,
  (SELECT source IN ('user', 'database user') FROM pg_settings WHERE name = 'default_transaction_read_only') AS read_only_by_role,
  extract(epoch FROM now() - pg_postmaster_start_time())::float8 AS uptime_s,
  (SELECT sum(numbackends) FROM pg_stat_database)::int AS backends,
  current_setting('max_connections')::int AS max_connections,
  coalesce(current_setting('superuser_reserved_connections', true)::int, 0)
    + coalesce(current_setting('reserved_connections', true)::int, 0) AS reserved,
  CASE WHEN pg_is_in_recovery() THEN pg_wal_lsn_diff(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn())::float8 END AS replay_gap_bytes,
  CASE WHEN pg_is_in_recovery()
    THEN extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp())::float8 END AS last_replayed_age_s,
  CASE WHEN pg_is_in_recovery()
    THEN (SELECT count(*) FROM pg_stat_wal_receiver WHERE status IS NULL OR status = 'streaming')::int END AS wal_receivers,
  (CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END)::text AS lsn`;

export const PostgresState = z.object({
  in_recovery: z.boolean(),
  tx_read_only: z.boolean(),
  /** The probe's own role is declared read-only, which says nothing about the server. */
  read_only_by_role: z.boolean(),
  uptime_s: z.number(),
  backends: z.number().nullable(),
  max_connections: z.number(),
  reserved: z.number(),
  replay_gap_bytes: z.number().nullable(),
  last_replayed_age_s: z.number().nullable(),
  wal_receivers: z.number().nullable(),
  lsn: z.string().nullable(),
});
export type PostgresState = z.infer<typeof PostgresState>;

export type PostgresFinding =
  | { readonly outcome: "ok" }
  | { readonly outcome: "degraded" | "fail" | "unknown"; readonly reason: Reason };

export const judgeState = (state: PostgresState, probe: Pick<PostgresProbe, "role" | "lagMaxSeconds">): PostgresFinding => {
  switch (probe.role) {
    case "writable":
      if (state.in_recovery) return { outcome: "fail", reason: "db_wrong_role" };
      if (isReadOnly(state)) return { outcome: "fail", reason: "db_readonly" };
      return { outcome: "ok" };
    case "standby":
      return state.in_recovery ? judgeReplication(state, probe.lagMaxSeconds) : { outcome: "fail", reason: "db_wrong_role" };
    case "any":
      return state.in_recovery && probe.lagMaxSeconds !== undefined
        ? judgeReplication(state, probe.lagMaxSeconds)
        : { outcome: "ok" };
  }
};

/** Managed services turn `default_transaction_read_only` on when the disk is full. */
const isReadOnly = (state: PostgresState): boolean => state.in_recovery || (state.tx_read_only && !state.read_only_by_role);

const judgeReplication = (state: PostgresState, lagMaxSeconds: number | undefined): PostgresFinding => {
  const ageSeconds = state.last_replayed_age_s;
  if ((state.wal_receivers ?? 0) === 0) {
    const mayBeWithin = lagMaxSeconds === undefined || (ageSeconds !== null && ageSeconds <= lagMaxSeconds);
    return { outcome: mayBeWithin ? "degraded" : "fail", reason: "db_replica_disconnected" };
  }
  if (lagMaxSeconds === undefined || state.replay_gap_bytes === 0) return { outcome: "ok" };
  return (ageSeconds ?? 0) > lagMaxSeconds ? { outcome: "fail", reason: "db_lag" } : { outcome: "ok" };
};

/** A standby's `lagSeconds` is null when it can't be known. */
export const factsOf = (state: PostgresState): Facts => ({
  role: state.in_recovery ? "standby" : "primary",
  readOnly: isReadOnly(state),
  uptimeSeconds: Math.round(state.uptime_s),
  backends: state.backends,
  connectionsMax: state.max_connections - state.reserved,
  lsn: state.lsn,
  ...(state.in_recovery
    ? {
        walReceivers: state.wal_receivers,
        replayGapBytes: state.replay_gap_bytes,
        lastReplayedAgeSeconds: state.last_replayed_age_s,
        lagSeconds: lagSeconds(state),
      }
    : {}),
});

const lagSeconds = (state: PostgresState): number | null => {
  if ((state.wal_receivers ?? 0) === 0) return null;
  return state.replay_gap_bytes === 0 ? 0 : state.last_replayed_age_s;
};

/** A refusal or error that the server itself sent. `message` tells whose connection limit it was: the code is the same. */
export const judgeServerError = ({ code, message }: { code: string; message: string }): Finding => {
  const fail = (reason: Reason): Finding => ({ outcome: "fail", reason });
  switch (code) {
    case "53300":
      // Our role's own limit: earlier probes of ours still hold its connections.
      return /too many connections for role/i.test(message) ? { outcome: "unknown", reason: "probe_bug" } : fail("db_saturated");
    case "57P03":
    case "57P01":
    case "57P02":
      return fail("db_starting");
    case "28P01":
    case "28000":
    case "42501":
      return { outcome: "unknown", reason: "db_auth" };
    case "57014":
      return fail("db_query_timeout");
    case "25006":
      return fail("db_readonly");
    default:
      return fail("db_error");
  }
};
