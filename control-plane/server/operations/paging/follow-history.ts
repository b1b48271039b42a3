/**
 * The leader's book of incidents: follows history from where the last leader stopped, and writes what came of it together with the place it
 * got to. One write at a time; what it remembers is what is written, and after any doubt it is read again.
 */
import type { Incident, Instant, Notify } from "@regent/contract";
import type { Logger } from "pino";
import { INCIDENT_FORGET_EVERY_MS, INCIDENT_KEPT_MS, PAGE_ENTRIES_MAX } from "../../limits.ts";
import { type Clock, type Ids, surelyPast } from "../../ports/clock.ts";
import type { Delivery, Pages, PagesView, PagesWrite, StoredIncident } from "../../ports/pages.ts";
import { classifyEntry } from "./classify-entry.ts";
import {
  type DeclaredRegions,
  type Drafted,
  draftAcknowledgement,
  draftDeliveries,
  isUnheard,
  tend,
} from "./draft-deliveries.ts";
import { foldEffects, withLine } from "./fold-effects.ts";
import { isSameCursor, moveCursor } from "./move-cursor.ts";

export interface FollowDeps {
  readonly pages: Pages;
  readonly clock: Pick<Clock, "now" | "surelyPast">;
  readonly ids: Ids;
  readonly holder: string;
  readonly term: () => number;
  readonly log: Pick<Logger, "error">;
  readonly notify: () => {
    readonly owner: string;
    readonly notify: Notify | undefined;
    readonly declared: DeclaredRegions | null;
  };
}

export interface Acknowledgement {
  readonly id: string;
  readonly by: string;
  readonly reason: string;
}

export type Acknowledged =
  | { readonly kind: "acknowledged"; readonly incident: Incident }
  | { readonly kind: "gone" }
  | { readonly kind: "fenced" };

export interface PageBook {
  /** Another leader may have written since: read everything before the next round. */
  readonly forget: () => void;
  /** Takes in what history has, and what time alone asks for. Answers whether there was anything to write; throws what the store throws. */
  readonly follow: () => Promise<"written" | "nothing" | "fenced">;
  readonly acknowledge: (order: Acknowledgement) => Promise<Acknowledged>;
  /** Once more behind all others: a dead letter that an operator tries again. */
  readonly sendAgain: (delivery: Delivery) => Promise<"written" | "fenced">;
}

