/** A Postgres that answers every question and takes nothing, for real: a standby, and a full disk. It counts as away, and nothing is lost or put aside. */
import { pino } from "pino";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createKeepDeadLetter } from "../../operations/memory/keep-dead-letter.ts";
import { exampleAgent, exampleCommit, exampleEntry, exampleFold, exampleService, ulid } from "../../ports/suites/examples.ts";
import { connect, type Database } from "./database.ts";
import { createPostgresDeadLetters } from "./dead-letters.ts";
import { createPostgresDecisionStore } from "./decision-store.ts";
import { DatabaseAway } from "./errors.ts";
import { createPostgresEvidenceStore } from "./evidence-store.ts";
import { createPostgresLease } from "./lease.ts";
import { createListener } from "./listener.ts";
import { type TestDatabase, testDatabase } from "./testing.ts";
import { needWritable } from "./writable.ts";

const AT = 1_700_000_000_000;

let place: TestDatabase;
let owner: Database;
let opened: (() => Promise<void>)[];

beforeEach(async () => {
  place = await testDatabase();
  owner = connect(place.url, { connections: 1 });
  opened = [];
});
afterEach(async () => {
  for (const close of opened) await close();
  await owner.close();
  await place.drop();
});

const run = (text: string): Promise<unknown> => owner.attempt(({ sql }) => sql.unsafe(text));

/** As a process that connects now. */
const open = () => {
  const database = connect(place.url, { connections: 2 });
  const listener = createListener(database);
  opened.push(async () => {
    await listener.close();
    await database.close();
  });
  const letters = createPostgresDeadLetters({ database });
  return {
    database,
    letters,
    lease: createPostgresLease({ database }),
    decisions: createPostgresDecisionStore({ database }),
    evidence: createPostgresEvidenceStore({ database, listener }),
    keep: createKeepDeadLetter({
      clock: { now: () => AT },
      ids: { ulid },
      log: pino({ level: "silent" }),
      letters,
      onKept: () => undefined,
    }),
  };
};

const ingest = ({ evidence }: ReturnType<typeof open>, sequence: number) =>
  evidence.ingest("eu-a1", [], () => exampleFold(sequence, { agent: exampleAgent({ sequence }) }));

/** What a leader commits as the next revision of a service. */
const decision = (revision: number) => exampleCommit({ services: [exampleService({ revision, version: revision - 1 })] });

const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => "done",
    (error: unknown) => (error instanceof DatabaseAway ? error.code : `not away: ${String(error)}`),
  );

describe("a read-only database", () => {
  const readOnly = (is: boolean): Promise<unknown> =>
    run(`alter database ${place.name} set default_transaction_read_only = ${is}`);

  test("is away for reports, for dead letters and for the lease, answers what is asked, and says why", async () => {
    await ingest(open(), 1);
    await readOnly(true);
    const standby = open();
    expect(await codeOf(ingest(standby, 2))).toBe("25006");
    expect(await codeOf(standby.keep({ kind: "report", subject: "eu-a1", payload: {} }, new Error("poison")))).toBe("25006");
    expect(await codeOf(standby.lease.acquire("me", 15_000, 0))).toBe("25006");
    expect(await codeOf(needWritable(standby.database))).toBe("25006");
    expect((await standby.evidence.readAgents()).map(({ sequence }) => sequence)).toEqual([1]);
    expect(await standby.lease.read()).toBeNull();
    expect(await standby.letters.list({ limit: 9 })).toEqual([]);
  });

  test("is away for a leader's decisions and its lease, and keeps nothing of a commit that it refused", async () => {
    const before = open();
    await before.lease.acquire("leader", 60_000, 0);
    expect(await codeOf(before.decisions.commit(decision(1)))).toBe("done");
    await readOnly(true);
    const standby = open();
    expect(await codeOf(standby.decisions.commit(decision(2)))).toBe("25006");
    expect(await codeOf(standby.lease.renew("leader", 1, 60_000))).toBe("25006");
    const { services } = await standby.decisions.load();
    expect(services.map(({ revision }) => revision)).toEqual([1]);
  });

  test("takes everything again when it is promoted, from where it was", async () => {
    await readOnly(true);
    const before = open();
    expect(await codeOf(ingest(before, 1))).toBe("25006");
    // The owner's own connection is older than the setting.
    await readOnly(false);
    const after = open();
    expect(await codeOf(ingest(after, 1))).toBe("done");
    expect(await needWritable(after.database)).toBeGreaterThan(0);
    expect((await after.evidence.readAgents()).map(({ sequence }) => sequence)).toEqual([1]);
  });
});

describe("a full disk", () => {
  const fill = (): Promise<unknown> =>
    run(`
      create function regent.full() returns trigger language plpgsql as $$
        begin raise exception 'could not extend file: No space left on device' using errcode = '53100'; end $$;
      create trigger agent_full before insert or update on regent.agent for each statement execute function regent.full();
      create trigger letter_full before insert on regent.dead_letter for each statement execute function regent.full();`);

  test("is away for a leader's decisions: a commit that can't be written whole leaves nothing", async () => {
    const process = open();
    await process.lease.acquire("leader", 60_000, 0);
    expect(await codeOf(process.decisions.commit(decision(1)))).toBe("done");
    await run(`
      create function regent.no_room() returns trigger language plpgsql as $$
        begin raise exception 'could not extend file: No space left on device' using errcode = '53100'; end $$;
      create trigger event_full before insert on regent.history for each statement execute function regent.no_room()`);
    expect(await codeOf(process.decisions.commit({ ...decision(2), history: [exampleEntry({ id: ulid() })] }))).toBe("53100");
    expect((await process.decisions.load()).services.map(({ revision }) => revision)).toEqual([1]);
    await run("drop trigger event_full on regent.history");
    expect(await codeOf(process.decisions.commit(decision(2)))).toBe("done");
  });

  test("is away: the report stays with its agent and isn't put aside", async () => {
    const process = open();
    await ingest(process, 1);
    await fill();
    expect(await codeOf(ingest(process, 2))).toBe("53100");
    expect(await codeOf(process.keep({ kind: "report", subject: "eu-a1", payload: {} }, new Error("poison")))).toBe("53100");
    await run("drop trigger agent_full on regent.agent");
    expect(await codeOf(ingest(process, 2))).toBe("done");
    expect((await process.evidence.readAgents()).map(({ sequence }) => sequence)).toEqual([2]);
    expect(await process.letters.list({ limit: 9 })).toEqual([]);
  });
});

test("what a constraint refuses is the report's own fault: it is put aside, with the reason", async () => {
  const process = open();
  const refused = await process.evidence
    .ingest("eu-a1", [], () => exampleFold(0, { agent: exampleAgent({ boot: -1 }) }))
    .catch((error: unknown) => error);
  expect(refused).not.toBeInstanceOf(DatabaseAway);
  await process.keep({ kind: "report", subject: "eu-a1", payload: { report: "…" } }, refused);
  expect((await process.letters.list({ limit: 9 })).map(({ why }) => why)).toEqual([
    expect.stringContaining('violates check constraint "agent_boot_check"'),
  ]);
});
