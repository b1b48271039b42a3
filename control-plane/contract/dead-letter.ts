/**
 * What came in good order and could not be kept where it belongs: a signed report that the fold or a constraint refuses, or a clock of a change
 * that can't be written down. It was acknowledged, so nobody sends it again; it waits here for a person. And what no receiver took in time.
 */
import * as z from "zod";
import { Instant, Ulid } from "./ids.ts";
import { OperatorReason } from "./operator.ts";

export const DeadLetterKind = z.enum([
  "report", // of an agent
  "strike", // a clock of a change: when it was in sync, visible or resolved
  "page", // what a notifier could not be told
]);
export type DeadLetterKind = z.infer<typeof DeadLetterKind>;

export const DeadLetter = z.object({
  id: Ulid,
  /** When it came, database time. */
  at: Instant,
  kind: DeadLetterKind,
  /** The agent, the change, or the notifier. */
  subject: z.string(),
  /** What refused it, in one sentence, at the last try. */
  why: z.string(),
  /** Tries so far, the first one included. */
  attempts: z.int().min(1),
  triedAt: Instant,
  /** Length of the payload. */
  bytes: z.int().min(1),
});
export type DeadLetter = z.infer<typeof DeadLetter>;

/** With what came: a report and when it was received; a change, its clock and the time; or what a notifier was to be told. */
export const DeadLetterDetail = DeadLetter.extend({ payload: z.unknown() });
export type DeadLetterDetail = z.infer<typeof DeadLetterDetail>;

/** Newest first. */
export const DeadLetterPage = z.object({ letters: z.array(DeadLetter), next: z.string().nullable() });
export type DeadLetterPage = z.infer<typeof DeadLetterPage>;

export const DeadLetterOrder = z.strictObject({ reason: OperatorReason });
export type DeadLetterOrder = z.infer<typeof DeadLetterOrder>;

/** `done`: it is gone from the dead letters. Otherwise it stays, with why. */
export const DeadLetterAnswer = z.object({ done: z.boolean(), why: z.string() });
export type DeadLetterAnswer = z.infer<typeof DeadLetterAnswer>;
