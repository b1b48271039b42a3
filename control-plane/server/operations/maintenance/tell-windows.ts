/**
 * Tells history that maintenance windows begin and end, each once. History itself remembers what was told, so neither a restart nor another leader tells
 * it again, and an end that came while nobody led is told by the next.
 */
import type { Instant } from "@regent/contract";
import { HISTORY_PAGE_MAX } from "../../limits.ts";
import type { Clock, Ids } from "../../ports/clock.ts";
import type { DecisionStore } from "../../ports/decision-store.ts";
import { AUTOMATION } from "../memory/actors.ts";
import type { Ledger } from "../memory/ledger.ts";
import { keyOf } from "./known-windows.ts";
import type { MaintenanceBook } from "./maintenance-book.ts";
import { type ToldWindow, toWindowEntry, WindowDetail, windowText } from "./window-entry.ts";

export interface TellWindowsDeps {
  readonly book: MaintenanceBook;
  readonly decisions: Pick<DecisionStore, "readHistory">;
  readonly ledger: Ledger;
  readonly ids: Ids;
  readonly clock: Pick<Clock, "now">;
}

interface Told {
  /** By key. */
  readonly begun: Map<string, ToldWindow>;
  readonly over: Set<string>;
}

/** A window lasts a week at most, and drains for a while before. */
const READ_BACK_MS = 9 * 86_400_000;
const PAGES_MAX = 20;

/** Made anew for each term; answers what to do at each look. Only a leader may. */
export const createTellWindows = ({ book, decisions, ledger, ids, clock }: TellWindowsDeps) => {
  let told: Told | null = null;
  return async (): Promise<void> => {
    const now = clock.now();
    const known = book.known(now);
    const standing = new Set(known.map(keyOf));
    const endingOf = ({ begun, over }: Told) => [...begun].filter(([key]) => !standing.has(key) && !over.has(key));
    told ??= await readTold(decisions, now);
    // One that ends early may have been taken back, and that was told.
    if (endingOf(told).some(([, { to }]) => now < to)) told = await readTold(decisions, now);
    const { begun, over } = told;
    const ending = endingOf(told);
    const beginning = known.filter(
      (window) => now >= book.drainsAt(window) && !begun.has(keyOf(window)) && !over.has(keyOf(window)),
    );
    if (beginning.length + ending.length === 0) return;
    await ledger.commit((draft) => {
      for (const window of beginning)
        draft.tell(toWindowEntry({ ids, at: now, step: "begins", window, actor: AUTOMATION, why: beginsText(window) }));
      for (const [, window] of ending)
        draft.tell(toWindowEntry({ ids, at: now, step: "ends", window, actor: AUTOMATION, why: endsText(window, now) }));
    });
    for (const window of beginning) begun.set(keyOf(window), window);
    for (const [key] of ending) over.add(key);
  };
};

const beginsText = (window: ToldWindow): string =>
  `maintenance ${window.id} of ${window.by} begins, and traffic leaves for it: ${windowText(window)}: ${window.reason}`;

const endsText = (window: ToldWindow, now: Instant): string =>
  now >= window.to
    ? `maintenance ${window.id} of ${window.by} is over: ${windowText(window)}`
    : `maintenance ${window.id} of ${window.by} is declared no more, and over: ${windowText(window)}`;

const readTold = async (decisions: Pick<DecisionStore, "readHistory">, now: Instant): Promise<Told> => {
  const told: Told = { begun: new Map(), over: new Set() };
  let cursor: string | undefined;
  for (let pages = 0; pages < PAGES_MAX; pages += 1) {
    const page = await decisions.readHistory({
      kinds: ["maintenance"],
      limit: HISTORY_PAGE_MAX,
      ...(cursor === undefined ? {} : { cursor }),
    });
    for (const { detail } of page.events) note(told, detail);
    if (page.next === null || (page.events.at(-1)?.at ?? 0) < now - READ_BACK_MS) break;
    cursor = page.next;
  }
  return told;
};

const note = ({ begun, over }: Told, detail: unknown): void => {
  const parsed = WindowDetail.safeParse(detail);
  if (!parsed.success) return;
  const { step, key, window } = parsed.data;
  if (step === "begins") begun.set(key, window);
  if (step === "ends" || step === "taken-back") over.add(key);
};
