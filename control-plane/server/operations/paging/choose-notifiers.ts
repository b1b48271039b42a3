/** Who is told, and when: routes by severity and service, and quiet hours. Pure. */
import type { Instant, NotifierDeclaration, Notify, QuietHours, Severity } from "@regent/contract";

export interface Told {
  readonly severity: Severity;
  /** Empty: the control plane's own, which concerns everybody. */
  readonly services: readonly string[];
  /** Instead of those that routes name, where one of them is declared. */
  readonly only?: readonly string[];
}

interface Filter {
  readonly severities?: readonly Severity[] | undefined;
  readonly services?: readonly string[] | undefined;
}

export const chooseNotifiers = (notify: Notify | undefined, told: Told): readonly string[] => {
  const { notifiers = [], routes = [] } = notify ?? {};
  const named = notifiers.filter(({ id }) => told.only?.includes(id));
  if (named.length > 0) return named.filter((notifier) => passes(notifier, told)).map(({ id }) => id);
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
  const leftAt = minutesLeft(quiet);
  if (leftAt(now) === 0) return now;
  let end = now - (now % MINUTE_MS);
  // A night in which clocks are put back is longer than its hours say; one in which they are put forward is shorter.
  for (let i = 0; i < LEAPS_MAX && leftAt(end) > 0; i += 1) end += leftAt(end) * MINUTE_MS;
  for (let i = 0; i < SHIFT_MINUTES_MAX && end - MINUTE_MS > now && leftAt(end - MINUTE_MS) === 0; i += 1) end -= MINUTE_MS;
  return end;
};

const MINUTE_MS = 60_000;
const LEAPS_MAX = 5;
/** No zone puts its clocks by more. */
const SHIFT_MINUTES_MAX = 180;

/** How long quiet hours go on by that zone's clock; 0 outside of them. */
const minutesLeft = ({ timeZone, from, to }: QuietHours): ((at: Instant) => number) => {
  const format = new Intl.DateTimeFormat("en-GB", { timeZone, hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  const lasts = (minutesOf(to) - minutesOf(from) + DAY_MINUTES) % DAY_MINUTES;
  return (at) => {
    const since = (minutesOf(format.format(at)) - minutesOf(from) + DAY_MINUTES) % DAY_MINUTES;
    return Math.max(0, lasts - since);
  };
};

const minutesOf = (time: string): number => {
  const [hours = 0, minutes = 0] = time.split(":").map(Number);
  return hours * 60 + minutes;
};
