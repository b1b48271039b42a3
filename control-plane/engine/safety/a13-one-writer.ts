/** A13: one unresolved change per service, and one writer per name. Nobody can skip it. */
import type { Rule } from "./rule.ts";
import { allow, defer, deny } from "./rule.ts";

export const a13OneWriter: Rule = {
  id: "A13",
  binds: "everyone",
  ask: ({ proposal, situation: { isChangeInFlight, blockedBy, drift, edit } }) => {
    if (blockedBy !== null) return deny(blockedBy);
    // Somebody else wrote: automation waits for a person. An operator sees the difference in the batch, which deletes it as it was read.
    // A freeze is no leave to undo it: it binds us from the moment it is asked for, and reaches DNS later.
    const isOver = edit?.policy === "revert" || proposal.isRebased;
    if (drift !== null && (proposal.kind === "freeze" || (proposal.actor.kind === "automation" && !isOver))) return deny(drift);
    if (isChangeInFlight) return defer("the last change is not settled yet", null);
    return allow(
      drift === null
        ? "no other change is under way"
        : `${proposal.isRebased ? "leaves alone" : "replaces"} what somebody else wrote: ${drift}`,
    );
  },
};
