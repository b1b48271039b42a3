/** A region is left, or returned to, across services: what was asked for, and what became of each service so far. */
import * as z from "zod";
import { BreakGlass } from "./break-glass.ts";
import { RuleId } from "./change.ts";
import { Instant, RegionId, ServiceId, Ulid } from "./ids.ts";
import { MoveAnswer, OperatorReason } from "./operator.ts";

export const EvacuationRequest = z.strictObject({
  reason: OperatorReason,
  /** Ask every service's rules, and move nothing. */
  dryRun: z.boolean().default(false),
  /** Safety rules to skip at every service, each by its name. */
  breakGlass: BreakGlass,
});
export type EvacuationRequest = z.infer<typeof EvacuationRequest>;

export const StopEvacuationRequest = z.strictObject({ reason: OperatorReason });
export type StopEvacuationRequest = z.infer<typeof StopEvacuationRequest>;

export const EvacuatedService = z.object({
  service: ServiceId,
  /**
   * `moving`: decided, and not yet accepted by Route 53. `nothing`: there was nothing to move. `refused`: a rule, or whose the name is, stands in the
   * way. `failed`: it could not be done in time.
   */
  state: z.enum(["waiting", "moving", "moved", "nothing", "refused", "failed"]),
  changeId: Ulid.nullable(),
  /** One sentence; null while there is nothing to say. */
  why: z.string().nullable(),
  /** Since when it is so; null while it waits. */
  at: Instant.nullable(),
});
export type EvacuatedService = z.infer<typeof EvacuatedService>;

export const Evacuation = z.object({
  id: Ulid,
  region: RegionId,
  /** `evacuate` drains the region at every service; `return` takes such drains back. */
  direction: z.enum(["evacuate", "return"]),
  by: z.string(),
  reason: z.string(),
  breakGlass: z.array(RuleId),
  at: Instant,
  state: z.enum(["running", "done", "stopped"]),
  endedAt: Instant.nullable(),
  stopped: z.object({ by: z.string(), reason: z.string(), at: Instant }).nullable(),
  /** In the order in which they are moved: by priority, then by id. */
  services: z.array(EvacuatedService),
});
export type Evacuation = z.infer<typeof Evacuation>;

/** Newest first. */
export const EvacuationPage = z.object({ evacuations: z.array(Evacuation), next: z.string().nullable() });
export type EvacuationPage = z.infer<typeof EvacuationPage>;

/** What would become of one service now. */
export const EvacuationPreview = z.object({
  service: ServiceId,
  /** `waiting`: it can't be said now, and would be tried again. */
  state: z.enum(["moved", "nothing", "refused", "failed", "waiting"]),
  why: z.string(),
  /** Shares, weights and every rule's answer; null where no rule was asked. */
  answer: MoveAnswer.omit({ batch: true }).nullable(),
});
export type EvacuationPreview = z.infer<typeof EvacuationPreview>;

export const EvacuationAnswer = z.object({
  dryRun: z.boolean(),
  /** Null in a dry run: nothing is remembered of it. */
  evacuation: Evacuation.nullable(),
  /** Of a dry run, in the order in which they would be moved. */
  preview: z.array(EvacuationPreview),
});
export type EvacuationAnswer = z.infer<typeof EvacuationAnswer>;
