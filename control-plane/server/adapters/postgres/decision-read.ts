/** Reads decisions back: everything that a new leader needs, from one snapshot each, and single changes. */
import type { Change } from "@regent/contract";
import { and, asc, gt, inArray, notInArray, or, sql } from "drizzle-orm";
import type { Loaded, ServiceRecord } from "../../ports/decision-store.ts";
import type { Statements } from "./database.ts";
import { type ShareRow, toChange, toOutboxRow, toServiceRecord, type VerdictRow } from "./decision-rows.ts";
import { OUTBOX_LOADED_MS, REFUSED_LOADED_MS } from "./limits.ts";
import { changeStages, changes, NOW, outbox, services, shares, verdicts } from "./schema.ts";

const UNSETTLED = ["intent", "sent", "unknown"];

export const loadDecisions = async (line: Statements): Promise<Loaded> => {
  const [records, rows] = await Promise.all([loadServices(line), loadOutbox(line)]);
  const unsettled = rows.filter((row) => UNSETTLED.includes(row.state)).map((row) => row.changeId);
  const last = await line.orm
    .selectDistinctOn([changes.service], { id: changes.id })
    .from(changes)
    .orderBy(changes.service, sql`${changes.revision} desc`);
  const ids = [...new Set([...unsettled, ...last.map((row) => row.id)])];
  return { services: records, outbox: rows, changes: [...(await readChanges(line, ids)).values()] };
};

/** By id; an id that isn't known is left out. */
export const readChanges = async (line: Statements, ids: readonly string[]): Promise<ReadonlyMap<string, Change>> => {
  if (ids.length === 0) return new Map();
  const { orm } = line;
  const [rows, stages] = await Promise.all([
    orm
      .select()
      .from(changes)
      .where(inArray(changes.id, [...ids]))
      .orderBy(asc(changes.service), asc(changes.revision)),
    orm
      .select()
      .from(changeStages)
      .where(inArray(changeStages.changeId, [...ids]))
      .orderBy(asc(changeStages.position)),
  ]);
  const stagesById = new Map<string, (typeof stages)[number][]>(ids.map((id) => [id, []]));
  for (const stage of stages) stagesById.get(stage.changeId)?.push(stage);
  return new Map(rows.map((row) => [row.id, toChange(row, stagesById.get(row.id) ?? [])]));
};

export const readChange = async (line: Statements, id: string): Promise<Change | null> =>
  (await readChanges(line, [id])).get(id) ?? null;

/** One statement, so that a service and its rows are of one version whatever others commit meanwhile. */
const loadServices = async (line: Statements): Promise<readonly ServiceRecord[]> => {
  const rows = await line.orm
    .select({
      service: services,
      verdicts: sql<VerdictRow[]>`(select coalesce(json_agg(json_build_object(
        'service', v.service, 'region', v.region, 'verdict', v.verdict, 'since', v.since, 'why', v.why, 'evidence', v.evidence,
        'evidenceSince', v.evidence_since, 'before', v.before, 'detectedAt', v.detected_at, 'penalty', v.penalty,
        'penaltyAt', v.penalty_at, 'isSuppressed', v.is_suppressed, 'factor', v.factor) order by v.region), '[]')
        from ${verdicts} v where v.service = service.service)`,
      shares: sql<ShareRow[]>`(select coalesce(json_agg(json_build_object(
        'service', s.service, 'family', s.family, 'region', s.region, 'wanted', s.wanted, 'written', s.written, 'seen', s.seen)
        order by s.family, s.region), '[]')
        from ${shares} s where s.service = service.service)`,
    })
    .from(services)
    .orderBy(services.service);
  return rows.map((row) => toServiceRecord(row.service, row.verdicts, row.shares));
};

const loadOutbox = async (line: Statements) => {
  const rows = await line.orm
    .select()
    .from(outbox)
    .where(
      or(
        inArray(outbox.state, UNSETTLED),
        and(notInArray(outbox.state, ["refused", "abandoned"]), gt(outbox.createdAt, sql`${NOW} - ${OUTBOX_LOADED_MS}`)),
        gt(outbox.createdAt, sql`${NOW} - ${REFUSED_LOADED_MS}`),
      ),
    )
    .orderBy(asc(outbox.service), asc(outbox.revision));
  return rows.map(toOutboxRow);
};
