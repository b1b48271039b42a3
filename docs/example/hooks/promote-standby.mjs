#!/usr/bin/env node
/**
 * An example of the hook that docs/HOOKS.md describes, for two Postgres of which one streams to the other: fences the old, promotes the new.
 * Made to be read and taken as a beginning. Needs Node 22 or newer and one package, `npm install postgres`.
 *
 *   node promote-standby.mjs settings.json
 *
 * The settings hold passwords, so only their owner should be able to read them (mode 0600):
 *
 *   {
 *     "port": 7480,            of 127.0.0.1; 0 chooses a free one, which the first line on stdout tells
 *     "secret": "whsec_…",     the same that Regent signs with
 *     "databases": { "eu-west": "postgres://regent_hook:…@host:5432/postgres", "us-east": "…" }    by the regions' names
 *   }
 *
 * Its role in the databases may fence and promote, and nothing else (Postgres 15 or newer):
 *
 *   CREATE ROLE regent_hook LOGIN PASSWORD '…';
 *   GRANT pg_monitor, pg_signal_backend TO regent_hook;
 *   GRANT ALTER SYSTEM ON PARAMETER default_transaction_read_only TO regent_hook;
 *   GRANT EXECUTE ON FUNCTION pg_reload_conf(), pg_promote(boolean, integer) TO regent_hook;
 *
 * It keeps nothing on disk: how far a transfer is, the databases themselves say, so it may be ended and started again in the middle of one.
 *
 * What this fence is and isn't: new transactions are read-only and everybody who was connected is put out. A superuser, or a program that sets
 * transaction_read_only itself, still writes. An old primary that can't be reached is not fenced: the answer says so, and when it comes back it
 * is fenced then, within a second or two in which it does take writes. Who can't have that fences below the database: its network, its disk,
 * its power.
 */
import { createHmac, timingSafeEqual } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { setTimeout as pause } from "node:timers/promises";
import postgres from "postgres";

const BODY_BYTES_MAX = 64 * 1024;
const CLOCK_SKEW_S_MAX = 300;
/** A dead host answers no dial; the answer to Regent has 5 s. */
const CONNECT_S_MAX = 2;
/** How long one look, one fencing or one promotion may take. */
const WORK_MS_MAX = 25_000;
/** A request is held open for so long, and then answered `working`. */
const ANSWER_MS = 3_000;
/** How often it is looked whether an old primary is back. */
const WATCH_MS = 1_000;

const settings = readSettings(process.argv[2]);
/** What is being done, by webhook-id: a double waits for the same work. One at a time. */
const underWay = new Map();
/** What was done lately, by webhook-id: a late double must not promote what has become a standby again meanwhile. */
const done = new Map();
const DONE_MAX = 1_000;

// ------------------------------------------------------------------------------------------------ the request

const server = createServer((request, response) => {
  answer(request).then(
    ([status, body]) => response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body)),
    (error) => {
      log("failed", { why: wordOf(error) });
      response.writeHead(500).end();
    },
  );
});

const answer = async (request) => {
  if (request.method !== "POST") return [405, { why: "POST only" }];
  const body = await readBody(request);
  if (body === undefined) return [413, { why: `at most ${BODY_BYTES_MAX} bytes` }];
  // Before anything in it is believed, or even parsed.
  if (!isSigned(request.headers, body)) return [401, { why: "the signature doesn't match, or its time is off" }];
  const call = JSON.parse(body.toString());
  if (call.type !== "regent.transfer.prepare") return [400, { why: `no such type: ${call.type}` }];
  if (call.transfer !== request.headers["webhook-id"]) return [400, { why: "webhook-id and transfer differ" }];
  for (const region of [call.from, call.to])
    if (!Object.hasOwn(settings.databases, region)) return [200, refused(`no database is known in ${region}`)];
  if (!(Date.parse(call.deadline) > Date.now())) return [200, refused("the deadline is over")];
  const outcome = await begin(call);
  log(outcome.state, { transfer: call.transfer, from: call.from, to: call.to, fenced: outcome.fenced, why: outcome.why });
  // Not an answer: Regent tries again, until the deadline.
  return [outcome.state === "failed" ? 503 : 200, outcome];
};

