/**
 * The fenced transaction of decisions. First the lease row is held still, then each service row is written only one version further than
 * the one that was read; then everything else goes out without waiting for each answer.
 */
import type { Commit, CommitResult, DecisionStore, OutboxUpdate, ServiceRecord } from "../../ports/decision-store.ts";
import { Rollback, type Send } from "./database.ts";
import { toChangeRow, toServiceRow, toShareRows, toVerdictRows } from "./decision-rows.ts";
import { appendHistory } from "./history-write.ts";
import { toJsonText, toPlainText } from "./json.ts";
import { isLeading } from "./lease.ts";

export const writeCommit = async (send: Send, commit: Commit): Promise<CommitResult> => {
  if (!(await isLeading(send, commit.holder, commit.term))) throw new Rollback<CommitResult>({ kind: "fenced" });
  const conflict = await writeServices(send, commit.services);
  if (conflict !== null) throw new Rollback<CommitResult>({ kind: "conflict", service: conflict });
  // One connection answers in order, so these are sent together; the first failure is the one that is thrown.
  await Promise.all([
    ...writeMemory(send, commit.services),
    ...insertChanges(send, commit.changes),
    ...insertOutbox(send, commit.outboxInserts),
    ...updateOutbox(send, commit.outboxUpdates),
    ...insertStages(send, commit.stages),
  ]);
  await appendHistory(send, commit.history);
  return { kind: "committed" };
};

export const writeFreeze = async (
  send: Send,
  { holder, term, value, entry }: Parameters<DecisionStore["writeFreeze"]>[0],
): Promise<CommitResult> => {
  if (!(await isLeading(send, holder, term))) throw new Rollback<CommitResult>({ kind: "fenced" });
  if (value === null) await send`delete from regent.global_freeze`;
  else
    await send`
      insert into regent.global_freeze (by, reason, at, cause)
      values (${toPlainText(value.by)}, ${toPlainText(value.reason)}, ${value.at}, ${value.cause})
      on conflict (is_only) do update set
        by = excluded.by, reason = excluded.reason, at = excluded.at, cause = excluded.cause`;
  await appendHistory(send, [entry]);
  return { kind: "committed" };
};

/** Null when all were written; else the first service that somebody else wrote since it was read. */
const writeServices = async (send: Send, records: readonly ServiceRecord[]): Promise<string | null> => {
  if (records.length === 0) return null;
  // In the order of ids, so that two commits never wait for each other.
  const written = await send<{ service: string }[]>`
    insert into regent.service as s
      (service, version, revision, traffic, controls, is_written, expected, epoch, blocked_by, drift, seen, last_refusal,
        ownership, approval, declared, transfer, databases)
    select r.service, r.version, r.revision, r.traffic, r.controls, r."isWritten", r.expected, r.epoch, r."blockedBy", r.drift, r.seen,
      r."lastRefusal", r.ownership, r.approval, r.declared, r.transfer, r.databases
    from jsonb_to_recordset(${toJsonText(records.map(toServiceRow))}::text::jsonb) as r
      (service text, version bigint, revision bigint, traffic jsonb, controls jsonb, "isWritten" boolean, expected jsonb, epoch text,
        "blockedBy" text, drift text, seen jsonb, "lastRefusal" text, ownership jsonb, approval jsonb, declared jsonb,
        transfer jsonb, databases jsonb)
    where r.version = 1 or exists (select 1 from regent.service known where known.service = r.service)
    order by r.service
    on conflict (service) do update set
      version = excluded.version, revision = excluded.revision, traffic = excluded.traffic, controls = excluded.controls,
      is_written = excluded.is_written, expected = excluded.expected, epoch = excluded.epoch, blocked_by = excluded.blocked_by,
      drift = excluded.drift, seen = excluded.seen, last_refusal = excluded.last_refusal,
      ownership = excluded.ownership, approval = excluded.approval, declared = excluded.declared,
      transfer = excluded.transfer, databases = excluded.databases
    where s.version = excluded.version - 1
    returning s.service`;
  const names = new Set(written.map((row) => row.service));
  return records.find((record) => !names.has(record.service))?.service ?? null;
};

