/**
 * Tells history, and so pages, that dead letters have come, whichever replica put them aside. History itself remembers which was told last.
 */

import { DEAD_LETTERS_PAGE_MAX } from "../../limits.ts";
import type { Ids } from "../../ports/clock.ts";
import type { DeadLetters } from "../../ports/dead-letters.ts";
import type { DecisionStore } from "../../ports/decision-store.ts";
import { AUTOMATION } from "../memory/actors.ts";
import type { Ledger } from "../memory/ledger.ts";

export interface TellDeadLettersDeps {
  readonly letters: DeadLetters;
  readonly decisions: Pick<DecisionStore, "readHistory">;
  readonly ledger: Ledger;
  readonly ids: Ids;
  readonly now: () => number;
}

/** Made anew for each term; answers what to do at each look. Only a leader may. */
export const createTellDeadLetters = ({ letters, decisions, ledger, ids, now }: TellDeadLettersDeps) => {
  let toldUpTo: string | null = null;
  return async (): Promise<void> => {
    toldUpTo ??= await readTold(decisions);
    const known = toldUpTo;
    const fresh = (await letters.list({ limit: DEAD_LETTERS_PAGE_MAX })).filter(({ id }) => id > known);
    const newest = fresh[0];
    if (!newest) return;
    const subjects = [...new Set(fresh.map(({ subject }) => subject))];
    /** An agent may be called as a notifier is: only they refused a page. */
    const notifiers = [...new Set(fresh.filter(({ kind }) => kind === "page").map(({ subject }) => subject))];
    const many = fresh.length === 1 ? "1 dead letter" : `${fresh.length} dead letters`;
    const of = `${subjects.slice(0, SUBJECTS_TOLD_MAX).join(", ")}${subjects.length > SUBJECTS_TOLD_MAX ? ", …" : ""}`;
    await ledger.commit((draft) =>
      draft.tell({
        id: ids.ulid(),
        at: now(),
        service: null,
        kind: "dead-letter",
        actor: AUTOMATION,
        why: `${many} of ${of}, the last because: ${newest.why}`,
        page: true,
        detail: {
          newest: newest.id,
          count: fresh.length,
          kinds: [...new Set(fresh.map(({ kind }) => kind))],
          subjects,
          notifiers,
        },
      }),
    );
    toldUpTo = newest.id;
  };
};

const SUBJECTS_TOLD_MAX = 3;

/** Among the last entries of this kind; those of operators name no newest. */
const readTold = async (decisions: Pick<DecisionStore, "readHistory">): Promise<string> => {
  const { events } = await decisions.readHistory({ kinds: ["dead-letter"], limit: 100 });
  const told = events.map(({ detail }) => detail.newest).find((newest) => typeof newest === "string");
  return typeof told === "string" ? told : "";
};
