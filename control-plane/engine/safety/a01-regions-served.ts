/** A1: at least N regions keep a positive weight (an ATLEAST assertion in AWS ARC's words). */
import type { Rule } from "./rule.ts";
import { allow, deny } from "./rule.ts";

export const a01RegionsServed: Rule = {
  id: "A1",
  binds: "break-glass",
  ask: ({ proposal, situation: { spec } }) => {
    for (const family of spec.families) {
      const weights = Object.values(proposal.weightsAfter[family.id] ?? {});
      const served = weights.filter((weight) => weight > 0).length;
      const servedBefore = Object.values(proposal.weightsBefore[family.id] ?? {}).filter((weight) => weight > 0).length;
      // A family that already serves too few may still change, as long as it doesn't lose another.
      if (served < Math.min(spec.regionsMin, Math.max(servedBefore, 1)))
        return deny(
          `${family.id} would serve from ${served} of ${weights.length} regions, at least ${spec.regionsMin} must stay`,
        );
    }
    return allow(`every family keeps at least ${spec.regionsMin} region${spec.regionsMin === 1 ? "" : "s"}`);
  },
};