/** Regions and families that a record doesn't name any more lose their rows. */
const writeMemory = (send: Send, records: readonly ServiceRecord[]): Promise<unknown>[] => {
  if (records.length === 0) return [];
  const names = toJsonText(records.map((record) => record.service));
  const verdicts = toJsonText(records.flatMap(toVerdictRows));
  const shares = toJsonText(records.flatMap(toShareRows));
  return [
    send`
      delete from regent.verdict v where v.service in (select jsonb_array_elements_text(${names}::text::jsonb)) and not exists (
        select 1 from jsonb_to_recordset(${verdicts}::text::jsonb) as r (service text, region text)
        where r.service = v.service and r.region = v.region)`,
    send`
      insert into regent.verdict (service, region, verdict, since, why, evidence, evidence_since, before, detected_at, penalty,
        penalty_at, is_suppressed, factor)
      select service, region, verdict, since, why, evidence, "evidenceSince", before, "detectedAt", penalty, "penaltyAt",
        "isSuppressed", factor
      from jsonb_to_recordset(${verdicts}::text::jsonb) as r
        (service text, region text, verdict text, since bigint, why text, evidence text, "evidenceSince" bigint, before text,
          "detectedAt" bigint, penalty double precision, "penaltyAt" bigint, "isSuppressed" boolean, factor double precision)
      on conflict (service, region) do update set
        verdict = excluded.verdict, since = excluded.since, why = excluded.why, evidence = excluded.evidence,
        evidence_since = excluded.evidence_since, before = excluded.before, detected_at = excluded.detected_at,
        penalty = excluded.penalty, penalty_at = excluded.penalty_at, is_suppressed = excluded.is_suppressed, factor = excluded.factor`,
    send`delete from regent.share where service in (select jsonb_array_elements_text(${names}::text::jsonb))`,
    send`
      insert into regent.share (service, family, region, wanted, written, seen)
      select service, family, region, wanted, written, seen
      from jsonb_to_recordset(${shares}::text::jsonb) as r
        (service text, family text, region text, wanted double precision, written smallint, seen double precision)`,
  ];
};

const insertChanges = (send: Send, changes: Commit["changes"]): Promise<unknown>[] => {
  if (changes.length === 0) return [];
  return [
    send`
      insert into regent.change (id, service, revision, kind, stage, actor_kind, actor_name, reason, why, shares_before, shares_after,
        weights_before, weights_after, rules, evidence, times)
      select id, service, revision, kind, stage, "actorKind", "actorName", reason, why, "sharesBefore", "sharesAfter",
        "weightsBefore", "weightsAfter", rules, evidence, times
      from jsonb_to_recordset(${toJsonText(changes.map(toChangeRow))}::text::jsonb) as r
        (id text, service text, revision bigint, kind text, stage text, "actorKind" text, "actorName" text, reason text, why text,
          "sharesBefore" jsonb, "sharesAfter" jsonb, "weightsBefore" jsonb, "weightsAfter" jsonb, rules jsonb, evidence jsonb,
          times jsonb)`,
  ];
};

const insertOutbox = (send: Send, rows: Commit["outboxInserts"]): Promise<unknown>[] => {
  if (rows.length === 0) return [];
  return [
    send`
      insert into regent.outbox (ulid, service, revision, term, expects, state, change_id, zone_id, deletes, creates, weights,
        created_at, sent_at, change_info_id)
      select ulid, service, revision, term, expects, state, "changeId", "zoneId", deletes, creates, weights, "createdAt", "sentAt",
        "changeInfoId"
      from jsonb_to_recordset(${toJsonText(rows)}::text::jsonb) as r
        (ulid text, service text, revision bigint, term bigint, expects text, state text, "changeId" text, "zoneId" text,
          deletes jsonb, creates jsonb, weights jsonb, "createdAt" bigint, "sentAt" bigint, "changeInfoId" text)`,
  ];
};

const updateOutbox = (send: Send, updates: readonly OutboxUpdate[]): Promise<unknown>[] => {
  if (updates.length === 0) return [];
  return [
    send`
      update regent.outbox o set
        state = r.state, sent_at = coalesce(r."sentAt", o.sent_at), change_info_id = coalesce(r."changeInfoId", o.change_info_id)
      from jsonb_to_recordset(${toJsonText(updates)}::text::jsonb) as r
        (ulid text, state text, "sentAt" bigint, "changeInfoId" text)
      where o.ulid = r.ulid`,
  ];
};

/** A stage that was told before, with the same clock, is not told again. */
const insertStages = (send: Send, stages: Commit["stages"]): Promise<unknown>[] => {
  if (stages.length === 0) return [];
  return [
    send`
      insert into regent.change_stage (change_id, stage, at, clock, why)
      select r."changeId", r.stage, r.at, r.clock, r.why
      from rows from (jsonb_to_recordset(${toJsonText(stages)}::text::jsonb) as
        ("changeId" text, stage text, at bigint, clock text, why text)) with ordinality
        as r ("changeId", stage, at, clock, why, place)
      order by r.place
      on conflict on constraint change_stage_once do nothing`,
  ];
};
