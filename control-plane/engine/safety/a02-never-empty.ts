/** A2: no family may become empty or all-zero, for any name and type. Nobody can skip it. */
import type { Rule } from "./rule.ts";
import { allow, deny } from "./rule.ts";

export const a02NeverEmpty: Rule = {
  id: "A2",
  binds: "everyone",
  ask: ({ proposal, situation: { spec } }) => {
    for (const family of spec.families) {
      const weights = proposal.weightsAfter[family.id] ?? {};
      for (const type of spec.types) {
        const members = spec.endpoints.filter(({ answers }) => answers[type] !== undefined);
        const sum = members.reduce((total, { region }) => total + (weights[region] ?? 0), 0);
        if (members.length === 0 || sum <= 0)
          return deny(`${family.name} ${type} would have ${members.length} members with a weight sum of ${sum}`);
      }
    }
    return allow("every name and type keeps a member with a positive weight");
  },
};
