/** A13: one unresolved change per service, and one writer per name. Nobody can skip it. */
import type { Rule } from "./rule.ts";
import { allow, defer, deny, movesTraffic } from "./rule.ts";

export const a13OneWriter: Rule = {
  id: "A13",
  binds: "everyone",
  ask: ({ proposal, situation: { controls, isChangeInFlight, blockedBy, drift, edit } }) => {
    if (blockedBy !== null) return deny(blockedBy);
    const { isAsked, isRebased } = proposal;
    // The database may lack what it decided last, and what operators asked for before may be over: nothing is written but what a person asks now.
    if (controls.frozenGlobally?.cause === "restored" && !isAsked) return deny(controls.frozenGlobally.reason);
    // Somebody else wrote: we wait for a person. An operator sees the difference in the batch, which deletes it as it was read. What one asked
    // for before the edit is no leave to undo it, nor is a freeze, a mark or another declaration.
    const isReverted = edit?.policy === "revert" && movesTraffic(proposal);
    if (drift !== null && !isAsked && !isRebased && !isReverted) return deny(drift);
    if (isChangeInFlight) return defer("the last change is not settled yet", null);
    return allow(
      drift === null
        ? "no other change is under way"
        : `${isRebased ? "leaves alone" : "replaces"} what somebody else wrote: ${drift}`,
    );
  },
};
