/** Break-glass: safety rules that a request skips, each by its name. What nobody may skip is refused by name, and not taken and left unheard. */
import * as z from "zod";
import { RuleId } from "./change.ts";

/** Asked of everybody, always: an empty answer, a stale decision and two writers are nobody's to allow. */
const NEVER_SKIPPED: readonly RuleId[] = ["A2", "A12", "A13"];

export const SKIPPABLE_RULES: readonly RuleId[] = RuleId.options.filter((rule) => !NEVER_SKIPPED.includes(rule));

export const BreakGlass = z
  .array(
    RuleId.refine((rule) => SKIPPABLE_RULES.includes(rule), {
      error: ({ input }) => `${input} is asked of everybody: nobody may skip it`,
    }),
  )
  .max(20)
  .default([]);
