/**
 * A5: a region in maintenance gains nothing, however well it looks: whoever works on it may take it down at any moment. What it still holds goes
 * under A1 and A3, like any move. Families that the declared panic policy serves are left out, as in A6.
 */
import { gains, regionsWhere } from "../strategy/parts.ts";
import type { Rule } from "./rule.ts";
import { allow, calmWeights, deny, movesTraffic } from "./rule.ts";

export const a05Maintenance: Rule = {
  id: "A5",
  binds: "break-glass",
  ask: ({ proposal, situation: { health } }) => {
    if (!movesTraffic(proposal)) return allow("moves no traffic");
    const { before, after } = calmWeights(proposal);
    const region = regionsWhere(before, after, gains).find((one) => health[one]?.verdict === "maintenance");
    if (region !== undefined) return deny(`${region} would gain traffic: ${health[region]?.why || "it is in maintenance"}`);
    return allow("no region in maintenance gains traffic");
  },
};
