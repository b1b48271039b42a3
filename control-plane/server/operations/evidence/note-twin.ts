/**
 * Two processes that report as one agent, such as a machine that was copied with its key. The one that started later is heard, and the other is
 * refused; that alone would look like a report sent twice. It is put aside as a dead letter, once, so that history tells it and a person is
 * paged. Nothing moves by it.
 */
import type { Instant, Report } from "@regent/contract";
import { DEAD_LETTERS_PAGE_MAX } from "../../limits.ts";
import type { DeadLetters } from "../../ports/dead-letters.ts";
import type { KeepDeadLetter } from "../memory/keep-dead-letter.ts";

/** Called with a report that was refused because `heard`, a boot of the same agent, may have begun after it. */
export type NoteTwin = (refused: { readonly report: Report; readonly receivedAt: Instant }, heard: number) => Promise<void>;

export interface NoteTwinDeps {
  readonly letters: Pick<DeadLetters, "list">;
  readonly keepDeadLetter: KeepDeadLetter;
}

/** Boots are counted from the wall clock. One that goes on for so long after the next began isn't about to stop: an agent takes 2 s for that. */
const OVERLAP_MS_MAX = 10_000;
/** Pairs remembered as told. */
const TOLD_MAX = 1_000;

export const createNoteTwin = ({ letters, keepDeadLetter }: NoteTwinDeps): NoteTwin => {
  const told = new Set<string>();
  return async ({ report, receivedAt }, heard) => {
    if (report.boot >= heard || report.sentAt <= heard + OVERLAP_MS_MAX) return;
    const why = `two processes report as ${report.agent}: boot ${report.boot} goes on although boot ${heard} began after it, and only the later is heard. Stop one of them; if the machine was copied, give the copy a key of its own`;
    if (told.has(why)) return;
    if (told.size >= TOLD_MAX) told.clear();
    const known = await letters.list({ limit: DEAD_LETTERS_PAGE_MAX });
    if (!known.some((letter) => letter.subject === report.agent && letter.why === why))
      await keepDeadLetter({ kind: "report", subject: report.agent, payload: { report, receivedAt } }, new Error(why));
    told.add(why);
  };
};
