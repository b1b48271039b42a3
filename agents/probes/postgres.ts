/**
 * `postgres` probe. Without a secret it asks whether the server accepts connections; with one it logs in and reads its state in one query.
 *
 * A secret is shown only to a host that it names (as `host:port` or `host`, compared with the declared address), only over verified TLS
 * unless the check says `off`, and only by SCRAM: a server that asks for it in clear text or as md5 gets nothing. Refusals of ours are
 * `unknown`: `blocked` with fact `why` = `secret-not-for-host` or `weak-password-request`, `db_auth` with `why` = `secret-missing`.
 *
 * The probe must reach Postgres itself, not a pooler: a pooler answers for a dead server and refuses our startup options.
 */
import type { Socket } from "node:net";
import type { PostgresProbe } from "@regent/contract";
import pg from "pg";
import type { ProbeResult } from "../core/probe-result.ts";
import { parseAddress, resolveDialling } from "./dial.ts";
import { probeAccepting } from "./postgres-accepting.ts";
import { factsOf, judgeServerError, judgeState, type PostgresFinding, PostgresState, STATE_QUERY } from "./postgres-judgement.ts";
import type { ProbeDeps, Secret } from "./probe-deps.ts";
import { tlsOptions } from "./socket.ts";
import { findingOf, lateFinding, type Stage } from "./socket-error.ts";
import { type Stopwatch, startStopwatch } from "./stopwatch.ts";

export const probePostgres = async (probe: PostgresProbe, deps: ProbeDeps, deadlineMs: number): Promise<ProbeResult> => {
  const secret = probe.secret === undefined ? undefined : deps.secrets.get(probe.secret);
  if (probe.secret !== undefined && secret === undefined) return unasked("db_auth", "secret-missing");
  if (secret !== undefined && !isFor(secret, probe.address)) return unasked("blocked", "secret-not-for-host");
  const to = await resolveDialling(probe.address, deps.dial, deadlineMs);
  if (to.kind === "refused") return to.result;
  const run = { probe, to, ca: deps.ca, deadlineMs: deadlineMs - to.dnsMs };
  return secret === undefined ? probeAccepting(run) : probeState({ ...run, secret });
};

const unasked = (reason: "db_auth" | "blocked", why: string): ProbeResult => ({
  outcome: "unknown",
  reason,
  latencyMs: 0,
  facts: { why },
});

export const isFor = ({ hosts }: Pick<Secret, "hosts">, address: string): boolean => {
  const { host } = parseAddress(address);
  return hosts.some((named) => named.toLowerCase() === address.toLowerCase() || named.toLowerCase() === host.toLowerCase());
};

interface StateRun {
  readonly probe: PostgresProbe;
  readonly to: { readonly ip: string; readonly port: number; readonly dnsMs: number };
  readonly ca: readonly string[];
  readonly deadlineMs: number;
  readonly secret: Secret;
}

const probeState = async (run: StateRun): Promise<ProbeResult> => {
  const stopwatch = startStopwatch(run.to.dnsMs);
  const client = createClient(run);
  const watch = watchClient(client, { stopwatch, isTls: run.probe.tls !== "off", deadlineMs: run.deadlineMs });
  const answer = (finding: PostgresFinding, facts: ProbeResult["facts"]): ProbeResult => ({
    ...finding,
    latencyMs: stopwatch.elapsedMs(),
    phases: stopwatch.phases(),
    ...(facts === undefined ? {} : { facts }),
  });
  try {
    await client.connect();
    const { rows } = await client.query(STATE_QUERY);
    const state = PostgresState.parse(rows[0]);
    const result = answer(judgeState(state, run.probe), factsOf(state));
    // Told goodbye: a socket cut without it fills the server's log. It must not hold up the result.
    client.end().catch(() => undefined);
    return result;
  } catch (error) {
    const { finding, facts } = watch.explain(error);
    watch.cut();
    return answer(finding, facts);
  } finally {
    watch.done();
  }
};

