/**
 * A6: traffic lands only where fresh evidence speaks for it; never fail over into unknown. Soft evidence (one doubtful view) is not against
 * it: else one lying vantage could keep traffic in a dead region. Whether a region in maintenance may gain is A5's question; its evidence is asked here.
 */
import type { RegionId } from "@regent/contract";
import type { Situation } from "../model.ts";
import { asideText } from "../strategy/overrides.ts";
import { gains, regionsWhere } from "../strategy/parts.ts";
import type { Rule } from "./rule.ts";
import { allow, calmWeights, deny, movesTraffic } from "./rule.ts";

export const a06TargetFit: Rule = {
  id: "A6",
  binds: "break-glass",
  ask: ({ proposal, situation }) => {
    const { verdicts, controls } = situation;
    if (!movesTraffic(proposal)) return allow("moves no traffic");
    const { before, after } = calmWeights(proposal);
    const landing = regionsWhere(before, after, gains);
    for (const region of landing) {
      const drain = proposal.kind === "failover" ? controls.drained[region] : undefined;
      if (drain) return deny(asideText(region, drain));
      const verdict = verdicts.find((v) => v.region === region);
      const hasEvidence = verdict && (verdict.evidence === "good" || verdict.evidence === "soft");
      if (!isFit(situation, region) || !hasEvidence)
        return deny(
          `${region} is ${verdict?.verdict ?? "unknown"} with ${verdict?.evidence ?? "no"} evidence: ${verdict?.why ?? "nothing is known"}`,
        );
    }
    if (landing.length > 0) return allow(`${landing.join(", ")}: fit, with fresh evidence`);
    return allow(proposal.gains.length > 0 ? "the declared panic policy is in force" : "no region gains traffic");
  },
};

const isFit = ({ verdicts }: Situation, region: RegionId): boolean => {
  const verdict = verdicts.find((v) => v.region === region)?.verdict;
  return verdict === "healthy" || verdict === "degraded" || verdict === "maintenance";
};
