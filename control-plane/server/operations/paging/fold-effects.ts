/** Effects of history entries upon the open incidents: which open, grow and close. Pure. */
import type { Instant, Severity } from "@regent/contract";
import { INCIDENT_LINE_CHARACTERS_MAX, INCIDENT_LINES_MAX, INCIDENT_PARTS_MAX, INCIDENT_PARTS_TOLD_MAX } from "../../limits.ts";
import type { StoredIncident } from "../../ports/pages.ts";
import { type PageEffect, type Side, sidePart } from "./classify-entry.ts";

export interface TimedEffect {
  readonly effect: PageEffect;
  readonly at: Instant;
  readonly why: string;
}

const RANK: Readonly<Record<Severity, number>> = { info: 0, warning: 1, critical: 2 };
export const worse = (a: Severity, b: Severity): Severity => (RANK[a] >= RANK[b] ? a : b);

/** All open incidents, and those that were touched, as they are afterwards. `now` is when the fold happens. */
export const foldEffects = (
  open: readonly StoredIncident[],
  effects: readonly TimedEffect[],
  { newId, now }: { readonly newId: () => string; readonly now: Instant },
): readonly StoredIncident[] => {
  const byId = new Map(open.map((incident) => [incident.id, incident]));
  const told = new Set<string>();
  const findOpen = (cause: string) => [...byId.values()].find((each) => each.cause === cause && each.state === "open");

  for (const timed of effects) {
    const { effect } = timed;
    if (effect.step === "closes") {
      for (const incident of [...byId.values()]) closeParts(byId, incident, timed);
      closeSidesOfTheWell(byId, timed);
      continue;
    }
    const known = findOpen(effect.cause);
    if (!known && effect.step === "adds") continue;
    const incident = known ?? begin(newId(), timed, now);
    if (!known && effect.step === "tells") told.add(incident.id);
    byId.set(incident.id, grow(incident, timed, now));
  }
  // News alone is over as soon as it is told, unless something of the same cause is wrong.
  for (const id of told) {
    const incident = byId.get(id);
    if (incident?.state === "open" && incident.unwellParts.length === 0)
      byId.set(id, { ...incident, state: "closed", closedAt: now });
  }
  const before = new Map(open.map((incident) => [incident.id, incident]));
  return [...byId.values()].filter((incident) => before.get(incident.id) !== incident);
};

const begin = (id: string, { effect, at }: TimedEffect, now: Instant): StoredIncident => ({
  id,
  cause: effect.cause,
  state: "open",
  severity: effect.severity,
  title: effect.title,
  openedAt: at,
  updatedAt: at,
  closedAt: null,
  acknowledged: null,
  hit: 0,
  parts: [],
  unwell: 0,
  lines: [],
  escalations: 0,
  version: 0,
  unwellParts: [],
  hitParts: [],
  toldTo: effect.except ?? [],
  toldAt: 0,
  isUntold: true,
  alerts: [effect.severity],
  criticalSince: effect.severity === "critical" ? now : null,
  escalatedAt: null,
  ...(effect.only === undefined ? {} : { only: effect.only }),
});

/** Whoever said that they look after it said so of something less: everybody who must know is asked anew. */
const alarm = (incident: StoredIncident, severity: Severity, isWorse: boolean, now: Instant): Partial<StoredIncident> => {
  const isAnew = isWorse || incident.acknowledged !== null;
  if (!isAnew) return { escalations: 0 };
  const again = incident.alerts.filter((alert) => alert.split("-")[0] === severity).length;
  const alert = again === 0 ? severity : `${severity}-${again + 1}`;
  return {
    escalations: 0,
    acknowledged: null,
    escalatedAt: null,
    alerts: incident.alerts.length < INCIDENT_ALERTS_MAX ? [...incident.alerts, alert] : incident.alerts,
    ...(severity === "critical" ? { criticalSince: now } : {}),
  };
};

/** Each is one more call at the end of an incident. */
const INCIDENT_ALERTS_MAX = 20;

