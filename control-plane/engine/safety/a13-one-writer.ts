/** A13: one unresolved change per service, and one writer per name. Nobody can skip it. Somebody's edit of a name that is ours is A14's. */
import type { Rule } from "./rule.ts";
import { allow, defer, deny } from "./rule.ts";

export const a13OneWriter: Rule = {
  id: "A13",
  binds: "everyone",
  ask: ({ proposal, situation: { controls, isChangeInFlight, blockedBy } }) => {
    if (blockedBy !== null) return deny(blockedBy);
    // The database may lack what it decided last, and what operators asked for before may be over: nothing is written but what a person asks now.
    if (controls.frozenGlobally?.cause === "restored" && !proposal.isAsked) return deny(controls.frozenGlobally.reason);
    if (isChangeInFlight) return defer("the last change is not settled yet", null);
    return allow("no other change is under way");
  },
};
