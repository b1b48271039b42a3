/** Every maintenance window that is in force or comes next: of the declaration and of operators, as one list. Pure. */
import type { Declaration, Instant, MaintenanceWindow } from "@regent/contract";
import { occurrencesAfter, type Schedule, toSchedule } from "../../configuration/maintenance/schedule.ts";
import type { StoredWindow } from "../../ports/maintenance-store.ts";

export type KnownWindow = Omit<MaintenanceWindow, "state">;

/** Whose the declared ones are. */
export const CONFIGURATION = "the configuration";

/** Enough that the one after the one in force is known: its traffic may have to leave before that one ends. */
const OCCURRENCES_KNOWN = 2;

/** Those that end after `at`, the first to begin in front. */
export const windowsAfter = (
  { maintenance = [] }: Pick<Declaration, "maintenance">,
  stored: readonly StoredWindow[],
  at: Instant,
): readonly KnownWindow[] =>
  [
    ...maintenance.flatMap((entry) => {
      const schedule = toSchedule(entry);
      if (schedule === null) throw new Error(`Maintenance ${entry.id} was not checked.`);
      const { id, regions, services = null, reason } = entry;
      const base = {
        id,
        source: "declared" as const,
        regions,
        services,
        reason,
        by: CONFIGURATION,
        repeats: repeatsOf(schedule),
      };
      return occurrencesAfter(schedule, at, OCCURRENCES_KNOWN).map((occurrence) => ({ ...base, ...occurrence }));
    }),
    ...stored.filter(({ to }) => to > at).map(toKnown),
  ].sort((a, b) => a.from - b.from || (a.id < b.id ? -1 : 1));

export const toKnown = ({ id, regions, services, by, reason, from, to }: StoredWindow): KnownWindow => ({
  id,
  source: "planned",
  regions: [...regions],
  services: services === null ? null : [...services],
  by,
  reason,
  from,
  to,
  repeats: null,
});

const repeatsOf = (schedule: Schedule): KnownWindow["repeats"] =>
  schedule.kind === "once" ? null : { cron: schedule.cron, timeZone: schedule.timeZone };

/** One occurrence of one window, whatever process and restart speaks of it. */
export const keyOf = ({ id, from }: Pick<KnownWindow, "id" | "from">): string => `${id}@${from}`;

export const isAbout = (
  { regions, services }: Pick<KnownWindow, "regions" | "services">,
  service: string,
  region: string,
): boolean => regions.includes(region) && (services === null || services.includes(service));

/** `2026-12-01 02:00:00Z` */
export const momentText = (at: Instant): string => `${new Date(at).toISOString().slice(0, 19).replace("T", " ")}Z`;
