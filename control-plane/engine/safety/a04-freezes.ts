/**
 * A4: freezes. Automation stands still while a region, the service or everything is frozen, and while an override pins the shares. Operators may
 * move.
 */

import type { Control, Override } from "../model.ts";
import { findPin } from "../strategy/overrides.ts";
import { changes, regionsWhere } from "../strategy/parts.ts";
import { clockText } from "../text.ts";
import type { Rule } from "./rule.ts";
import { allow, deny, movesTraffic } from "./rule.ts";

export const a04Freezes: Rule = {
  id: "A4",
  binds: "automation",
  ask: ({ proposal, situation: { controls, spec } }) => {
    if (!movesTraffic(proposal)) return allow("moves no traffic");
    if (controls.frozenGlobally)
      return deny(`everything is frozen by ${controls.frozenGlobally.by}: ${controls.frozenGlobally.reason}`);
    if (controls.frozen)
      return deny(`${spec.id} is frozen by ${controls.frozen.by}${untilText(controls.frozen)}: ${controls.frozen.reason}`);
    const pin = findPin({ controls, spec });
    // What takes an edit back writes the pinned shares again.
    if (pin && proposal.kind !== "revert") return deny(`${spec.id} is pinned by ${pin.by}${untilText(pin)}: ${pin.reason}`);
    const touched = regionsWhere(proposal.weightsBefore, proposal.weightsAfter, changes).find(
      (region) => controls.frozenRegions[region],
    );
    const control = touched === undefined ? undefined : controls.frozenRegions[touched];
    return control ? deny(`${touched} is frozen by ${control.by}: ${control.reason}`) : allow("nothing is frozen");
  },
};

const untilText = (control: Control | Override): string => ("until" in control ? ` until ${clockText(control.until)}` : "");
