/** What tests of the whole control plane ask and do again and again. */
import type { Change, HistoryEvent, HistoryKind } from "@regent/contract";
import type { MoveOrder } from "../operations/zone/request-move.ts";
import { OK, REFUSED, type World } from "./world.ts";

export const isHealthy = async ({ controlPlane }: World): Promise<boolean> => {
  const { services } = await controlPlane.overview();
  return (
    services.length > 0 &&
    services.every(({ regions, revision }) => revision > 0 && regions.every(({ verdict }) => verdict === "healthy"))
  );
};

/** Everything about a region fails, as everybody sees it. */
export const breakRegion = (world: World, region: string): void => {
  world.see = (_, target) => (target.split("/")[1] === region ? REFUSED : OK);
};

export const eventsOf = async ({ controlPlane }: World, ...kinds: HistoryKind[]): Promise<HistoryEvent[]> =>
  (await controlPlane.history({ limit: 500, ...(kinds.length > 0 ? { kinds } : {}) })).events.toReversed();

/** Oldest first. */
export const changesOf = async (world: World): Promise<Change[]> =>
  (await eventsOf(world, "change")).flatMap(({ change }) => change ?? []);

export const weightIn = async (world: World, region: string, name = "checkout.example.test"): Promise<number | undefined> =>
  (await world.weights(name))[region];

export const moveOrder = (move: MoveOrder["request"]["move"], more: Partial<MoveOrder> = {}): MoveOrder => ({
  service: "checkout",
  request: { move, by: "ada", reason: "rehearsing", breakGlass: [] },
  dryRun: false,
  expectedRevision: null,
  ...more,
});

export const rest = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Reports go on for this long, and whatever is told meanwhile is told. */
export const goOn = async (world: World, ms: number): Promise<void> => {
  for (const end = performance.now() + ms; performance.now() < end; await rest(40))
    await world.reportAll().catch(() => undefined);
};
