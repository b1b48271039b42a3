/** Who is told, and when: routes by severity and service, and quiet hours. Pure. */
import type { Instant, NotifierDeclaration, Notify, QuietHours, Severity } from "@regent/contract";

export interface Told {
  readonly severity: Severity;
  /** Empty: the control plane's own, which concerns everybody. */
  readonly services: readonly string[];
}

interface Filter {
  readonly severities?: readonly Severity[] | undefined;
  readonly services?: readonly string[] | undefined;
}

export const chooseNotifiers = (notify: Notify | undefined, told: Told): readonly string[] => {
  const { notifiers = [], routes = [] } = notify ?? {};
  const routed = routes.filter((route) => passes(route, told)).flatMap((route) => route.notifiers);
  return notifiers
    .filter((notifier: NotifierDeclaration) => (routes.length === 0 || routed.includes(notifier.id)) && passes(notifier, told))
    .map(({ id }) => id);
};

const passes = ({ severities, services }: Filter, told: Told): boolean =>
  (severities === undefined || severities.includes(told.severity)) &&
  (services === undefined || told.services.length === 0 || told.services.some((service) => services.includes(service)));

const DAY_MINUTES = 1_440;

/** When it may be told: now, or at the end of quiet hours. What is critical is told now. */
export const dueAt = (quiet: QuietHours | undefined, severity: Severity, now: Instant): Instant => {
  if (quiet === undefined || severity === "critical") return now;
  const [from, to, minute] = [minutesOf(quiet.from), minutesOf(quiet.to), minuteOfDay(now, quiet.timeZone)];
  const since = (minute - from + DAY_MINUTES) % DAY_MINUTES;
  const lasts = (to - from + DAY_MINUTES) % DAY_MINUTES;
  if (since >= lasts) return now;
  return now - (now % 60_000) + (lasts - since) * 60_000;
};

const minutesOf = (time: string): number => {
  const [hours = 0, minutes = 0] = time.split(":").map(Number);
  return hours * 60 + minutes;
};

const minuteOfDay = (at: Instant, timeZone: string): number =>
  minutesOf(new Intl.DateTimeFormat("en-GB", { timeZone, hour: "2-digit", minute: "2-digit", hourCycle: "h23" }).format(at));
