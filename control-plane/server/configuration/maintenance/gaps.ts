/**
 * Windows that lie over each other so that a service has no region left that isn't worked on. It is allowed, and its outcome is stated: traffic stays where it
 * is. Counted with the drain lead, as a region takes no traffic from then on. Pure.
 */
import type { Declaration, Instant } from "@regent/contract";
import { toDrainLeadMs } from "./drain-lead.ts";

export interface PlannedTime {
  readonly id: string;
  readonly regions: readonly string[];
  /** null: all. */
  readonly services: readonly string[] | null;
  readonly from: Instant;
  readonly to: Instant;
}

export interface Gap {
  readonly service: string;
  readonly from: Instant;
  readonly to: Instant;
  /** Ids of the windows. */
  readonly windows: readonly string[];
}

interface Span {
  readonly from: Instant;
  readonly to: Instant;
}

/** The first of each service with at least two regions: of one region there is nothing to leave for. */
export const findGaps = (declaration: Declaration, windows: readonly PlannedTime[]): readonly Gap[] =>
  declaration.services.flatMap((service) => {
    const regions = service.endpoints.map(({ region }) => region);
    const about = windows.filter(({ services }) => services === null || services.includes(service.id));
    if (regions.length < 2 || !regions.every((region) => about.some((window) => window.regions.includes(region)))) return [];
    const leadMs = toDrainLeadMs(declaration, service);
    const common = regions
      .map((region) =>
        merged(about.filter((window) => window.regions.includes(region)).map(({ from, to }) => ({ from: from - leadMs, to }))),
      )
      .reduce(intersected);
    const [first] = common;
    if (first === undefined) return [];
    const during = about.filter(({ from, to }) => from - leadMs < first.to && to > first.from);
    return [{ service: service.id, ...first, windows: [...new Set(during.map(({ id }) => id))] }];
  });

/** Sorted, none touching another. */
const merged = (spans: readonly Span[]): readonly Span[] => {
  const result: Span[] = [];
  for (const span of [...spans].sort((a, b) => a.from - b.from)) {
    const last = result.at(-1);
    if (last && span.from <= last.to) result[result.length - 1] = { from: last.from, to: Math.max(last.to, span.to) };
    else result.push(span);
  }
  return result;
};

const intersected = (some: readonly Span[], others: readonly Span[]): readonly Span[] =>
  some.flatMap((one) =>
    others
      .map((other) => ({ from: Math.max(one.from, other.from), to: Math.min(one.to, other.to) }))
      .filter(({ from, to }) => from < to),
  );
