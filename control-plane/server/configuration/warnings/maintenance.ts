/** Declared maintenance that leaves a service no region: allowed, and traffic then stays where it is. Pure. */
import type { Declaration, Instant } from "@regent/contract";
import { toDrainLeadMs } from "../maintenance/drain-lead.ts";
import { findGaps, type PlannedTime } from "../maintenance/gaps.ts";
import { occurrencesAfter, type Schedule, toSchedule } from "../maintenance/schedule.ts";

/** What comes again is looked at from here on, and around what comes once. Always the same, so that a file is judged as it was yesterday. */
const REFERENCE = Date.UTC(2025, 0, 1);
/** Two months of days, a year of weeks. */
const OCCURRENCES_LOOKED_AT = 60;
/** Of what comes again, around something that comes once. */
const OCCURRENCES_AROUND = 20;
const DAY_MS = 86_400_000;

export const findMaintenanceWarnings = (declaration: Declaration): string[] => [
  ...findEndless(declaration),
  ...findGaps(declaration, timesOf(declaration)).map(
    ({ service, from, windows }) =>
      `service ${service}: maintenance ${windows.join(", ")} leaves no region, for the first time at ${new Date(from).toISOString()}: ` +
      "traffic stays where it is",
  ),
];

/** Windows so close that a region is left for the next one before it could be given back. */
const findEndless = (declaration: Declaration): string[] =>
  (declaration.maintenance ?? []).flatMap((entry) => {
    const schedule = toSchedule(entry);
    if (schedule?.kind !== "cron") return [];
    const known = occurrencesAfter(schedule, REFERENCE, OCCURRENCES_LOOKED_AT);
    const breakMs = Math.max(...known.slice(1).map(({ from }, at) => from - (known[at]?.to ?? from)));
    return declaration.services
      .filter(
        ({ id, endpoints }) =>
          (entry.services?.includes(id) ?? true) && endpoints.some(({ region }) => entry.regions.includes(region)),
      )
      .filter((service) => known.length > 1 && breakMs <= toDrainLeadMs(declaration, service))
      .map(
        (service) =>
          `service ${service.id}: maintenance ${entry.id} never ends: ${breakMs / 60_000} minutes lie between two windows at most, and traffic ` +
          `leaves ${toDrainLeadMs(declaration, service) / 60_000} minutes before each`,
      );
  });

const timesOf = ({ maintenance = [] }: Declaration): PlannedTime[] => {
  const entries = maintenance.flatMap((entry) => {
    const schedule = toSchedule(entry);
    return schedule === null ? [] : [{ ...entry, services: entry.services ?? null, schedule }];
  });
  const once = entries.flatMap(({ schedule }) => (schedule.kind === "once" ? [schedule.from] : []));
  return entries.flatMap(({ id, regions, services, schedule }) =>
    beginningsOf(schedule, once).map((occurrence) => ({ id, regions, services, ...occurrence })),
  );
};

const beginningsOf = (schedule: Schedule, once: readonly Instant[]) =>
  schedule.kind === "once"
    ? occurrencesAfter(schedule, Number.NEGATIVE_INFINITY, 1)
    : [
        ...occurrencesAfter(schedule, REFERENCE, OCCURRENCES_LOOKED_AT),
        ...once.flatMap((from) => occurrencesAfter(schedule, from - DAY_MS, OCCURRENCES_AROUND)),
      ];
