/** From incidents that changed to messages for each notifier: at once for what is new, worse or over, gathered for the rest. Pure. */
import type { Instant, Notify } from "@regent/contract";
import { ESCALATIONS_MAX, INCIDENT_LINES_MAX, INCIDENT_QUIET_MS, PAGE_UPDATE_EVERY_MS } from "../../limits.ts";
import type { Notice, NoticeAction } from "../../ports/notifier.ts";
import type { Delivery, StoredIncident } from "../../ports/pages.ts";
import { chooseNotifiers, dueAt, type Told } from "./choose-notifiers.ts";
import { isAlertCause } from "./classify-alert.ts";
import { withoutParts } from "./fold-effects.ts";

export interface DraftDeps {
  readonly notify: Notify | undefined;
  readonly owner: string;
  readonly newId: () => string;
  readonly now: Instant;
  /** Regions by service; null while that isn't known. */
  readonly declared: DeclaredRegions | null;
}

export type DeclaredRegions = ReadonlyMap<string, ReadonlySet<string>>;

export interface Drafted {
  readonly incident: StoredIncident;
  readonly deliveries: readonly Delivery[];
}

/** `before`: as it was last written; null for a new one. Null when there is nothing to tell now. */
export const draftDeliveries = (deps: DraftDeps, before: StoredIncident | null, incident: StoredIncident): Drafted | null => {
  const chosen = chooseNotifiers(deps.notify, toTold(incident));
  const newcomers = chosen.filter((id) => !incident.toldTo.includes(id));
  const isOver = incident.state === "closed";
  // Worse, or more of the worst after somebody said that they look after it.
  const isAnew =
    before !== null &&
    (before.severity !== incident.severity || (before.acknowledged !== null && incident.acknowledged === null));
  const isGathered = incident.isUntold && distance(deps.now, incident.toldAt) >= PAGE_UPDATE_EVERY_MS;
  const isForAll = before === null || isAnew || isOver || isGathered;
  if (!isForAll && newcomers.length === 0) return null;
  const toldTo = [...incident.toldTo, ...newcomers];
  const told: StoredIncident = isForAll ? { ...incident, toldTo, toldAt: deps.now, isUntold: false } : { ...incident, toldTo };
  // News that nobody has to follow is one message; what opened and closed before anybody was told is two, for pagers to pair.
  if (before === null && isOver && isOnlyNews(incident))
    return { incident: told, deliveries: each(deps, told, "tell", newcomers) };
  const known = isOver && before === null ? newcomers : incident.toldTo;
  return {
    incident: told,
    deliveries: [
      ...each(deps, told, "open", isOver && before !== null ? [] : newcomers),
      ...(isForAll ? each(deps, told, isOver ? "close" : "update", known) : []),
    ],
  };
};

/** One that was never open to anybody: no part of it was ever a region or a side. */
const isOnlyNews = ({ hitParts }: StoredIncident): boolean => !hitParts.some((part) => /[ /]/.test(part));

/**
 * One that nobody acknowledged in time is told again; one that nobody heard of for a week is closed, and so is what belongs to something that
 * isn't declared any more. Null when none of it is due.
 */
export const tend = (deps: DraftDeps, incident: StoredIncident): Drafted | null => {
  const close = (parts: readonly string[], why: string): Drafted => {
    const left = withoutParts(incident, parts, { at: deps.now, why });
    return draftDeliveries(deps, incident, left) ?? { incident: left, deliveries: [] };
  };
  const strays = straysOf(deps, incident);
  if (strays.length > 0)
    return close(
      strays,
      `${strays.slice(0, STRAYS_TOLD_MAX).join(", ")}: not declared any more; closed without being known to be well`,
    );
  if (deps.now - incident.updatedAt >= INCIDENT_QUIET_MS)
    return close(incident.unwellParts, "nothing was heard of it for 7 days; closed without being known to be well");
  if (!isEscalationDue(deps, incident)) return null;
  const to = escalatesTo(deps, incident);
  if (to.length === 0) return null;
  const told: StoredIncident = {
    ...incident,
    escalations: incident.escalations + 1,
    escalatedAt: deps.now,
    toldTo: [...new Set([...incident.toldTo, ...to])],
    toldAt: deps.now,
    isUntold: false,
  };
  const isFresh = (id: string): boolean => !incident.toldTo.includes(id) && !deps.notify?.escalateTo?.includes(id);
  return {
    incident: told,
    deliveries: [
      ...each(deps, told, "open", to.filter(isFresh)),
      ...each(
        deps,
        told,
        "escalate",
        to.filter((id) => !isFresh(id)),
      ),
    ],
  };
};

