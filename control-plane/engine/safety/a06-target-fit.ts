/**
 * A6: traffic lands only where fresh evidence speaks for it; never fail over into unknown. Soft evidence (one doubtful view) is not against
 * it: else one lying vantage could keep traffic in a dead region.
 */
import type { RegionId } from "@regent/contract";
import type { Situation } from "../model.ts";
import { isPanicOpen } from "../strategy/fail-static.ts";
import type { Rule } from "./rule.ts";
import { allow, deny, movesTraffic } from "./rule.ts";

export const a06TargetFit: Rule = {
  id: "A6",
  binds: "break-glass",
  ask: ({ proposal, situation }) => {
    const { verdicts, controls } = situation;
    if (!movesTraffic(proposal)) return allow("moves no traffic");
    // The declared panic policy serves regions that nobody vouches for: that is its meaning, but not at the cost of a fit one.
    const isFreed = proposal.leaves.every((region) => !isFit(situation, region));
    if (proposal.kind === "rebalance" && isPanicOpen(situation) && isFreed) return allow("the declared panic policy is in force");
    for (const region of proposal.gains) {
      const drain = proposal.kind === "failover" ? controls.drained[region] : undefined;
      if (drain) return deny(`${region} is drained by ${drain.by}: ${drain.reason}`);
      const verdict = verdicts.find((v) => v.region === region);
      const hasEvidence = verdict && (verdict.evidence === "good" || verdict.evidence === "soft");
      if (!isFit(situation, region) || !hasEvidence)
        return deny(
          `${region} is ${verdict?.verdict ?? "unknown"} with ${verdict?.evidence ?? "no"} evidence: ${verdict?.why ?? "nothing is known"}`,
        );
    }
    return allow(
      proposal.gains.length === 0 ? "no region gains traffic" : `${proposal.gains.join(", ")}: fit, with fresh evidence`,
    );
  },
};

const isFit = ({ verdicts }: Situation, region: RegionId): boolean => {
  const verdict = verdicts.find((v) => v.region === region)?.verdict;
  return verdict === "healthy" || verdict === "degraded";
};