const grow = (incident: StoredIncident, { effect, at, why }: TimedEffect, now: Instant): StoredIncident => {
  const severity = worse(incident.severity, effect.severity);
  const isWorse = severity !== incident.severity;
  const isMoreCritical = effect.severity === "critical" && effect.parts.some((part) => !incident.unwellParts.includes(part));
  return withParts(
    {
      ...incident,
      ...(isWorse || isMoreCritical ? alarm(incident, severity, isWorse, now) : {}),
      severity,
      // Whom the rule names now, where it is about a rule at all.
      ...(effect.only === undefined ? {} : { only: effect.only }),
      // What is worse says what it is about; what is as bad and came first stays.
      title: isWorse ? effect.title : incident.title,
      updatedAt: Math.max(at, incident.updatedAt),
      lines: withLine(incident.lines, at, why),
      isUntold: true,
    },
    {
      unwell: union(incident.unwellParts, effect.parts),
      // A message of news has no parts that are unwell, and still concerns somebody: who isn't there by a part of theirs.
      hit: union(
        incident.hitParts,
        effect.parts.length > 0 ? effect.parts : effect.services.filter((service) => !isHit(incident, service)),
      ),
    },
  );
};

const isHit = ({ hitParts }: StoredIncident, service: string): boolean =>
  hitParts.some((part) => part.startsWith(`${service}/`) || part.startsWith(`${service} `));

const closeParts = (byId: Map<string, StoredIncident>, incident: StoredIncident, { effect, at, why }: TimedEffect): void => {
  if (incident.state !== "open" || !incident.unwellParts.some((part) => effect.parts.includes(part))) return;
  byId.set(incident.id, withoutParts(incident, effect.parts, { at, why }));
};

/** These aren't unwell any more; where that was all, it is over. */
export const withoutParts = (
  incident: StoredIncident,
  parts: readonly string[],
  { at, why }: { readonly at: Instant; readonly why: string },
): StoredIncident => {
  const unwell = incident.unwellParts.filter((part) => !parts.includes(part));
  const isOver = unwell.length === 0;
  return withParts(
    {
      ...incident,
      updatedAt: Math.max(at, incident.updatedAt),
      lines: withLine(incident.lines, at, why),
      isUntold: true,
      ...(isOver ? { state: "closed" as const, closedAt: at } : {}),
    },
    { unwell, hit: incident.hitParts },
  );
};

const SIDES: readonly Side[] = ["held back", "approval", "fail-static"];

/** A service none of whose regions is unwell any more wants no move: what was held back is held back no more. */
const closeSidesOfTheWell = (byId: Map<string, StoredIncident>, timed: TimedEffect): void => {
  for (const service of timed.effect.services) {
    if (!timed.effect.parts.some((part) => part.startsWith(`${service}/`))) continue;
    const isUnwell = [...byId.values()].some(
      ({ state, unwellParts }) => state === "open" && unwellParts.some((part) => part.startsWith(`${service}/`)),
    );
    if (isUnwell) continue;
    const parts = SIDES.map((side) => sidePart(service, side));
    for (const incident of [...byId.values()]) closeParts(byId, incident, { ...timed, effect: { ...timed.effect, parts } });
  }
};

const union = (known: readonly string[], added: readonly string[]): readonly string[] => {
  const fresh = added.filter((part) => !known.includes(part));
  return fresh.length === 0 || known.length >= INCIDENT_PARTS_MAX ? known : [...known, ...fresh];
};

const withParts = (
  incident: StoredIncident,
  { unwell, hit }: { readonly unwell: readonly string[]; readonly hit: readonly string[] },
): StoredIncident => ({
  ...incident,
  unwellParts: unwell,
  hitParts: hit,
  unwell: unwell.length,
  hit: hit.length,
  parts: hit.slice(0, INCIDENT_PARTS_TOLD_MAX),
});

export const withLine = (lines: StoredIncident["lines"], at: Instant, why: string): StoredIncident["lines"] =>
  [...lines, { at, why: why.slice(0, INCIDENT_LINE_CHARACTERS_MAX) }].slice(-INCIDENT_LINES_MAX);
