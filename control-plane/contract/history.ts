/** Append-only history. `sequence` has no gap within a service; global entries have service null. */
import * as z from "zod";
import { Actor, Change } from "./change.ts";
import { Instant, ServiceId, Ulid } from "./ids.ts";

export const HistoryKind = z.enum([
  "change", // one per revision; its clocks are filled in from the append-only stages
  "verdict",
  "refused", // a proposal that a safety rule held back
  "approval", // a proposal asks for a person, or has its answer
  "fail-static",
  "freeze",
  "unfreeze",
  "drift",
  "fence-lost",
  "configuration",
  "control", // a standing decision of an operator that needed no write, such as draining a region without traffic; or that nothing is held back any more
  "dead-letter", // something could not be processed and was put aside, tried again or dropped
  "override", // an operator's standing decision with an expiry was made, changed nothing, was ended, or ran out
  "maintenance", // a maintenance window was planned or taken back, began or ended
  "evacuation", // a region is left, or returned to, across services: begun, ended, stopped
  "transfer", // the writable role of a stateful service is led from one region to another
  "alert", // an alert rule fires, or doesn't any more
  "vantage", // a vantage lost its vote, or has it again
  "mode", // the control plane lost what it needs to do its work, or has it again
]);
export type HistoryKind = z.infer<typeof HistoryKind>;

export const HistoryEvent = z.object({
  id: Ulid,
  at: Instant,
  service: ServiceId.nullable(),
  sequence: z.int(),
  kind: HistoryKind,
  actor: Actor,
  /** One sentence with numbers. */
  why: z.string(),
  /** Page-worthy: a person should look now. */
  page: z.boolean(),
  change: Change.optional(),
  /** Facts particular to the kind. */
  detail: z.record(z.string(), z.unknown()),
});
export type HistoryEvent = z.infer<typeof HistoryEvent>;

export const HistoryPage = z.object({ events: z.array(HistoryEvent), next: z.string().nullable() });
export type HistoryPage = z.infer<typeof HistoryPage>;
