/**
 * When a declared maintenance entry is in force: once, or each time that its cron expression says, for so many minutes. Pure.
 *
 * A cron expression names times on a wall clock. On the day on which that clock skips the named time, the window begins at the first moment after
 * the gap; where the clock shows a time twice, it begins at the first of the two, once. (Expressions that name an hour by steps or lists, such as
 * every 30 minutes, begin whenever the clock shows such a time: in both of two equal hours, and not in an hour that is skipped.) A window lasts its minutes by
 * a stopwatch, whatever clocks are turned meanwhile.
 */
import type { Instant, MaintenanceDeclaration } from "@regent/contract";
import { Cron } from "croner";

export interface Occurrence {
  readonly from: Instant;
  readonly to: Instant;
}

export type Schedule =
  | ({ readonly kind: "once" } & Occurrence)
  | { readonly kind: "cron"; readonly cron: string; readonly timeZone: string; readonly lengthMs: number };

/** Null where the parts don't fit together. */
export const toSchedule = (entry: MaintenanceDeclaration): Schedule | null => {
  const { from, to, cron, minutes, timeZone } = entry;
  const isOnce = from !== undefined && to !== undefined;
  const isCron = cron !== undefined && minutes !== undefined && timeZone !== undefined;
  if (isOnce && cron === undefined && minutes === undefined && timeZone === undefined)
    return { kind: "once", from: Date.parse(from), to: Date.parse(to) };
  if (isCron && from === undefined && to === undefined) return { kind: "cron", cron, timeZone, lengthMs: minutes * 60_000 };
  return null;
};

/** Those that end after `at`, oldest first. Throws what a checked declaration doesn't have. */
export const occurrencesAfter = (schedule: Schedule, at: Instant, countMax: number): readonly Occurrence[] => {
  if (schedule.kind === "once") return schedule.to > at ? [{ from: schedule.from, to: schedule.to }] : [];
  const { lengthMs } = schedule;
  // The search leaves its own moment out, and this one would end just then.
  return beginningsAfter(schedule, at - lengthMs, countMax).map((from) => ({ from, to: from + lengthMs }));
};

type CronSchedule = Extract<Schedule, { readonly kind: "cron" }>;

const beginningsAfter = ({ cron, timeZone }: CronSchedule, after: Instant, countMax: number): readonly Instant[] => {
  const pattern = new Cron(cron, { timezone: timeZone, mode: "5-part", paused: true });
  return pattern.nextRuns(countMax, new Date(after)).map((date) => date.getTime());
};

/** Any moment will do, as long as it is always the same: what is allowed today must be allowed tomorrow. A Wednesday in winter. */
const REFERENCE = Date.UTC(2025, 0, 1);
/** A field of a cron expression repeats within this many beginnings of anything that takes hours. */
const BEGINNINGS_LOOKED_AT = 60;
/** Clocks are turned by an hour. */
const TURN_MS = 3_600_000;
/** More than a year of days, so that both turns of the clock are among them. */
const BEGINNINGS_OF_A_YEAR = 400;

/** What is wrong with it, in words; null when nothing is. */
export const findCronFault = (
  schedule: CronSchedule,
): { readonly about: "cron" | "timeZone" | "minutes"; readonly why: string } | null => {
  if (!isTimeZone(schedule.timeZone)) return { about: "timeZone", why: `unknown time zone "${schedule.timeZone}"` };
  const first = tryBeginnings(schedule, BEGINNINGS_LOOKED_AT);
  if (first.kind === "unreadable") return { about: "cron", why: first.why };
  if (first.beginnings.length === 0) return { about: "cron", why: `"${schedule.cron}" never comes` };
  const shortest = shortestGap(first.beginnings);
  // Only a day on which the clock is turned could still make it too long.
  const isNear = shortest >= schedule.lengthMs && shortest - TURN_MS < schedule.lengthMs;
  const surely = isNear ? shortestGap(beginningsAfter(schedule, REFERENCE, BEGINNINGS_OF_A_YEAR)) : shortest;
  if (surely >= schedule.lengthMs) return null;
  return {
    about: "minutes",
    why: `${schedule.lengthMs / 60_000} minutes are longer than the ${surely / 60_000} minutes from one beginning to the next`,
  };
};

const tryBeginnings = (
  schedule: CronSchedule,
  countMax: number,
): { readonly kind: "read"; readonly beginnings: readonly Instant[] } | { readonly kind: "unreadable"; readonly why: string } => {
  try {
    return { kind: "read", beginnings: beginningsAfter(schedule, REFERENCE, countMax) };
  } catch (error) {
    return { kind: "unreadable", why: error instanceof Error ? error.message.replace(/^CronPattern: /, "") : String(error) };
  }
};

const shortestGap = (beginnings: readonly Instant[]): number =>
  Math.min(...beginnings.slice(1).map((at, i) => at - (beginnings[i] ?? 0)), Number.POSITIVE_INFINITY);

const isTimeZone = (timeZone: string): boolean => {
  try {
    new Intl.DateTimeFormat("en", { timeZone });
    return true;
  } catch {
    return false;
  }
};
