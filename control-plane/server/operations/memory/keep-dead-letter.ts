/**
 * Puts aside what can't be processed, so that it is neither sent again for ever nor lost. A database that is away is no reason to come here:
 * the store then throws DatabaseAway, and whoever brought it keeps it.
 */
import type { DeadLetterKind } from "@regent/contract";
import type { Logger } from "pino";
import { DEAD_LETTER_BYTES_MAX, DEAD_LETTER_KEPT_MS, DEAD_LETTERS_MAX } from "../../limits.ts";
import { type Clock, type Ids, surelyPast } from "../../ports/clock.ts";
import type { DeadLetterBounds, DeadLetters } from "../../ports/dead-letters.ts";

export interface DeadLetterDeps {
  readonly clock: Pick<Clock, "now" | "surelyPast">;
  readonly ids: Ids;
  readonly log: Logger;
  readonly letters: DeadLetters;
  readonly onKept: (kept: { kind: DeadLetterKind; dropped: number }) => void;
}

export interface Undeliverable {
  readonly kind: DeadLetterKind;
  readonly subject: string;
  readonly payload: unknown;
}

export type KeepDeadLetter = (undeliverable: Undeliverable, error: unknown) => Promise<void>;

export const createKeepDeadLetter =
  ({ clock, ids, log, letters, onKept }: DeadLetterDeps): KeepDeadLetter =>
  async ({ kind, subject, payload }, error) => {
    const at = clock.now();
    const id = ids.ulid();
    const why = toWhy(error);
    const dropped = await letters.keep(
      { id, at, kind, subject, why, attempts: 1, triedAt: at, payload },
      boundsAt(surelyPast(clock)),
    );
    onKept({ kind, dropped });
    log.error({ err: error, page: true, deadLetter: id, kind, subject, dropped }, "put aside as a dead letter");
  };

export const boundsAt = (now: number): DeadLetterBounds => ({
  countMax: DEAD_LETTERS_MAX,
  bytesMax: DEAD_LETTER_BYTES_MAX,
  keptSince: now - DEAD_LETTER_KEPT_MS,
});

const WHY_CHARACTERS_MAX = 300;

/** The innermost message: the outer ones repeat the statement. */
export const toWhy = (error: unknown): string => {
  let innermost = error;
  while (innermost instanceof Error && innermost.cause instanceof Error) innermost = innermost.cause;
  const text = innermost instanceof Error ? innermost.message : String(innermost);
  return text.slice(0, WHY_CHARACTERS_MAX) || "no reason was given";
};
