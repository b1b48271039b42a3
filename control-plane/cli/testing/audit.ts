/**
 * What an auditor finds when he lays Postgres beside every version that DNS had: one change, one outbox row and one history entry per revision,
 * history without a gap, nothing in DNS that was not written down first, nothing believed that DNS never had.
 *
 * One thing may stand in DNS that was never written down: what an operator wrote without a control plane. It has no row, and none is made up for
 * it afterwards; it must say that it is frozen, and whoever wrote next must have told it by its name first. Its revisions are nobody's else.
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
  const offline = offlineVersions(rows, versions);
  const findings = [
    ...(await findInBooks(database, offline)),
    ...findInZone(rows, versions),
    ...findUntold(offline, versions, await readObeyed(database)),
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

/** Frozen, and no row of ours: taken back or not, it was there. */
const offlineVersions = (rows: readonly Row[], versions: readonly Version[]): readonly Version[] => {
  const written = new Set(rows.map(({ ulid }) => ulid));
  return versions.filter(({ epoch, isTakenBack }) => !isTakenBack && epoch?.mode === "frozen" && !written.has(epoch.ulid));
};

/** ULIDs of the offline decisions that history tells of. */
const readObeyed = async (database: Database): Promise<ReadonlySet<string>> => {
  const told = await database.urgent(
    (send) => send<{ ulid: string }[]>`
      select detail->>'ulid' as ulid from regent.history where kind = 'freeze' and detail->>'cause' = 'offline'`,
  );
  return new Set(told.map(({ ulid }) => ulid));
};

/** Only the last of several in a row is seen by who comes back. */
const findUntold = (offline: readonly Version[], versions: readonly Version[], obeyed: ReadonlySet<string>): string[] => {
  const isOffline = new Set(offline);
  return offline.flatMap((version) => {
    const next = versions.slice(versions.indexOf(version) + 1).find(({ service }) => service === version.service);
    const isLast = next === undefined || !isOffline.has(next);
    return isLast && !obeyed.has(version.epoch?.ulid ?? "")
      ? [`${version.service}: an operator wrote revision ${version.epoch?.revision} offline, and history doesn't tell it`]
      : [];
  });
};

const findInBooks = async (database: Database, offline: readonly Version[]): Promise<string[]> => {
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
  const made = await database.urgent(
    (send) => send<{ service: string; revisions: number[] }[]>`
      select service, array_agg(revision::int order by revision) as revisions from regent.change group by 1`,
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
    ...made.flatMap(({ service, revisions }) => {
      const known = new Set([
        ...revisions,
        ...offline.flatMap((version) => (version.service === service ? (version.epoch?.revision ?? []) : [])),
      ]);
      const last = Math.max(...revisions);
      const missing = Array.from({ length: last }, (_, i) => i + 1).filter((revision) => !known.has(revision));
      return missing.length === 0 ? [] : [`${service}: the last revision is ${last}, and nobody made ${missing.join(", ")}`];
    }),
    ...(open === 0 ? [] : [`${open} outbox rows are not settled`]),
  ];
};

/** Follows each service's versions: every accepted batch expected the one before it, and was written down first. */
const findInZone = (rows: readonly Row[], versions: readonly Version[]): string[] => {
  const rowByUlid = new Map(rows.map((row) => [row.ulid, row]));
  const held = new Map<string, string | null>();
  const revisions = new Map<string, number>();
  const standing = new Set<string>();
  const findings: string[] = [];
  for (const { service, epoch, isTakenBack } of versions) {
    const before = held.get(service) ?? null;
    held.set(service, epoch?.ulid ?? null);
    const previous = revisions.get(service);
    revisions.set(service, epoch?.revision ?? 0);
    if (isTakenBack) {
      if (before !== null) standing.delete(before);
      continue;
    }
    const row = epoch ? rowByUlid.get(epoch.ulid) : undefined;
    if (epoch?.mode === "frozen" && !row) {
      if (previous !== undefined && epoch.revision !== previous + 1)
        findings.push(`${service}: an operator wrote revision ${epoch.revision} offline over ${previous}`);
    } else if (!epoch || !row) findings.push(`${service}: DNS had revision ${epoch?.revision}, which no outbox row wrote`);
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