export const createPageBook = (deps: FollowDeps): PageBook => {
  const { pages, clock, ids } = deps;
  let view: PagesView | null = null;
  let forgottenAt: Instant = 0;
  let unheard: ReadonlySet<string> = new Set();
  let queue: Promise<unknown> = Promise.resolve();

  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const turn = queue.then(work, work);
    queue = turn.catch(() => undefined);
    return turn;
  };

  const write = async (part: Partial<PagesWrite>): Promise<"written" | "fenced"> => {
    const known = view;
    view = null;
    const whole = {
      holder: deps.holder,
      term: deps.term(),
      incidents: [],
      deliveries: [],
      overtaken: [],
      at: clock.now(),
      ...part,
    };
    const result = await pages.write(whole);
    if (result === "written" && known) view = after(known, whole);
    if (result === "conflict") throw new Error("incidents were written by somebody else; they are read again");
    return result;
  };

  const draftDeps = (now: Instant) => ({ ...deps.notify(), newId: ids.ulid, now });

  /** Once for each, as long as nobody is there. */
  const warnOfUnheard = (now: readonly StoredIncident[]): void => {
    for (const { id, title } of now)
      if (!unheard.has(id))
        deps.log.error({ incident: id, title, page: true }, "nobody acknowledged it, and no notifier is declared to tell");
    unheard = new Set(now.map(({ id }) => id));
  };

  const followOnce = async (): Promise<"written" | "nothing" | "fenced"> => {
    view ??= await pages.read();
    const { cursor, open } = view;
    const now = clock.now();
    const read = await pages.entriesAfter(cursor, PAGE_ENTRIES_MAX);
    const moved = moveCursor(
      cursor,
      read.map(({ position }) => position),
      now,
    );
    const effects = read.flatMap(({ event }) =>
      classifyEntry(event).map((effect) => ({
        effect,
        at: event.at,
        why: event.service ? `${event.service}: ${event.why}` : event.why,
      })),
    );
    const changed = foldEffects(open, effects, { newId: ids.ulid, now });
    const before = new Map(open.map((incident) => [incident.id, incident]));
    const after = [...changed, ...open.filter(({ id }) => !changed.some((each) => each.id === id))];
    const drafted = after.flatMap((incident): readonly Drafted[] => {
      const known = before.get(incident.id) ?? null;
      const tended = incident.state === "open" ? tend(draftDeps(now), incident) : null;
      if (tended?.incident.state === "closed") return [tended];
      const news = draftDeliveries(draftDeps(now), known, tended?.incident ?? incident);
      if (news) return [{ ...news, deliveries: [...(tended?.deliveries ?? []), ...news.deliveries] }];
      if (tended) return [tended];
      return changed.includes(incident) ? [{ incident, deliveries: [] }] : [];
    });
    warnOfUnheard(after.filter((incident) => isUnheard(draftDeps(now), incident)));
    const isToForget = now - forgottenAt >= INCIDENT_FORGET_EVERY_MS;
    if (drafted.length === 0 && isSameCursor(cursor, moved) && !isToForget) return "nothing";
    const written = await write({
      at: now,
      cursor: moved,
      incidents: drafted.map(({ incident }) => incident),
      deliveries: drafted.flatMap(({ deliveries }) => deliveries),
      overtaken: drafted.flatMap(({ incident }) => (incident.state === "closed" ? [incident.id] : [])),
      ...(isToForget ? { forgetBefore: surelyPast(clock) - INCIDENT_KEPT_MS } : {}),
    });
    if (isToForget && written === "written") forgottenAt = now;
    if (written === "fenced") return written;
    return read.length > 0 || drafted.length > 0 ? "written" : "nothing";
  };

  return {
    forget: () => {
      view = null;
    },
    follow: () => inTurn(followOnce),
    acknowledge: ({ id, by, reason }) =>
      inTurn(async () => {
        view ??= await pages.read();
        const incident = view.open.find((each) => each.id === id);
        if (!incident) return { kind: "gone" };
        if (incident.acknowledged !== null) return { kind: "acknowledged", incident: toIncident(incident) };
        const now = clock.now();
        const acknowledged: StoredIncident = {
          ...incident,
          acknowledged: { by, at: now, reason },
          criticalSince: null,
          updatedAt: now,
          lines: withLine(incident.lines, now, `${by} acknowledged: ${reason}`),
        };
        const deliveries = draftAcknowledgement(draftDeps(now), acknowledged);
        const written = await write({ at: now, incidents: [acknowledged], deliveries });
        return written === "fenced" ? { kind: "fenced" } : { kind: "acknowledged", incident: toIncident(acknowledged) };
      }),
    sendAgain: (delivery) => inTurn(() => write({ deliveries: [delivery] })),
  };
};

/** What was written is what is remembered. */
const after = (view: PagesView, { cursor, incidents }: PagesWrite): PagesView => {
  const byId = new Map(view.open.map((incident) => [incident.id, incident]));
  for (const incident of incidents) byId.set(incident.id, { ...incident, version: incident.version + 1 });
  return { cursor: cursor ?? view.cursor, open: [...byId.values()].filter(({ state }) => state === "open") };
};

/** Without what is ours alone. */
export const toIncident = ({
  version: _,
  unwellParts: _unwell,
  hitParts: _hit,
  toldTo: _told,
  toldAt: _at,
  isUntold: _untold,
  alerts: _alerts,
  criticalSince: _since,
  escalatedAt: _escalated,
  only: _only,
  ...incident
}: StoredIncident): Incident => incident;
