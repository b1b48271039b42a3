/**
 * What is remembered of a move of automation, once DNS has told whether anybody received it: a move that never arrived is forgotten, so that no
 * rule holds a true failover for traffic that nobody got, and is remembered again when it arrives after all. Pure. A row and its departure bear the
 * moment of their decision.
 */
import type { Change, Instant } from "@regent/contract";
import type { Departure, TrafficMemory } from "@regent/engine";
import { movedPart, toFindings } from "@regent/engine/safety/departures.ts";
import { gains, leaves, regionsWhere } from "@regent/engine/strategy/parts.ts";
import type { ServiceRecord } from "../../ports/decision-store.ts";

/** The same record when automation moved nothing at that moment. */
export const withoutDeparture = (record: ServiceRecord, at: Instant): ServiceRecord => {
  const { traffic } = record;
  const departures = traffic.departures.filter((one) => one.at !== at);
  if (departures.length === traffic.departures.length) return record;
  const last = departures.findLast(({ left }) => left.length > 0)?.at ?? null;
  const isLast = traffic.lastAutomaticFailoverAt === at;
  return toRecord(record, { departures, lastAutomaticFailoverAt: isLast ? last : traffic.lastAutomaticFailoverAt });
};

/** The same record when it is remembered already, or was nothing that counts. */
export const withDeparture = (record: ServiceRecord, change: Change | null, at: Instant): ServiceRecord => {
  const { traffic } = record;
  if (change === null || !counts(change) || traffic.departures.some((one) => one.at === at)) return record;
  const departures = [...traffic.departures, departureOf(change, at)].sort((a, b) => a.at - b.at);
  const isLater = change.kind === "failover" && at > (traffic.lastAutomaticFailoverAt ?? Number.NEGATIVE_INFINITY);
  return toRecord(record, { departures, lastAutomaticFailoverAt: isLater ? at : traffic.lastAutomaticFailoverAt });
};

const toRecord = (
  record: ServiceRecord,
  known: Pick<TrafficMemory, "departures" | "lastAutomaticFailoverAt">,
): ServiceRecord => ({ ...record, traffic: { ...record.traffic, ...known } });

/** As in the engine: returns and drains aren't counted. */
const counts = ({ actor, kind }: Change): boolean => actor.kind === "automation" && (kind === "failover" || kind === "rebalance");

const departureOf = ({ kind, weightsBefore, weightsAfter, evidence }: Change, at: Instant): Departure => {
  const empty = regionsWhere(weightsBefore, weightsAfter, leaves);
  const isFaulty = (region: string): boolean => evidence.some((one) => one.region === region && FAULTY.has(one.verdict));
  const left = kind === "failover" ? empty.filter(isFaulty) : [];
  const against = evidence.flatMap(({ region, votes }) =>
    left.includes(region) ? votes.filter(({ vote }) => vote === "down") : [],
  );
  return {
    at,
    left,
    received: regionsWhere(weightsBefore, weightsAfter, gains),
    moved: movedPart(weightsBefore, weightsAfter),
    vantages: unique(against.map(({ vantage }) => vantage)),
    findings: unique(against.flatMap(({ because }) => toFindings(because))),
  };
};

const FAULTY: ReadonlySet<string> = new Set(["unhealthy", "recovering", "degraded"]);

const unique = (texts: readonly string[]): readonly string[] => [...new Set(texts)].sort();