/** Told again since the last time, or since it became what it is: an outage or a jump of the clock doesn't call three times at once. */
const isEscalationDue = ({ notify, now }: DraftDeps, incident: StoredIncident): boolean => {
  const afterMs = (notify?.escalateAfterSeconds ?? 0) * 1_000;
  if (afterMs === 0 || incident.criticalSince === null || incident.acknowledged !== null) return false;
  const since = incident.escalatedAt ?? incident.criticalSince;
  return incident.escalations < ESCALATIONS_MAX && distance(now, since) >= afterMs;
};

/** A moment far ahead was noted before the clock was put back: waiting for it would be hours of silence. */
const distance = (now: Instant, noted: Instant): number => Math.abs(now - noted);

/** Where those who are named aren't there: who knows of it, and who would be told of it today. */
const escalatesTo = ({ notify }: DraftDeps, incident: StoredIncident): readonly string[] => {
  const declared = new Set((notify?.notifiers ?? []).map(({ id }) => id));
  const named = (notify?.escalateTo ?? []).filter((id) => declared.has(id));
  if (named.length > 0) return named;
  const chosen = chooseNotifiers(notify, toTold(incident));
  return [...new Set([...incident.toldTo.filter((id) => declared.has(id)), ...chosen])];
};

/** It asks for somebody, and there is nobody. */
export const isUnheard = (deps: DraftDeps, incident: StoredIncident): boolean =>
  incident.state === "open" && isEscalationDue(deps, incident) && escalatesTo(deps, incident).length === 0;

const STRAYS_TOLD_MAX = 3;

/** Parts of services and regions that aren't there any more; no entry of history can ever close them. */
const straysOf = ({ declared }: DraftDeps, { cause, unwellParts }: StoredIncident): readonly string[] => {
  if (declared === null || isOfNoService(cause)) return [];
  return unwellParts.filter((part) => {
    const [service = "", region] = part.split("/", 2);
    return region === undefined ? !declared.has(service.split(" ", 1)[0] ?? "") : !declared.get(service)?.has(region);
  });
};

/** To all who know of it. */
export const draftAcknowledgement = (deps: DraftDeps, incident: StoredIncident): readonly Delivery[] =>
  each(deps, incident, "acknowledge", incident.toldTo);

const each = (deps: DraftDeps, incident: StoredIncident, action: NoticeAction, notifiers: readonly string[]): Delivery[] =>
  notifiers.map((notifier) => ({
    notifier,
    dueAt: dueAt(deps.notify?.quietHours, incident.severity, deps.now),
    createdAt: deps.now,
    attempts: 0,
    notice: toNotice(deps, incident, action),
  }));

export const toNotice = ({ owner, newId, now }: DraftDeps, incident: StoredIncident, action: NoticeAction): Notice => ({
  id: newId(),
  action,
  at: now,
  owner,
  incident: {
    id: incident.id,
    cause: incident.cause,
    severity: incident.severity,
    title: incident.title,
    openedAt: incident.openedAt,
    hit: incident.hit,
    unwell: incident.unwell,
    parts: incident.parts,
    lines: incident.lines.slice(-LINES_TOLD_MAX),
    acknowledgedBy: incident.acknowledged?.by ?? null,
    alerts: incident.alerts,
  },
});

/** The first line of a page is read; the fifth is not. */
const LINES_TOLD_MAX = Math.min(5, INCIDENT_LINES_MAX);

/** Their parts are named for no service. */
const OF_NO_SERVICE: ReadonlySet<string> = new Set([
  "control-plane:mode",
  "control-plane:frozen",
  "control-plane:dead-letters",
  "control-plane:vantages",
]);

const isOfNoService = (cause: string): boolean => OF_NO_SERVICE.has(cause) || isAlertCause(cause);

const toTold = (incident: StoredIncident): Told => ({
  severity: incident.severity,
  services: servicesOf(incident),
  ...(incident.only === undefined ? {} : { only: incident.only }),
});

/** A part begins with its service. */
const servicesOf = ({ cause, hitParts }: StoredIncident): readonly string[] =>
  isOfNoService(cause) ? [] : [...new Set(hitParts.map((part) => part.split(/[ /]/, 1)[0] ?? ""))];
