/** A12: a change is made on what is true now. The digest covers verdicts, views, controls, configuration version and epoch record. */
import { basisOf } from "./basis.ts";
import type { Rule } from "./rule.ts";
import { allow, deny } from "./rule.ts";

/** A proposal older than this is decided again, ms. */
export const PROPOSAL_AGE_MAX_MS = 30_000;

export const a12FreshChange: Rule = {
  id: "A12",
  binds: "everyone",
  ask: ({ proposal, situation }) => {
    const age = situation.now - proposal.computedAt;
    if (age > PROPOSAL_AGE_MAX_MS) return deny(`decided ${age} ms ago, at most ${PROPOSAL_AGE_MAX_MS} ms are allowed`);
    if (basisOf(situation) !== proposal.basis)
      return deny("verdicts, views, controls, configuration or the epoch record changed since it was decided");
    return allow(`decided ${age} ms ago on the evidence that still stands`);
  },
};