/** HMAC over id, time and the bytes as they came, as Standard Webhooks have it; one of several signatures must fit. */
const isSigned = (headers, body) => {
  const { "webhook-id": id, "webhook-timestamp": time, "webhook-signature": given } = headers;
  if (!id || !given || !/^\d{1,12}$/.test(time ?? "")) return false;
  if (Math.abs(Date.now() / 1000 - Number(time)) > CLOCK_SKEW_S_MAX) return false;
  const wanted = createHmac("sha256", settings.key).update(`${id}.${time}.`).update(body).digest();
  return given.split(" ").some((one) => {
    const [version, signature = ""] = one.split(",");
    const bytes = Buffer.from(signature, "base64");
    return version === "v1" && bytes.length === wanted.length && timingSafeEqual(bytes, wanted);
  });
};

const readBody = async (request) => {
  const chunks = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += chunk.length;
    if (bytes > BODY_BYTES_MAX) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
};

/** Begins the work once for each webhook-id, waits for it a little, and says how far it is. */
const begin = async (call) => {
  const id = call.transfer;
  if (done.has(id)) return done.get(id);
  if (!underWay.has(id)) {
    if (underWay.size > 0) return { state: "working", fenced: null, why: "another transfer is under way" };
    const work = transfer(call).finally(() => underWay.delete(id));
    work.then((outcome) => outcome.state === "promoted" && keep(id, outcome)).catch(() => undefined);
    underWay.set(id, work);
  }
  return Promise.race([underWay.get(id), pause(ANSWER_MS, { state: "working", fenced: null })]);
};

const keep = (id, outcome) => {
  done.set(id, outcome);
  if (done.size > DONE_MAX) done.delete(done.keys().next().value);
};

// ------------------------------------------------------------------------------------------------ the work

/** Fence first, then promote. */
const transfer = async ({ from, to, deadline }) => {
  const seen = await look(to);
  if (seen === undefined) return { state: "failed", why: `the database in ${to} can't be reached` };
  if (!seen.isStandby && seen.isReadOnly)
    return refused(`the database in ${to} is a fenced primary, not a standby: rebuild it first`);
  const old = await fence(from);
  // A double, or a promotion that an earlier call began: promoted again would be an error of Postgres.
  if (!seen.isStandby) return { state: "promoted", fenced: old !== undefined };
  if (old?.lsn && !(await catchUp(to, old.lsn, deadline)))
    return { state: "working", fenced: true, why: `the standby in ${to} has not yet received everything from ${from}` };
  if (Date.now() > Date.parse(deadline)) return refused("the deadline is over");
  await asHook(to, (sql) => sql`select pg_promote(wait => true, wait_seconds => 20)`);
  const now = await look(to);
  if (now === undefined || now.isStandby) return { state: "working", fenced: old !== undefined, why: "promoting" };
  return { state: "promoted", fenced: old !== undefined };
};

/** How far it had written, null of a standby; undefined when it can't be reached. */
const fence = async (region) => {
  try {
    return await asHook(region, async (sql) => {
      const [{ standby }] = await sql`select pg_is_in_recovery() as standby`;
      if (standby) return { lsn: null };
      await sql`alter system set default_transaction_read_only = on`;
      await sql`select pg_reload_conf()`;
      // The reload is a signal, answered a little later. Who connects after that can't write; who was connected before is put out.
      while ((await sql`select current_setting('default_transaction_read_only') as value`)[0].value !== "on") await pause(20);
      await sql`
        select pg_terminate_backend(pid) from pg_stat_activity join pg_roles on pg_roles.oid = usesysid
        where backend_type = 'client backend' and pid <> pg_backend_pid() and not rolsuper`;
      const [{ lsn }] = await sql`select pg_current_wal_lsn()::text as lsn`;
      return { lsn };
    });
  } catch (error) {
    if (isUnreachable(error)) return undefined;
    throw error;
  }
};

