/**
 * An operator's standing decision with an expiry, made and ended. What moves traffic goes the way of a move, so that its effect is shown first and
 * comes at once; a freeze is kept, and DNS follows. Ended, it is only taken away: traffic goes back by a normal change.
 */
import { type Instant, OVERRIDE_SECONDS_MAX, type OverrideAnswer, type OverrideWhat, type RuleId } from "@regent/contract";
import type { Override, ServiceSpec } from "@regent/engine";
import { inForce, overrideText } from "@regent/engine/strategy/overrides.ts";
import type { Clock, Ids } from "../../ports/clock.ts";
import { commitAnew, type Ledger } from "../memory/ledger.ts";
import { againstOverride, tellOverride, toShown } from "../memory/standing-overrides.ts";
import type { MoveOrder, MoveResult } from "../zone/request-move.ts";
import { toUnmovedAnswer } from "../zone/unmoved-answer.ts";

export interface OverrideOrder {
  readonly service: string;
  readonly what: OverrideWhat;
  /** One of the two. */
  readonly forMs: number | null;
  readonly until: Instant | null;
  readonly by: string;
  readonly reason: string;
  readonly breakGlass: readonly RuleId[];
  readonly dryRun: boolean;
  readonly expectedRevision: number | null;
}

export interface OverrideProblem {
  readonly path: string;
  readonly message: string;
}

export type OverrideResult =
  | { readonly kind: "set"; readonly answer: OverrideAnswer }
  | { readonly kind: "invalid-override"; readonly problems: readonly OverrideProblem[] }
  | Exclude<MoveResult, { readonly kind: "answered" }>;

export interface OverrideDeps {
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly ids: Ids;
  /** The way of every move by hand: decided on DNS as just read. */
  readonly move: (spec: ServiceSpec, order: MoveOrder) => Promise<MoveResult>;
}

/** Throws LeadershipLost when somebody else leads by now. */
export const setOverride = async (deps: OverrideDeps, spec: ServiceSpec, order: OverrideOrder): Promise<OverrideResult> => {
  const now = deps.clock.now();
  const until = order.until ?? now + (order.forMs ?? 0);
  const problems = [...findTimeProblems(until, now), ...findRegionProblems(spec, order.what)];
  if (problems.length > 0) return { kind: "invalid-override", problems };
  const { what, by, reason, breakGlass, dryRun, expectedRevision } = order;
  const override: Override = { id: deps.ids.ulid(), what, by, reason, at: now, until, breakGlass };
  if (what.kind === "freeze") return keepFreeze(deps, order, override);
  const request = { move: { kind: "override" as const, override }, by, reason, breakGlass };
  const result = await deps.move(spec, { service: spec.id, request, dryRun, expectedRevision });
  return result.kind === "answered"
    ? { kind: "set", answer: { ...result.answer, override: dryRun ? null : toShown(override) } }
    : result;
};

const findTimeProblems = (until: Instant, now: Instant): readonly OverrideProblem[] => {
  if (until <= now) return [{ path: "until", message: "it would have run out already" }];
  return until - now > OVERRIDE_SECONDS_MAX * 1_000
    ? [{ path: "until", message: "at most 7 days: what lasts longer is declared in the configuration" }]
    : [];
};

/** Shares are written by people: 0.333 three times is 1. */
const SUM_TOLERANCE = 0.005;

const findRegionProblems = ({ id, endpoints }: ServiceSpec, what: OverrideWhat): readonly OverrideProblem[] => {
  if (what.kind === "freeze") return [];
  const declared = new Set(endpoints.map(({ region }) => region));
  const named = what.kind === "pin" ? Object.keys(what.shares) : [what.region];
  const strangers = named
    .filter((region) => !declared.has(region))
    .map((region) => ({
      path: what.kind === "pin" ? `what.shares.${region}` : "what.region",
      message: `${id} has no endpoint in ${region}, only in ${[...declared].sort().join(", ")}`,
    }));
  if (what.kind !== "pin" || strangers.length > 0) return strangers;
  const sum = Object.values(what.shares).reduce((total, share) => total + share, 0);
  return Math.abs(sum - 1) <= SUM_TOLERANCE
    ? []
    : [{ path: "what.shares", message: `the shares sum to ${Number(sum.toFixed(4))}, not to 1` }];
};

