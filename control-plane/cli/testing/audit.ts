/**
 * What an auditor finds when he lays Postgres beside every version that DNS had: one change, one outbox row and one history entry per revision,
 * history without a gap, nothing in DNS that was not written down first, nothing believed that DNS never had.
 */
import type { Database } from "@regent/server/adapters/postgres/database.ts";
import type { Version } from "./zone-journal.ts";

export interface Audited {
  readonly findings: readonly string[];
  readonly changes: number;
  readonly accepted: number;
  readonly takenBack: number;
}

interface Row {
  readonly ulid: string;
  readonly service: string;
  readonly revision: number;
  readonly expects: string | null;
  readonly state: string;
}

export const countUnsettled = async (database: Database): Promise<number> => {
  const [row] = await database.urgent(
    (send) => send<{ n: number }[]>`
      select count(*)::int as n from regent.outbox where state in ('intent', 'sent', 'unknown')`,
  );
  return row?.n ?? -1;
};

export const audit = async (database: Database, versions: readonly Version[]): Promise<Audited> => {
  const rows = await database.urgent((send) => send<Row[]>`select ulid, service, revision, expects, state from regent.outbox`);
  const services = await database.urgent(
    (send) => send<{ service: string; epoch: string | null }[]>`select service, epoch from regent.service`,
  );
  const findings = [
    ...(await findInBooks(database)),
    ...findInZone(rows, versions),
    ...services.flatMap(({ service, epoch }) => {
      const last = versions.findLast((version) => version.service === service);
      return last?.epoch?.ulid === epoch || (last === undefined && epoch === null)
        ? []
        : [`${service}: DNS holds revision ${last?.epoch?.revision} (${last?.epoch?.ulid}), Postgres says ${epoch}`];
    }),
  ];
  const [counted] = await database.urgent((send) => send<{ n: number }[]>`select count(*)::int as n from regent.change`);
  return {
    findings,
    changes: counted?.n ?? 0,
    accepted: versions.filter(({ isTakenBack }) => !isTakenBack).length,
    takenBack: versions.filter(({ isTakenBack }) => isTakenBack).length,
  };
};

const findInBooks = async (database: Database): Promise<string[]> => {
  const told = await database.urgent(
    (send) => send<{ service: string; revision: number; entries: number; rows: number }[]>`
      select c.service, c.revision,
        (select count(*)::int from regent.history h where h.change_id = c.id and h.kind = 'change') as entries,
        (select count(*)::int from regent.outbox o where o.change_id = c.id and (o.service, o.revision) = (c.service, c.revision)) as rows
      from regent.change c`,
  );
  const doubled = await database.urgent(
    (send) => send<{ service: string; revision: number }[]>`
      select service, revision from regent.change group by 1, 2 having count(*) > 1`,
  );
  const gaps = await database.urgent(
    (send) => send<{ scope: string; n: number; first: number; last: number; counter: number }[]>`
      select c.scope, count(h.*)::int as n, min(h.sequence) as first, max(h.sequence) as last, c.last as counter
      from regent.history_counter c left join regent.history h on coalesce(h.service, '') = c.scope group by c.scope, c.last`,
  );
  const missing = await database.urgent(
    (send) => send<{ service: string; n: number; last: number }[]>`
      select service, count(*)::int as n, max(revision) as last from regent.change group by 1 having count(*) <> max(revision)`,
  );
  const open = await countUnsettled(database);
  return [
    ...told
      .filter(({ entries, rows }) => entries !== 1 || rows !== 1)
      .map(({ service, revision, entries, rows }) => `${service} ${revision}: ${entries} history entries, ${rows} outbox rows`),
    ...doubled.map(({ service, revision }) => `${service} ${revision}: more than one change`),
    ...gaps
      .filter(({ n, first, last, counter }) => first !== 1 || n !== last || last !== counter)
      .map(({ scope, n, first, last, counter }) => `history of ${scope}: ${n} entries, ${first} to ${last}, counter ${counter}`),
    ...missing.map(({ service, n, last }) => `${service}: ${n} changes, and the last revision is ${last}`),
    ...(open === 0 ? [] : [`${open} outbox rows are not settled`]),
  ];
};

/** Follows each service's versions: every accepted batch expected the one before it, and was written down first. */
const findInZone = (rows: readonly Row[], versions: readonly Version[]): string[] => {
  const rowByUlid = new Map(rows.map((row) => [row.ulid, row]));
  const held = new Map<string, string | null>();
  const standing = new Set<string>();
  const findings: string[] = [];
  for (const { service, epoch, isTakenBack } of versions) {
    const before = held.get(service) ?? null;
    held.set(service, epoch?.ulid ?? null);
    if (isTakenBack) {
      if (before !== null) standing.delete(before);
      continue;
    }
    const row = epoch ? rowByUlid.get(epoch.ulid) : undefined;
    if (!epoch || !row) findings.push(`${service}: DNS had revision ${epoch?.revision}, which no outbox row wrote`);
    else {
      if (row.expects !== before) findings.push(`${service} ${row.revision}: expected ${row.expects}, and DNS held ${before}`);
      if (row.service !== service || row.revision !== epoch.revision)
        findings.push(`${service}: the row of ${epoch.ulid} is of ${row.service} ${row.revision}, not ${epoch.revision}`);
      if (standing.has(row.ulid)) findings.push(`${service} ${row.revision}: accepted twice`);
      standing.add(row.ulid);
    }
  }
  for (const { ulid, service, revision, state } of rows) {
    if (state === "accepted" && !standing.has(ulid))
      findings.push(`${service} ${revision}: told as accepted, and DNS does not have it`);
    if (state !== "accepted" && standing.has(ulid))
      findings.push(`${service} ${revision}: DNS has it, and it is told as ${state}`);
  }
  return findings;
};
