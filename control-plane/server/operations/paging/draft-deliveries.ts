/** From incidents that changed to messages for each notifier: at once for what is new, worse or over, gathered for the rest. Pure. */
import type { Instant, Notify } from "@regent/contract";
import { ESCALATIONS_MAX, INCIDENT_LINES_MAX, INCIDENT_QUIET_MS, PAGE_UPDATE_EVERY_MS } from "../../limits.ts";
import type { Notice, NoticeAction } from "../../ports/notifier.ts";
import type { Delivery, StoredIncident } from "../../ports/pages.ts";
import { chooseNotifiers, dueAt } from "./choose-notifiers.ts";
import { withLine } from "./fold-effects.ts";

export interface DraftDeps {
  readonly notify: Notify | undefined;
  readonly owner: string;
  readonly newId: () => string;
  readonly now: Instant;
}

export interface Drafted {
  readonly incident: StoredIncident;
  readonly deliveries: readonly Delivery[];
}

/** `before`: as it was last written; null for a new one. Null when there is nothing to tell now. */
export const draftDeliveries = (deps: DraftDeps, before: StoredIncident | null, incident: StoredIncident): Drafted | null => {
  const chosen = chooseNotifiers(deps.notify, { severity: incident.severity, services: servicesOf(incident) });
  const newcomers = chosen.filter((id) => !incident.toldTo.includes(id));
  const isOver = incident.state === "closed";
  const isWorse = before !== null && before.severity !== incident.severity;
  const isNews = before === null || isWorse || isOver || (newcomers.length > 0 && incident.isUntold);
  if (!isNews && !(incident.isUntold && deps.now - incident.toldAt >= PAGE_UPDATE_EVERY_MS)) return null;
  const told: StoredIncident = {
    ...incident,
    toldTo: [...incident.toldTo, ...newcomers],
    toldAt: deps.now,
    isUntold: false,
  };
  // News that nobody has to follow is one message; what opened and closed before anybody was told is two, for pagers to pair.
  if (before === null && isOver && isOnlyNews(incident))
    return { incident: told, deliveries: each(deps, told, "tell", newcomers) };
  const deliveries = [
    ...each(deps, told, "open", isOver && before !== null ? [] : newcomers),
    ...each(deps, told, isOver ? "close" : "update", isOver && before === null ? newcomers : incident.toldTo),
  ];
  return { incident: told, deliveries };
};

/** One that was never open to anybody: no part of it was ever a region or a side. */
const isOnlyNews = ({ hitParts }: StoredIncident): boolean => !hitParts.some((part) => /[ /]/.test(part));

/** One that nobody acknowledged in time is told again; one that nobody heard of for a week is closed. Null when neither is due. */
export const tend = (deps: DraftDeps, incident: StoredIncident): Drafted | null => {
  if (deps.now - incident.updatedAt >= INCIDENT_QUIET_MS) {
    const why = "nothing was heard of it for 7 days; closed without being known to be well";
    const closed: StoredIncident = {
      ...incident,
      state: "closed",
      closedAt: deps.now,
      unwell: 0,
      unwellParts: [],
      lines: withLine(incident.lines, deps.now, why),
    };
    return draftDeliveries(deps, incident, closed);
  }
  const afterMs = (deps.notify?.escalateAfterSeconds ?? 0) * 1_000;
  const isDue =
    afterMs > 0 &&
    incident.severity === "critical" &&
    incident.acknowledged === null &&
    incident.escalations < ESCALATIONS_MAX &&
    deps.now - incident.openedAt >= afterMs * (incident.escalations + 1);
  if (!isDue) return null;
  const to = deps.notify?.escalateTo ?? incident.toldTo;
  const declared = new Set((deps.notify?.notifiers ?? []).map(({ id }) => id));
  const told: StoredIncident = {
    ...incident,
    escalations: incident.escalations + 1,
    toldTo: [...new Set([...incident.toldTo, ...to])],
    toldAt: deps.now,
    isUntold: false,
  };
  return {
    incident: told,
    deliveries: each(
      deps,
      told,
      "escalate",
      to.filter((id) => declared.has(id)),
    ),
  };
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
  },
});

/** The first line of a page is read; the fifth is not. */
const LINES_TOLD_MAX = Math.min(5, INCIDENT_LINES_MAX);

const OF_NO_SERVICE: ReadonlySet<string> = new Set(["control-plane:mode", "control-plane:frozen", "control-plane:dead-letters"]);

/** A part begins with its service. */
const servicesOf = ({ cause, hitParts }: StoredIncident): readonly string[] =>
  OF_NO_SERVICE.has(cause) ? [] : [...new Set(hitParts.map((part) => part.split(/[ /]/, 1)[0] ?? ""))];
