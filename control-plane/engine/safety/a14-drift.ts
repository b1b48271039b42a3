/**
 * A14: somebody else wrote into DNS, and what they meant isn't known: automation waits for a person. An operator who asks for a move now sees the
 * difference in the batch, which deletes the edit as it was read, and passes with the sentence. What one asked for before the edit is no leave to undo it,
 * nor is a freeze, a mark or another declaration.
 *
 * It denies and doesn't ask for approval: the weights that an approval would be shown are those that Regent wrote, not those that stand in DNS, so a
 * person would agree to undo an edit that they weren't shown. Their ways are a move of their own, or the edit's policy. A region that turns bad is left
 * around the edit, and the policy `revert` is a person's word given in advance.
 */
import type { Rule } from "./rule.ts";
import { allow, deny, movesTraffic } from "./rule.ts";

export const a14Drift: Rule = {
  id: "A14",
  binds: "break-glass",
  ask: ({ proposal, situation: { drift, edit } }) => {
    if (drift === null) return allow("DNS holds what we wrote");
    const { isAsked, isRebased } = proposal;
    const isReverted = edit?.policy === "revert" && movesTraffic(proposal);
    if (!isAsked && !isRebased && !isReverted) return deny(drift);
    return allow(`${isRebased ? "leaves alone" : "replaces"} what somebody else wrote: ${drift}`);
  },
};
