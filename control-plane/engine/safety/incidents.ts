/**
 * What counts as one incident: one cause at one region, by its departures. Two hundred services that leave a dead region are one, whether they go at once
 * or one after the other while it browns out. A service that leaves the same region again came back in between: that is the next one, so that a region
 * which fails again and again spends its budget. Pure; asked by A9 and A10.
 */
import type { Instant, RegionId, ServiceId } from "@regent/contract";
import type { ServiceDeparture, Situation } from "../model.ts";
import { DEPARTURES_KEPT_MS } from "./departures.ts";

/** An incident goes on while departures from its region follow each other within this. */
export const INCIDENT_MS = 1_800_000;

export interface Incident {
  readonly region: RegionId;
  /** Its first departure, and its last. */
  readonly from: Instant;
  readonly last: Instant;
  /** Whom it has touched so far. */
  readonly services: ReadonlySet<ServiceId>;
}

interface Growing extends Incident {
  last: Instant;
  readonly services: Set<ServiceId>;
}

interface Moment {
  readonly at: Instant;
  readonly region: RegionId;
  readonly service: ServiceId;
}

/** By their beginning. A departure that is listed twice is one. */
export const incidentsOf = (departures: readonly ServiceDeparture[]): readonly Incident[] => {
  const latest = new Map<RegionId, Growing>();
  const incidents: Growing[] = [];
  for (const moment of momentsOf(departures)) {
    const { at, region, service } = moment;
    const current = latest.get(region);
    if (current !== undefined && goesOn(current, moment)) {
      current.last = at;
      current.services.add(service);
      continue;
    }
    const begun = { region, from: at, last: at, services: new Set([service]) };
    latest.set(region, begun);
    incidents.push(begun);
  }
  return incidents;
};

const goesOn = ({ last, services }: Incident, { at, service }: Moment): boolean =>
  at - last <= INCIDENT_MS && !services.has(service);

const momentsOf = (departures: readonly ServiceDeparture[]): readonly Moment[] =>
  departures
    .flatMap(({ at, left, service }) => left.map((region) => ({ at, region, service })))
    .sort((a, b) => a.at - b.at || compare(a.region, b.region) || compare(a.service, b.service))
    .filter((one, n, all) => {
      const before = all[n - 1];
      return before?.at !== one.at || before.region !== one.region || before.service !== one.service;
    });

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** Which of these regions begin an incident when this service leaves them now; the others belong to one in which automation has acted before. */
export const begunBy = (
  { spec, now }: Pick<Situation, "spec" | "now">,
  left: readonly RegionId[],
  incidents: readonly Incident[],
): readonly RegionId[] =>
  left.filter((region) => {
    const latest = incidents.findLast((one) => one.region === region);
    return latest === undefined || !goesOn(latest, { at: now, region, service: spec.id });
  });

/** This service's own, each departure by itself. */
export const ownIncidents = (situation: Situation): readonly Incident[] => incidentsOf(ownDepartures(situation));

const ownDepartures = ({ spec, traffic }: Situation): readonly ServiceDeparture[] =>
  traffic.departures.filter(({ left }) => left.length > 0).map((one) => ({ ...one, service: spec.id }));

interface Known {
  readonly incidents: readonly Incident[];
  readonly keys: ReadonlySet<string>;
}

/** No memory but of what was worked out: the same list answers the same, and a round asks it for each of a thousand services. */
const knownByList = new WeakMap<readonly ServiceDeparture[], Known>();

const knownOf = (departures: readonly ServiceDeparture[]): Known => {
  const known = knownByList.get(departures) ?? {
    incidents: incidentsOf(departures),
    keys: new Set(departures.map(keyOf)),
  };
  knownByList.set(departures, known);
  return known;
};

const keyOf = ({ service, at }: ServiceDeparture): string => `${at} ${service}`;

/** Everybody's incidents, this service's own among them, whether they are among its surroundings yet or not. */
export const allIncidents = (situation: Situation): readonly Incident[] => {
  const { surroundings, now } = situation;
  const { incidents, keys } = knownOf(surroundings.departures);
  const missing = ownDepartures(situation).filter((one) => now - one.at < DEPARTURES_KEPT_MS && !keys.has(keyOf(one)));
  return missing.length === 0 ? incidents : incidentsOf([...surroundings.departures, ...missing]);
};
