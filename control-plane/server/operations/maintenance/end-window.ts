/** An operator takes a planned maintenance window back, or ends it while it is in force: its regions recover, and return as after a failure. */
import { operator } from "../memory/actors.ts";
import { LeadershipLost } from "../memory/ledger.ts";
import type { PlanWindowDeps } from "./plan-window.ts";
import { toWindowEntry, windowText } from "./window-entry.ts";

export interface EndWindowOrder {
  readonly id: string;
  readonly by: string;
  readonly reason: string;
}

export type EndWindowResult =
  | { readonly kind: "ended"; readonly why: string }
  | { readonly kind: "invalid-request"; readonly detail: string }
  | { readonly kind: "not-found"; readonly what: string };

export const endWindow = async (deps: PlanWindowDeps, { id, by, reason }: EndWindowOrder): Promise<EndWindowResult> => {
  const { holder, clock, ids, ledger, store } = deps;
  const now = clock.now();
  if (deps.declaration().maintenance?.some((entry) => entry.id === id))
    return { kind: "invalid-request", detail: `${id} stands in the configuration: it ends when it is taken out there` };
  const gone = { kind: "not-found", what: `planned maintenance window ${id}` } as const;
  // What another replica planned a moment ago isn't in the book yet.
  const window = (await store.standing(now)).find((one) => one.id === id);
  if (!window) return gone;
  const isBegun = now >= window.from;
  const why = `${by} ${isBegun ? "ended" : "took back"} maintenance ${id}: ${windowText(window)}: ${reason}`;
  const entry = toWindowEntry({ ids, at: now, step: "taken-back", window, actor: operator(by), why });
  const term = ledger.term();
  switch (await store.end({ holder, term, entry, id, now, ended: { by, reason, at: now } })) {
    case "ended":
      return { kind: "ended", why };
    case "gone":
      return gone;
    case "fenced":
      throw new LeadershipLost(term);
  }
};