/** Every field is given, so that no PG* variable of the environment has a say. */
const createClient = ({ probe, to, ca, deadlineMs, secret }: StateRun): pg.Client =>
  new pg.Client({
    host: to.ip,
    port: to.port,
    user: secret.user,
    password: secret.password,
    database: probe.database,
    application_name: "regent",
    ssl: probe.tls === "off" ? false : tlsOptions({ name: parseAddress(probe.address).host, ca }),
    sslnegotiation: "postgres",
    // The server ends what we no longer wait for; our own deadline holds even if it can't.
    statement_timeout: Math.max(1, Math.floor(deadlineMs)),
    lock_timeout: 500,
    keepAlive: false,
    options: "-c search_path=pg_catalog",
    client_encoding: "UTF8",
  });

interface ClientWatch {
  readonly explain: (error: unknown) => { finding: PostgresFinding; facts?: ProbeResult["facts"] };
  readonly cut: () => void;
  readonly done: () => void;
}

interface WatchOptions {
  readonly stopwatch: Stopwatch;
  readonly isTls: boolean;
  readonly deadlineMs: number;
}

const watchClient = (client: pg.Client, { stopwatch, isTls, deadlineMs }: WatchOptions): ClientWatch => {
  const { connection } = client;
  const socket = connection.stream as Socket;
  let stage: Stage = "connect";
  let isLate = false;
  let isWeak = false;
  let bytes = 0;
  const cut = (): void => {
    socket.destroy();
  };
  const timer = setTimeout(() => {
    isLate = true;
    cut();
  }, deadlineMs);

  connection.once("connect", () => {
    stopwatch.mark("connect");
    stage = isTls ? "tls" : "answer";
  });
  const countBytes = (): void => {
    connection.stream.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > ANSWER_BYTES_MAX) cut();
    });
  };
  if (!isTls) countBytes();
  connection.once("sslconnect", () => {
    countBytes();
    // The TLS handshake ends later, but before anything else can arrive.
    connection.once("message", () => {
      stage = "answer";
    });
  });
  for (const request of ["authenticationCleartextPassword", "authenticationMD5Password"]) {
    // The client's own listeners would answer with the password.
    connection.removeAllListeners(request);
    connection.once(request, () => {
      isWeak = true;
      cut();
    });
  }
  // A cut connection is reported by the call that waits for it; this only keeps a late one from being thrown.
  client.on("error", () => undefined);

  return {
    explain: (error) => {
      if (isWeak) return { finding: { outcome: "unknown", reason: "blocked" }, facts: { why: "weak-password-request" } };
      if (bytes > ANSWER_BYTES_MAX)
        return { finding: { outcome: "fail", reason: "db_error" }, facts: { why: "answer-too-large" } };
      if (isLate) return { finding: stage === "answer" ? { outcome: "fail", reason: "db_query_timeout" } : lateFinding(stage) };
      return explainError(error, stage);
    },
    cut,
    done: () => {
      clearTimeout(timer);
      const last = setTimeout(cut, GOODBYE_MS);
      last.unref();
      socket.once("close", () => clearTimeout(last));
    },
  };
};

/** Login and one row take about 2 KiB. The client keeps whatever a server sends until the message that it announced is whole. */
const ANSWER_BYTES_MAX = 256 * 1024;

/** How long a server may take to close a connection that we have ended, ms. */
const GOODBYE_MS = 1_000;

const explainError = (error: unknown, stage: Stage): { finding: PostgresFinding; facts?: ProbeResult["facts"] } => {
  if (error instanceof pg.DatabaseError) {
    const code = error.code ?? "";
    return { finding: judgeServerError({ code, message: error.message }), facts: { code } };
  }
  if (!(error instanceof Error)) return { finding: { outcome: "unknown", reason: "probe_bug" } };
  if ((error as NodeJS.ErrnoException).code !== undefined) return { finding: findingOf(error, stage) };
  // pg's own words; it gives these no code.
  if (/SSL connection/.test(error.message)) return { finding: { outcome: "fail", reason: "tls_handshake" } };
  if (/SASL|SCRAM/.test(error.message)) return { finding: { outcome: "unknown", reason: "db_auth" } };
  if (/Connection terminated/.test(error.message)) {
    return { finding: { outcome: "fail", reason: stage === "tls" ? "tls_handshake" : "tcp_reset" } };
  }
  return { finding: { outcome: "unknown", reason: "probe_bug" } };
};
