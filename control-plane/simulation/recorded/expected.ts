/** What really happened, as expectations: verdicts, changes, what was held, pages, and where traffic stood in the end. Pure. */
import type { Change, HistoryEvent, RuleAnswer } from "@regent/contract";
import { leftBy, partsOf, receivedBy } from "../rehearsal/check.ts";

/** One line of `expect`, as it is written. */
export type ExpectedLine = Readonly<Record<string, unknown>>;

export interface ExpectedOptions {
  readonly from: number;
  readonly to: number;
  /** How far from its recorded moment a thing may happen. */
  readonly toleranceMs: number;
}

/** What stood before is laid at the beginning, which may be a change of its own. */
const LAID_MS = 1_000;
const MADE_ANEW: readonly Change["kind"][] = ["create", "adopt", "configure"];

export const expectedOf = (history: readonly HistoryEvent[], options: ExpectedOptions): readonly ExpectedLine[] => [
  ...history.flatMap((event) => ofEvent(event, options)),
  ...atTheEnd(history, options),
];

const ofEvent = (event: HistoryEvent, { from, to, toleranceMs }: ExpectedOptions): readonly ExpectedLine[] => {
  const { service, kind, change, detail } = event;
  if (service === null) return [];
  const around = (at: number) => ({
    from: secondsOf(Math.max(0, at - from - toleranceMs)),
    by: secondsOf(Math.min(to - from, at - from + toleranceMs)),
  });
  const page = event.page ? [{ ...around(event.at), page: { service, kind } }] : [];
  switch (kind) {
    case "verdict":
      return [{ ...around(event.at), verdict: { service, region: detail.region, is: detail.to } }, ...page];
    case "change": {
      if (change === undefined || MADE_ANEW.includes(change.kind)) return [];
      const [left, received] = [leftBy(change), receivedBy(change)];
      const of = {
        service,
        kind: change.kind,
        by: change.actor.kind,
        ...(left.length > 0 ? { left } : {}),
        ...(received.length > 0 ? { received } : {}),
      };
      return [{ ...around(change.times.decided), change: of }, ...page];
    }
    case "refused":
    case "approval": {
      const { approval } = detail as { readonly approval?: { readonly rules?: unknown; readonly state?: unknown } };
      // An answer, and what became of one, holds nothing back by itself.
      if (approval !== undefined && approval.state !== "waiting") return page;
      const by = standing(approval?.rules ?? detail.rules);
      return by.length === 0 ? page : [{ ...around(event.at), held: { service, by } }, ...page];
    }
    case "fail-static":
      return [{ ...around(event.at), standstill: { service } }, ...page];
    default:
      return page;
  }
};

const standing = (rules: unknown): readonly string[] =>
  Array.isArray(rules)
    ? (rules as readonly RuleAnswer[]).filter(({ answer, skipped }) => answer !== "allow" && !skipped).map(({ rule }) => rule)
    : [];

/** How many changes there were, and where the last one led. */
const atTheEnd = (history: readonly HistoryEvent[], { from, to, toleranceMs }: ExpectedOptions): readonly ExpectedLine[] => {
  const changes = history.flatMap(({ change }) => (change === undefined || MADE_ANEW.includes(change.kind) ? [] : [change]));
  const services = [...new Set(history.flatMap(({ service }) => (service === null ? [] : [service])))].sort();
  return services.flatMap((service) => {
    const own = changes.filter((change) => change.service === service);
    const last = own.at(-1);
    const counted = own.filter(({ times }) => times.decided - from >= LAID_MS);
    const count = { from: secondsOf(Math.min(LAID_MS, to - from - 1)), exactly: counted.length, change: { service } };
    if (last === undefined || to - last.times.decided <= toleranceMs) return [count];
    const shares = Object.entries(last.weightsAfter).map(([family, weights]) => {
      const is = Object.fromEntries(
        Object.entries(partsOf(weights)).map(([region, part]) => [region, Math.round(part * 1_000) / 1_000]),
      );
      return { at: secondsOf(to - from), shares: { service, family, is } };
    });
    return [count, ...shares];
  });
};

export const secondsOf = (ms: number): string => `${Math.round(ms)}ms`;
