/** A4: freezes. Automation stands still while a region, the service or everything is frozen. Operators may move. */
import { changes, regionsWhere } from "../strategy/parts.ts";
import type { Rule } from "./rule.ts";
import { allow, deny, movesTraffic } from "./rule.ts";

export const a04Freezes: Rule = {
  id: "A4",
  binds: "automation",
  ask: ({ proposal, situation: { controls, spec } }) => {
    if (!movesTraffic(proposal)) return allow("moves no traffic");
    if (controls.frozenGlobally)
      return deny(`everything is frozen by ${controls.frozenGlobally.by}: ${controls.frozenGlobally.reason}`);
    if (controls.frozen) return deny(`${spec.id} is frozen by ${controls.frozen.by}: ${controls.frozen.reason}`);
    const touched = regionsWhere(proposal.weightsBefore, proposal.weightsAfter, changes).find(
      (region) => controls.frozenRegions[region],
    );
    const control = touched === undefined ? undefined : controls.frozenRegions[touched];
    return control ? deny(`${touched} is frozen by ${control.by}: ${control.reason}`) : allow("nothing is frozen");
  },
};
