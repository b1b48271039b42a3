/** What is asked and answered about overrides. */
import * as z from "zod";
import { BreakGlass } from "./break-glass.ts";
import { Instant } from "./ids.ts";
import { MoveAnswer, OperatorReason } from "./operator.ts";
import { Override, OverrideWhat } from "./override.ts";

export const OverrideRequest = z
  .strictObject({
    what: OverrideWhat,
    /** How long it counts; or `until`, a moment of the control plane's clock. One of the two. */
    forSeconds: z.int().optional(),
    until: Instant.optional(),
    reason: OperatorReason,
    dryRun: z.boolean().default(false),
    expectedRevision: z.int().min(0).optional(),
    /** Safety rules that the moves it asks for skip, each by its name. */
    breakGlass: BreakGlass,
  })
  .refine(({ forSeconds, until }) => (forSeconds === undefined) !== (until === undefined), "either forSeconds or until");
export type OverrideRequest = z.infer<typeof OverrideRequest>;

/** `override` is null on a dry run: nothing stands yet. */
export const OverrideAnswer = MoveAnswer.extend({ override: Override.nullable() });
export type OverrideAnswer = z.infer<typeof OverrideAnswer>;

/** Of one service, oldest first. */
export const OverrideList = z.object({ overrides: z.array(Override) });
export type OverrideList = z.infer<typeof OverrideList>;

export const OverrideEndRequest = z.strictObject({ reason: OperatorReason });
export type OverrideEndRequest = z.infer<typeof OverrideEndRequest>;
export const OverrideEnded = z.object({ why: z.string() });
export type OverrideEnded = z.infer<typeof OverrideEnded>;
