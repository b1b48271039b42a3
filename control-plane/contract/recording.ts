/** What was seen around a moment, as far as it is kept: what a rehearsal is made from (docs/REHEARSAL.md). */
import * as z from "zod";
import { AgentId, Instant } from "./ids.ts";
import { Outcome, Reason } from "./observation.ts";

/** One check of one endpoint went up or down for one agent. Results between two of these aren't kept. */
export const RecordedTurn = z.object({
  agent: AgentId,
  /** `service/region/check`. */
  target: z.string(),
  at: Instant,
  to: z.enum(["unknown", "up", "down"]),
  outcome: Outcome,
  reason: Reason.nullable(),
});
export type RecordedTurn = z.infer<typeof RecordedTurn>;

export const Recording = z.object({
  from: Instant,
  to: Instant,
  /** In force when it begins; null where nothing was declared yet. */
  configuration: z.object({ version: z.int(), at: Instant, text: z.string() }).nullable(),
  /** When other versions were applied while it lasted. */
  appliedAt: z.array(Instant),
  /** As each check stood when it begins, where that is kept; one for each agent and target. */
  before: z.array(RecordedTurn),
  /** Oldest first. */
  turns: z.array(RecordedTurn),
  /** Minutes in which each agent saw anything at all, by their beginnings. */
  heard: z.array(z.object({ agent: AgentId, minutes: z.array(Instant) })),
  /** There was more than is told. */
  isCut: z.boolean(),
});
export type Recording = z.infer<typeof Recording>;
