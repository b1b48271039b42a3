/** Overrides: operators' standing decisions with reason, owner and expiry. */
import * as z from "zod";
import { RuleId } from "./change.ts";
import { Instant, RegionId, Ulid } from "./ids.ts";

/** Longer than this is a declaration: `regent plan` and `regent apply`. */
export const OVERRIDE_SECONDS_MAX = 7 * 86_400;

export const OverrideWhat = z.discriminatedUnion("kind", [
  /** Taken as fit, whatever is believed of it. */
  z.strictObject({ kind: z.literal("on"), region: RegionId }),
  /** As drained, with an end. */
  z.strictObject({ kind: z.literal("off"), region: RegionId }),
  /** Exactly these shares, in sum 1, in every family; regions that aren't named get nothing. */
  z.strictObject({ kind: z.literal("pin"), shares: z.record(RegionId, z.number().min(0).max(1)) }),
  /** Automation off, in the epoch record too. */
  z.strictObject({ kind: z.literal("freeze") }),
]);
export type OverrideWhat = z.infer<typeof OverrideWhat>;

export const Override = z.object({
  id: Ulid,
  what: OverrideWhat,
  by: z.string(),
  reason: z.string(),
  at: Instant,
  /** It counts before this moment. */
  until: Instant,
  breakGlass: z.array(RuleId),
});
export type Override = z.infer<typeof Override>;
