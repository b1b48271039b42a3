/**
 * Maintenance windows: when a region is worked on, and so gets no traffic, of all services or of some. Declared in the configuration (once or by a
 * cron expression in a time zone), or planned by an operator. Whether the parts fit together is checked by the server's `findMaintenanceProblems`.
 */
import * as z from "zod";
import { Instant, MaintenanceId, RegionId, ServiceId } from "./ids.ts";
import { OperatorReason } from "./operator.ts";

const isRealDay = (text: string): boolean => {
  const [year = 0, month = 0, day = 0] = text.slice(0, 10).split("-").map(Number);
  return new Date(Date.UTC(year, month - 1, day)).getUTCDate() === day && !Number.isNaN(Date.parse(text));
};

/** `2026-12-01T03:00+01:00`: without an offset a moment would depend on who reads it. */
export const OffsetTime = z
  .string()
  .regex(
    /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2})?(Z|[+-]\d{2}:\d{2})$/,
    "a moment with its offset, such as 2026-12-01T03:00+01:00",
  )
  .refine(isRealDay, "no such moment");

/** A week: what is worked on for longer is drained, or taken out of the declaration. */
export const MAINTENANCE_MINUTES_MAX = 7 * 24 * 60;

const Regions = z.array(RegionId).min(1).max(20);
const Services = z.array(ServiceId).min(1).max(1_000);
const Minutes = z.int().min(1).max(MAINTENANCE_MINUTES_MAX);

/** Either `from` and `to`, or `cron`, `minutes` and `timeZone`. */
export const MaintenanceDeclaration = z.strictObject({
  id: MaintenanceId,
  regions: Regions,
  /** All when absent. */
  services: Services.optional(),
  reason: OperatorReason,
  from: OffsetTime.optional(),
  to: OffsetTime.optional(),
  /** Minute, hour, day of the month, month, day of the week. */
  cron: z
    .string()
    .max(100)
    .regex(/^[A-Za-z0-9*,/#-]+( [A-Za-z0-9*,/#-]+){4}$/, 'five fields with one space between, such as "0 3 * * SUN"')
    .optional(),
  minutes: Minutes.optional(),
  /** The zone that the cron expression is read in, as in `Europe/Berlin`. */
  timeZone: z
    .string()
    .max(64)
    .regex(/^[A-Za-z][A-Za-z0-9_+/-]*$/, "a time zone such as Europe/Berlin or UTC")
    .optional(),
});
export type MaintenanceDeclaration = z.infer<typeof MaintenanceDeclaration>;

export const MaintenanceRequest = z.strictObject({
  regions: Regions,
  services: Services.optional(),
  /** Now when absent. */
  from: Instant.optional(),
  /** Either this or `minutes`. */
  to: Instant.optional(),
  minutes: Minutes.optional(),
  reason: OperatorReason,
  /** Say what would be planned, and what stands against it; plan nothing. */
  dryRun: z.boolean().default(false),
});
export type MaintenanceRequest = z.infer<typeof MaintenanceRequest>;

export const MaintenanceEndRequest = z.strictObject({ reason: OperatorReason });
export type MaintenanceEndRequest = z.infer<typeof MaintenanceEndRequest>;

/** One window: of a declared entry the one that is in force or comes next. */
export const MaintenanceWindow = z.object({
  /** A declared entry's id, or the ULID of a planned window. */
  id: z.string(),
  source: z.enum(["declared", "planned"]),
  regions: z.array(RegionId),
  /** null: all. */
  services: z.array(ServiceId).nullable(),
  /** The configuration, or who planned it. */
  by: z.string(),
  reason: z.string(),
  from: Instant,
  to: Instant,
  /** `draining`: traffic leaves already, so that nobody is sent there when it begins. */
  state: z.enum(["planned", "draining", "in-force"]),
  /** Of an entry that comes again. */
  repeats: z.object({ cron: z.string(), timeZone: z.string() }).nullable(),
});
export type MaintenanceWindow = z.infer<typeof MaintenanceWindow>;

/** The first to begin in front. */
export const MaintenanceList = z.object({ windows: z.array(MaintenanceWindow) });
export type MaintenanceList = z.infer<typeof MaintenanceList>;

export const MaintenanceAnswer = z.object({
  dryRun: z.boolean(),
  why: z.string(),
  window: MaintenanceWindow,
  /** Sentences: where a service would be left without a region, so that its traffic stays. */
  warnings: z.array(z.string()),
});
export type MaintenanceAnswer = z.infer<typeof MaintenanceAnswer>;

export const MaintenanceEnded = z.object({ why: z.string() });
export type MaintenanceEnded = z.infer<typeof MaintenanceEnded>;
