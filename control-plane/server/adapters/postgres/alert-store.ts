/** Alert rules and alerts in Postgres. Written on the connections of decisions, fenced as a commit is. */
import type { AlertRuleWrite, AlertStore, AlertsWrite, StoredAlert, StoredAlertRule } from "../../ports/alert-store.ts";
import { type Database, Rollback, type Send } from "./database.ts";
import { appendHistory } from "./history-write.ts";
import { toJsonText } from "./json.ts";
import { isLeading } from "./lease.ts";

interface RuleRow {
  readonly version: number;
  readonly body: StoredAlertRule["setting"];
}

type AlertBody = Omit<StoredAlert, "key" | "state" | "since">;
type AlertRow = Pick<StoredAlert, "key" | "state" | "since"> & { readonly body: AlertBody };

export const createPostgresAlertStore = ({ database }: { readonly database: Database }): AlertStore => ({
  readRules: () =>
    database.attempt(async ({ sql }) => {
      const rows = await sql<RuleRow[]>`select version, body from regent.alert_rule order by id collate "C"`;
      return rows.map(({ version, body }) => ({ version, setting: body }));
    }),
  writeRule: (write) => database.transaction((send) => writeRule(send, write)),
  readAlerts: () =>
    database.attempt(async ({ sql }) => {
      const rows = await sql<AlertRow[]>`select key, state, since, body from regent.alert order by key collate "C"`;
      return rows.map(({ body, ...row }) => ({ ...body, ...row }));
    }),
  writeAlerts: (write) => database.transaction((send) => writeAlerts(send, write)),
});

type RuleWritten = Awaited<ReturnType<AlertStore["writeRule"]>>;

const writeRule = async (send: Send, write: AlertRuleWrite): Promise<RuleWritten> => {
  if (!(await isLeading(send, write.holder, write.term))) throw new Rollback<RuleWritten>({ kind: "fenced" });
  const [known] = await send<{ version: number }[]>`select version from regent.alert_rule where id = ${write.id} for update`;
  const version = known?.version ?? 0;
  if (version !== write.expectedVersion) throw new Rollback<RuleWritten>({ kind: "stale", version });
  await appendHistory(send, [write.entry]);
  if (write.setting === null) {
    await send`delete from regent.alert_rule where id = ${write.id}`;
    return { kind: "written", version: 0 };
  }
  const rows = await send`
    insert into regent.alert_rule as r (id, version, body)
    values (${write.id}, ${version + 1}, ${toJsonText(write.setting)}::text::jsonb)
    on conflict (id) do update set version = excluded.version, body = excluded.body where r.version = ${version}
    returning r.id`;
  // Two that both found none: the second waited for the first, whose row is the first version.
  if (rows.length === 0) throw new Rollback<RuleWritten>({ kind: "stale", version: version + 1 });
  return { kind: "written", version: version + 1 };
};

type AlertsWritten = Awaited<ReturnType<AlertStore["writeAlerts"]>>;

const writeAlerts = async (send: Send, write: AlertsWrite): Promise<AlertsWritten> => {
  if (!(await isLeading(send, write.holder, write.term))) throw new Rollback<AlertsWritten>("fenced");
  if (write.drop.length > 0)
    await send`
      delete from regent.alert where key in (select jsonb_array_elements_text(${toJsonText(write.drop)}::text::jsonb))`;
  const rows = write.put.map(({ key, state, since, ...body }) => ({ key, state, since, body }));
  if (rows.length > 0)
    await send`
      insert into regent.alert (key, state, since, body)
      select r.key, r.state, r.since, r.body
      from jsonb_to_recordset(${toJsonText(rows)}::text::jsonb) as r (key text, state text, since bigint, body jsonb)
      on conflict (key) do update set state = excluded.state, since = excluded.since, body = excluded.body`;
  await appendHistory(send, write.history);
  return "written";
};
