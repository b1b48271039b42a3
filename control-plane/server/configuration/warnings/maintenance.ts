/** Declared maintenance that leaves a service no region: allowed, and traffic then stays where it is. Pure. */
import type { Declaration, Instant } from "@regent/contract";
import { findGaps, type PlannedTime } from "../maintenance/gaps.ts";
import { occurrencesAfter, type Schedule, toSchedule } from "../maintenance/schedule.ts";

/** What comes again is looked at from here on, and around what comes once. Always the same, so that a file is judged as it was yesterday. */
const REFERENCE = Date.UTC(2025, 0, 1);
/** Two months of days, a year of weeks. */
const OCCURRENCES_LOOKED_AT = 60;
/** Of what comes again, around something that comes once. */
const OCCURRENCES_AROUND = 20;
const DAY_MS = 86_400_000;

export const findMaintenanceWarnings = (declaration: Declaration): string[] =>
  findGaps(declaration, timesOf(declaration)).map(
    ({ service, from, windows }) =>
      `service ${service}: maintenance ${windows.join(", ")} leaves no region, for the first time at ${new Date(from).toISOString()}: ` +
      "traffic stays where it is",
  );

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
