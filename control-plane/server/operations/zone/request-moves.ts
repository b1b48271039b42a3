/**
 * Operators' moves of several services of one zone in one turn: DNS is read once, each is decided and written ahead as a single move is, and what
 * was written goes out in as few batches as the limits allow.
 */
import type { Observed } from "@regent/engine";
import type { ServiceRecord, StoredOutboxRow } from "../../ports/decision-store.ts";
import { commitAnew, type Draft } from "../memory/ledger.ts";
import { createSlices } from "../memory/slices.ts";
import type { ReadSets } from "./read-zone.ts";
import { decideMove, type MoveDeps, type Moved, type MoveOrder, type MoveResult } from "./request-move.ts";

export interface ManyMoves {
  /** One for each service. */
  readonly orders: readonly MoveOrder[];
  /** Looked at inside the commit that would move it: why a service is left alone, null when it isn't. */
  readonly leaveAlone: (record: ServiceRecord) => "stands" | "stopped" | null;
}

export type EachMove =
  | MoveResult
  /** What is asked for stands already, or another standing decision does. */
  | { readonly kind: "stands" }
  /** Nobody wants it any more. */
  | { readonly kind: "stopped" }
  /** A bug of ours: its traffic stays, and the others go on. */
  | { readonly kind: "undecided" };

/** By service; those that aren't declared any more are missing. */
export type ManyMoved = ReadonlyMap<string, EachMove>;

/** Services of one commit: as many as one look of the loop commits at once. */
const COMMIT_SERVICES_MAX = 25;

/** `givesWay`: traffic waits for another turn of this zone; then the parts that aren't begun stay undone. */
export const requestMoves = async (
  deps: MoveDeps & { readonly givesWay: () => boolean },
  zoneId: string,
  many: ManyMoves,
): Promise<Moved<ManyMoved>> => {
  const services = many.orders.map(({ service }) => service);
  const read = await deps.reader.read(zoneId, services, { lane: "read", rank: 0 });
  if (read.kind === "unread") {
    const away = { kind: "dns-away", why: read.why } as const;
    return { result: new Map(services.map((service) => [service, away])), rows: [], accepted: [] };
  }
  const result = new Map<string, EachMove>();
  const rows: StoredOutboxRow[] = [];
  const accepted: string[] = [];
  const observed = [...read.observed];
  const rest = createSlices();
  for (let from = 0; from < observed.length; from += COMMIT_SERVICES_MAX) {
    if (from > 0) await rest();
    const part = new Map(observed.slice(from, from + COMMIT_SERVICES_MAX));
    if (from > 0 && deps.givesWay()) {
      for (const service of part.keys()) result.set(service, { kind: "too-many" });
      continue;
    }
    const moved = await commitAnew(deps.ledger, (draft) => movePart(deps, draft, { ...read, observed: part }, many));
    for (const [service, each] of moved.result) result.set(service, each);
    rows.push(...moved.rows);
    accepted.push(...moved.accepted);
  }
  return { result, rows, accepted };
};

const movePart = (deps: MoveDeps, draft: Draft, read: ReadSets, { orders, leaveAlone }: ManyMoves): Moved<ManyMoved> => {
  const settled = deps.reader.settleInto(draft, read);
  const result = new Map<string, EachMove>();
  const rows: StoredOutboxRow[] = [];
  for (const order of orders) {
    const { service } = order;
    const spec = deps.specs().get(service);
    if (!spec || !read.observed.has(service)) continue;
    const one = settled.get(service);
    const alone = leaveAlone(draft.record(service));
    if (alone !== null) result.set(service, { kind: alone });
    else if (!one) result.set(service, { kind: "dns-away", why: "leadership changed while the zone was read" });
    else {
      const moved = moveSafely(deps, draft, order, { spec, ...one });
      result.set(service, moved.result);
      rows.push(...moved.rows);
    }
  }
  return { result, rows, accepted: [...settled.values()].flatMap((each) => each.accepted) };
};

const moveSafely = (
  deps: MoveDeps,
  draft: Draft,
  order: MoveOrder,
  one: Parameters<typeof decideMove>[3] & { readonly observed: Observed },
): Omit<Moved<EachMove>, "accepted"> => {
  try {
    return decideMove(deps, draft, order, one);
  } catch (error) {
    deps.log.error({ err: error, service: order.service }, "this service could not be decided; its traffic stays");
    return { result: { kind: "undecided" }, rows: [] };
  }
};
