/** What the leader looks at now and then to tell history of it, and so people: vantages without a vote, and dead letters. */
import { createTellDeadLetters } from "../operations/dead-letters/tell-dead-letters.ts";
import { boundsAt } from "../operations/memory/keep-dead-letter.ts";
import type { Ledger } from "../operations/memory/ledger.ts";
import { createTellSuspects } from "../operations/verdict/tell-suspects.ts";
import { type Clock, type Ids, surelyPast } from "../ports/clock.ts";
import type { DeadLetters } from "../ports/dead-letters.ts";
import type { DecisionStore } from "../ports/decision-store.ts";
import type { Metrics } from "./metrics.ts";

export interface TellingDeps {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly ledger: Ledger;
  readonly decisions: Pick<DecisionStore, "readHistory">;
  readonly deadLetters: DeadLetters;
  readonly metrics: Pick<Metrics, "deadLettersLeft">;
  readonly isLeading: () => boolean;
}

export interface Telling {
  /** A new term: what was told is read from history again. */
  readonly gained: () => void;
  /** As a look of this term saw it. */
  readonly noteSuspects: (suspects: ReadonlySet<string>) => void;
  readonly lookAtSuspects: () => Promise<void>;
  /** Old ones are dropped by every process. */
  readonly lookAtDeadLetters: () => Promise<void>;
}

export const createTelling = (deps: TellingDeps): Telling => {
  const { ledger, deadLetters, isLeading } = deps;
  let suspects: ReadonlySet<string> | null = null;
  let tellSuspects: ReturnType<typeof createTellSuspects> | null = null;
  let tellDeadLetters: (() => Promise<void>) | null = null;
  return {
    gained: () => {
      suspects = null;
      tellSuspects = createTellSuspects({ ...deps, now: deps.clock.now });
      tellDeadLetters = createTellDeadLetters({ ...deps, letters: deadLetters, ledger, now: deps.clock.now });
    },
    noteSuspects: (seen) => {
      suspects = seen;
    },
    lookAtSuspects: async () => {
      if (isLeading() && suspects !== null) await tellSuspects?.(suspects);
    },
    lookAtDeadLetters: async () => {
      const { count } = await deadLetters.prune(boundsAt(surelyPast(deps.clock)));
      deps.metrics.deadLettersLeft(count);
      if (isLeading()) await tellDeadLetters?.();
    },
  };
};
