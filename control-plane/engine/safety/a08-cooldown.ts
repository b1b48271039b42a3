/**
 * A8: time between two automatic failovers of a service. A chained death is exempt only where the evidence against the second region is older
 * than the last move: a region that turned bad after it received the traffic may be dying of it. Giving up a return is exempt too: it puts back what was
 * just taken from a region that could carry it.
 */
import { isReturning } from "../strategy/returning.ts";
import { clockText, durationText } from "../text.ts";
import type { Rule } from "./rule.ts";
import { allow, defer } from "./rule.ts";

export const a08Cooldown: Rule = {
  id: "A8",
  binds: "automation",
  ask: ({ proposal, situation: { traffic, health, spec, now } }) => {
    const last = traffic.lastAutomaticFailoverAt;
    if (proposal.kind !== "failover") return allow("not a failover");
    if (last === null) return allow("no automatic failover before");
    const until = last + spec.settings.cooldownMs;
    if (now >= until) return allow(`last automatic failover ${durationText(now - last)} ago`);
    const { leaves } = proposal;
    if (leaves.length > 0 && leaves.every((region) => isReturning(traffic, region)))
      return allow(`${leaves.join(", ")} is left in the middle of its return`);
    const isChained = leaves.length > 0 && leaves.every((region) => (health[region]?.detectedAt ?? now) < last);
    if (isChained) return allow(`${leaves.join(", ")} was failing before the last move at ${clockText(last)}`);
    return defer(
      `last automatic failover ${durationText(now - last)} ago, cool-down ${durationText(spec.settings.cooldownMs)}`,
      until,
    );
  },
};
