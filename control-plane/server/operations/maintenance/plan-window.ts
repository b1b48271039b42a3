/** An operator plans a maintenance window. Counts from its commit on. */
import { type Declaration, MAINTENANCE_MINUTES_MAX, type MaintenanceAnswer, type MaintenanceRequest } from "@regent/contract";
import { findGaps } from "../../configuration/maintenance/gaps.ts";
import { MAINTENANCE_AHEAD_MS_MAX, MAINTENANCE_LATE_MS_MAX, MAINTENANCE_STANDING_MAX } from "../../limits.ts";
import type { Clock, Ids } from "../../ports/clock.ts";
import type { MaintenanceStore, StoredWindow } from "../../ports/maintenance-store.ts";
import type { NotHere } from "../control-plane.ts";
import { operator } from "../memory/actors.ts";
import { LeadershipLost, type Ledger } from "../memory/ledger.ts";
import { type KnownWindow, momentText, toKnown } from "./known-windows.ts";
import { type MaintenanceBook, stateOf } from "./maintenance-book.ts";
import { toWindowEntry, windowText } from "./window-entry.ts";

export interface PlanWindowDeps {
  readonly holder: string;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly ledger: Pick<Ledger, "term">;
  readonly store: MaintenanceStore;
  readonly book: MaintenanceBook;
  readonly declaration: () => Declaration;
}

export interface PlanWindowOrder {
  readonly request: MaintenanceRequest;
  readonly by: string;
}

export type PlanWindowResult =
  | { readonly kind: "answered"; readonly answer: MaintenanceAnswer }
  | { readonly kind: "invalid-request"; readonly detail: string }
  | Extract<NotHere, { readonly kind: "not-found" }>;

/** Throws LeadershipLost when somebody else leads by now. */
export const planWindow = async (deps: PlanWindowDeps, { request, by }: PlanWindowOrder): Promise<PlanWindowResult> => {
  const { holder, clock, ids, ledger, store, book } = deps;
  const declaration = deps.declaration();
  const now = clock.now();
  const times = readTimes(request, now);
  if (times.kind === "refused") return { kind: "invalid-request", detail: times.why };
  const missing = findMissing(declaration, request);
  if (missing !== null) return { kind: "not-found", what: missing };
  const { regions, services = null, reason } = request;
  const { from, to } = times;
  const window: StoredWindow = { id: ids.ulid(), from, to, regions, services, by, reason, plannedAt: now };
  const known = toKnown(window);
  const why = `${by} planned maintenance ${window.id}: ${windowText(window)}: ${reason}`;
  const answered = (): PlanWindowResult => ({
    kind: "answered",
    answer: {
      dryRun: request.dryRun,
      why: request.dryRun ? `would plan ${windowText(window)}` : why,
      window: { ...known, state: stateOf(known, book.drainsAt(known), now) },
      warnings: findWarnings({ declaration, known: book.known(now), planned: known, now }),
    },
  });
  if (request.dryRun) return answered();
  const entry = toWindowEntry({ ids, at: now, step: "planned", window, actor: operator(by), why });
  const term = ledger.term();
  switch (await store.plan({ holder, term, entry, window, now, standingMax: MAINTENANCE_STANDING_MAX })) {
    case "planned":
      return answered();
    case "full":
      return {
        kind: "invalid-request",
        detail: `${MAINTENANCE_STANDING_MAX} planned windows stand already: take one back first`,
      };
    case "fenced":
      throw new LeadershipLost(term);
  }
};

type Times =
  | { readonly kind: "times"; readonly from: number; readonly to: number }
  | { readonly kind: "refused"; readonly why: string };

const readTimes = ({ from, to, minutes }: MaintenanceRequest, now: number): Times => {
  const refused = (why: string): Times => ({ kind: "refused", why });
  if ((to === undefined) === (minutes === undefined)) return refused("a window has either an end or a length");
  const begins = from ?? now;
  const ends = to ?? begins + (minutes ?? 0) * 60_000;
  if (ends <= begins) return refused("the window ends before it begins");
  if (ends <= now) return refused(`the window was over at ${momentText(ends)}: what is past can't be planned`);
  if (begins < now - MAINTENANCE_LATE_MS_MAX) return refused(`the window begins in the past, at ${momentText(begins)}`);
  if (begins > now + MAINTENANCE_AHEAD_MS_MAX) return refused("the window begins in more than a year");
  if (ends - begins > MAINTENANCE_MINUTES_MAX * 60_000)
    return refused(`a window lasts ${MAINTENANCE_MINUTES_MAX / 1_440} days at most; drain the region instead`);
  return { kind: "times", from: begins, to: ends };
};

const findMissing = (declaration: Declaration, { regions, services }: MaintenanceRequest): string | null => {
  const strange = regions.find((region) => !declaration.regions.some(({ id }) => id === region));
  if (strange !== undefined) return `region ${strange}`;
  for (const service of services ?? []) {
    const declared = declaration.services.find(({ id }) => id === service);
    if (!declared) return `service ${service}`;
    if (!declared.endpoints.some(({ region }) => regions.includes(region)))
      return `endpoint of ${service} in ${regions.join(", ")}`;
  }
  return null;
};

/** Only what this one brings about: what was so before is known. */
const findWarnings = ({
  declaration,
  known,
  planned,
  now,
}: {
  readonly declaration: Declaration;
  readonly known: readonly KnownWindow[];
  readonly planned: KnownWindow;
  readonly now: number;
}): string[] =>
  findGaps(declaration, [...known.filter(({ from, to }) => from < planned.to + DAY_MS && to > planned.from - DAY_MS), planned])
    .filter(({ windows }) => windows.includes(planned.id))
    .map(
      ({ service, from, to, windows }) =>
        `${service} has no region left from ${momentText(Math.max(from, now))} to ${momentText(to)} (${windows.map((id) => (id === planned.id ? "this one" : id)).join(", ")}): ` +
        "its traffic stays where it is",
    );

/** Further away nothing meets it, whatever the lead. */
const DAY_MS = 86_400_000;
