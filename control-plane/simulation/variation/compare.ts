/** Two runs of one timeline side by side: which decisions were made in both, when, and what each cost. Pure. */
import type { ChangeKind } from "@regent/contract";
import { changeText } from "../rehearsal/check.ts";
import type { Rehearsal } from "../rehearsal/rehearsal.ts";
import type { RehearsalRun, Told } from "../rehearsal/run-rehearsal.ts";
import { faultsOf, outOfServiceMs } from "./out-of-service.ts";

/** One decision; null where it wasn't made. Times are ms of the timeline. */
export interface Moment {
  readonly service: string;
  readonly what: string;
  readonly asItIs: number | null;
  readonly whatIf: number | null;
}

export interface Figure {
  readonly service: string;
  readonly outOfServiceMs: { readonly asItIs: number; readonly whatIf: number };
  readonly moves: { readonly asItIs: number; readonly whatIf: number };
}

export interface Comparison {
  readonly moments: readonly Moment[];
  readonly figures: readonly Figure[];
}

/** `rehearsal` as it is: by what it says is seen both runs are measured. */
export const compare = (rehearsal: Rehearsal, asItIs: RehearsalRun, whatIf: RehearsalRun): Comparison => {
  const faults = faultsOf(rehearsal);
  const { forMs, installation } = rehearsal;
  const services = installation.applied.declaration.services.map(({ id }) => id);
  const out = (service: string, { told }: RehearsalRun): number => outOfServiceMs(service, told, faults, forMs);
  return {
    moments: pair(decisionsOf(asItIs.told), decisionsOf(whatIf.told)),
    figures: services.map((service) => ({
      service,
      outOfServiceMs: { asItIs: out(service, asItIs), whatIf: out(service, whatIf) },
      moves: { asItIs: movesOf(service, asItIs.told), whatIf: movesOf(service, whatIf.told) },
    })),
  };
};

const STAYING: readonly ChangeKind[] = ["create", "adopt", "configure", "revert", "freeze", "unfreeze", "release"];

const movesOf = (service: string, { changes }: Told): number =>
  changes.filter((change) => change.service === service && !STAYING.includes(change.kind)).length;

interface Decided {
  readonly at: number;
  readonly service: string;
  readonly what: string;
}

/** A verdict, a change, what holds one back, what an operator got. What already was when the timeline began is no decision. */
const decisionsOf = ({ turns, changes, held, standstills, answers }: Told): readonly Decided[] => [
  ...turns.filter(({ at }) => at > 0).map(({ at, service, region, to }) => ({ at, service, what: `${region} ${to}` })),
  ...changes.map((change) => ({ at: change.at, service: change.service, what: `→ ${changeText(change)}` })),
  ...held
    .filter(({ at }) => at >= 0)
    .map(({ at, service, left, rules, mode }) => {
      const by = [...rules.map(({ rule }) => rule), ...(mode === null ? [] : ["mode"])].join(", ");
      return { at, service, what: `held by ${by}${left.length === 0 ? "" : `, away from ${left.join(", ")}`}` };
    }),
  ...standstills.filter(({ at }) => at >= 0).map(({ at, service }) => ({ at, service, what: "stands still" })),
  ...answers.map(({ at, service, do: act, is }) => ({ at, service: service ?? "all", what: `${act}: ${is}` })),
];

/** The first of the same decision in one with the first in the other, and so on; told by the earlier of the two moments. */
const pair = (asItIs: readonly Decided[], whatIf: readonly Decided[]): readonly Moment[] => {
  const keyOf = ({ service, what }: Decided): string => `${service} ${what}`;
  const waiting = new Map<string, Decided[]>();
  for (const one of whatIf) waiting.set(keyOf(one), [...(waiting.get(keyOf(one)) ?? []), one]);
  const paired = asItIs.map((one): Moment => {
    const other = waiting.get(keyOf(one))?.shift();
    return { service: one.service, what: one.what, asItIs: one.at, whatIf: other?.at ?? null };
  });
  const alone = [...waiting.values()].flat().map(({ at, service, what }) => ({ service, what, asItIs: null, whatIf: at }));
  const firstOf = ({ asItIs: a, whatIf: b }: Moment): number =>
    Math.min(a ?? Number.POSITIVE_INFINITY, b ?? Number.POSITIVE_INFINITY);
  return [...paired, ...alone].sort((a, b) => firstOf(a) - firstOf(b));
};