/** What the old primary wrote before its fence, the standby has: nothing is lost by a move that was planned. */
const catchUp = async (region, lsn, deadline) => {
  const until = Math.min(Date.now() + WORK_MS_MAX, Date.parse(deadline));
  while (Date.now() < until) {
    const has = await asHook(region, async (sql) => {
      const [row] = await sql`select pg_last_wal_replay_lsn() >= ${lsn}::pg_lsn as has`;
      return row.has;
    });
    if (has) return true;
    await pause(100);
  }
  return false;
};

/** Of two that take writes, the one that a promotion has left behind is on the older timeline: it is fenced as soon as it can be reached. */
const watchForReturns = async () => {
  for (;;) {
    await pause(WATCH_MS);
    if (underWay.size > 0) continue;
    const regions = Object.keys(settings.databases);
    const seen = await Promise.all(regions.map((region) => look(region).catch(() => undefined)));
    const writable = regions.filter((_, index) => seen[index] !== undefined && !seen[index].isStandby && !seen[index].isReadOnly);
    const timelineOf = (region) => seen[regions.indexOf(region)].timeline;
    const newest = Math.max(...writable.map(timelineOf));
    for (const region of writable.filter((one) => timelineOf(one) < newest)) {
      const fenced = await fence(region).catch(() => undefined);
      if (fenced) log("fenced", { region, why: "it came back after another one was promoted" });
    }
  }
};

// ------------------------------------------------------------------------------------------------ the databases

/** Undefined when it can't be reached. */
const look = async (region) => {
  try {
    return await asHook(region, async (sql) => {
      const [row] = await sql`
        select pg_is_in_recovery() as "isStandby", current_setting('transaction_read_only')::bool as "isReadOnly",
          case when pg_is_in_recovery() then 0
            else ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::int end as timeline`;
      return row;
    });
  } catch (error) {
    if (isUnreachable(error)) return undefined;
    throw error;
  }
};

/** A connection for each piece of work: nothing is pooled that a dead host could hold. */
const asHook = async (region, work) => {
  const sql = postgres(settings.databases[region], {
    max: 1,
    connect_timeout: CONNECT_S_MAX,
    backoff: () => 0,
    fetch_types: false,
    onnotice: () => undefined,
    connection: { application_name: "regent-hook", statement_timeout: WORK_MS_MAX },
  });
  const isOver = new AbortController();
  // The server's own timeout says nothing where no byte passes any more.
  const late = pause(WORK_MS_MAX, undefined, { signal: isOver.signal }).then(() => {
    throw Object.assign(new Error("no answer"), { code: "ETIMEDOUT" });
  });
  late.catch(() => undefined);
  try {
    return await Promise.race([work(sql), late]);
  } finally {
    isOver.abort();
    await sql.end({ timeout: 1 });
  }
};

/** No answer, or one that says that it is starting or stopping. A wrong password is not this: it must not pass for a dead host. */
const isUnreachable = (error) => /^(ECONN|EHOST|ENET|ETIMEDOUT|EPIPE|CONNECT|CONNECTION_|57P0)/.test(error?.code ?? "");

// ------------------------------------------------------------------------------------------------ small things

function readSettings(path) {
  if (path === undefined) throw new Error("name the settings file");
  const { port = 0, secret, databases } = JSON.parse(readFileSync(path, "utf8"));
  const key = Buffer.from(secret.replace(/^whsec_/, ""), "base64");
  if (!secret.startsWith("whsec_") || key.length < 24)
    throw new Error("the secret must be `whsec_` and at least 24 bytes in base64");
  return { key, databases, port };
}

const refused = (why) => ({ state: "refused", fenced: null, why });

/** Never a connection string: it holds the password. */
const wordOf = (error) => error?.code ?? error?.name ?? "unknown";

const log = (what, more) => process.stderr.write(`${JSON.stringify({ at: new Date().toISOString(), what, ...more })}\n`);

server.listen(settings.port, "127.0.0.1", () => {
  process.stdout.write(`${JSON.stringify({ ready: true, port: server.address().port, pid: process.pid })}\n`);
});
for (const signal of ["SIGTERM", "SIGINT"]) process.on(signal, () => process.exit(0));
void watchForReturns();