/** Moves nothing: it counts from its commit on, and the next look writes it into the epoch record. */
const keepFreeze = async ({ ledger, ids }: OverrideDeps, order: OverrideOrder, override: Override): Promise<OverrideResult> =>
  commitAnew(ledger, (draft): OverrideResult => {
    const record = draft.record(order.service);
    const { revision, controls } = record;
    if (order.expectedRevision !== null && order.expectedRevision !== revision) return { kind: "stale-revision", revision };
    const opposed = againstOverride(inForce(controls.overrides, override.at), controls.drained, override.what);
    if (opposed) return opposed;
    if (!order.dryRun) {
      draft.update(order.service, (known) => ({
        ...known,
        controls: { ...known.controls, overrides: [...known.controls.overrides, override] },
      }));
      draft.tell(tellOverride(ids, override.at, order.service, { step: "made", override }));
    }
    const answer = toUnmovedAnswer(record, {
      dryRun: order.dryRun,
      why: `no traffic moves: ${overrideText(override)}, and the epoch record will say so`,
    });
    return { kind: "set", answer: { ...answer, override: order.dryRun ? null : toShown(override) } };
  });

export interface OverrideEnd {
  readonly service: string;
  readonly id: string;
  readonly by: string;
  readonly reason: string;
}

export type EndResult = { readonly kind: "ended"; readonly why: string } | { readonly kind: "not-found"; readonly what: string };

/** One that ran out has ended already. */
export const endOverride = ({ ledger, clock, ids }: Omit<OverrideDeps, "move">, end: OverrideEnd): Promise<EndResult> =>
  commitAnew(ledger, (draft): EndResult => {
    const now = clock.now();
    const { overrides } = draft.record(end.service).controls;
    const override = inForce(overrides, now).find(({ id }) => id === end.id);
    if (!override) return { kind: "not-found", what: `override ${end.id} that stands for ${end.service}` };
    draft.update(end.service, (record) => ({
      ...record,
      controls: { ...record.controls, overrides: record.controls.overrides.filter(({ id }) => id !== end.id) },
    }));
    const entry = tellOverride(ids, now, end.service, { step: "ended", override, by: end.by, reason: end.reason });
    draft.tell(entry);
    return { kind: "ended", why: `${entry.why}; traffic goes back by a normal change` };
  });

/** What ran out is told once and forgotten, before anything is decided without it. By the leader, at its first look too. */
export const pruneOverrides = async (
  { ledger, ids }: Pick<OverrideDeps, "ledger" | "ids">,
  services: Iterable<string>,
  now: Instant,
): Promise<void> => {
  const over = [...services].filter((service) => ledger.record(service).controls.overrides.some(({ until }) => until <= now));
  if (over.length === 0) return;
  await ledger.commit((draft) => {
    for (const service of over) {
      const { overrides } = draft.record(service).controls;
      const standing = inForce(overrides, now);
      if (standing.length === overrides.length) continue;
      draft.update(service, (record) => ({ ...record, controls: { ...record.controls, overrides: standing } }));
      for (const override of overrides)
        if (!standing.includes(override)) draft.tell(tellOverride(ids, now, service, { step: "ran-out", override }));
    }
  });
};

/** Whoever judges forgets first what ran out. */
export const withPrunedOverrides =
  <A extends readonly unknown[], R>(
    deps: Pick<OverrideDeps, "ledger" | "ids">,
    judge: (services: Iterable<string>, now: Instant, ...more: A) => Promise<R>,
  ) =>
  async (services: Iterable<string>, now: Instant, ...more: A): Promise<R> => {
    await pruneOverrides(deps, services, now);
    return judge(services, now, ...more);
  };
