/**
 * A15: a configuration that changed how a service is judged is shown for a while before it moves healthy traffic, so that a person sees what it would do.
 * Nobody waits who stands in a fire: departures from a bad region go, and so does what moves nothing, takes back an edit, or serves a panic.
 */
import { durationText } from "../text.ts";
import { faultsLeft } from "./departures.ts";
import type { Rule } from "./rule.ts";
import { allow, defer, movesTraffic } from "./rule.ts";

export const a15Shadow: Rule = {
  id: "A15",
  binds: "automation",
  ask: ({ proposal, situation }) => {
    const { spec, surroundings, health, now } = situation;
    const { shadowMs } = spec.safety;
    const { declaredAt } = surroundings;
    if (!movesTraffic(proposal) || proposal.kind === "revert") return allow("moves no healthy traffic");
    const bad = faultsLeft(proposal, situation).filter((region) => health[region]?.verdict !== "degraded");
    if (bad.length > 0) return allow(`${bad.join(", ")} is left for a fault`);
    if (proposal.panicFamilies.length > 0) return allow("the declared panic policy is in force");
    if (declaredAt === null || now - declaredAt >= shadowMs) return allow("the configuration has been shown for long enough");
    return defer(
      `declared ${durationText(now - declaredAt)} ago, shown for ${durationText(shadowMs)} before it moves healthy traffic`,
      declaredAt + shadowMs,
    );
  },
};
