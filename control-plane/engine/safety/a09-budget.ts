/**
 * A9: how often automation may move a service by itself, within an hour and within a day, and all services within an hour. Incidents count, not services
 * and not steps: a dead region with 200 services is one, and leaving a region in an incident in which others have left it already costs nothing. Beyond
 * the budget something is wrong that no further move mends, and a person decides.
 */
import type { Instant, RegionId } from "@regent/contract";
import type { Situation } from "../model.ts";
import { DEPARTURES_KEPT_MS, faultsLeft } from "./departures.ts";
import type { Incident } from "./incidents.ts";
import { allIncidents, begunBy, ownIncidents } from "./incidents.ts";
import type { Rule, Ruling } from "./rule.ts";
import { allow, countText, requireApproval } from "./rule.ts";

const HOUR_MS = 3_600_000;

export const a09Budget: Rule = {
  id: "A9",
  binds: "automation",
  ask: ({ proposal, situation }) => {
    const left = faultsLeft(proposal, situation);
    if (left.length === 0) return allow("leaves no region for a fault");
    const { spec } = situation;
    const { failoversPerHour, failoversPerDay, failoversPerHourOfAll } = spec.safety;
    if (failoversPerHour === null && failoversPerDay === null && failoversPerHourOfAll === null)
      return allow("no budget is declared");
    const own = { incidents: ownIncidents(situation), left, situation };
    const spent = [
      spend(own, { limit: failoversPerHour, ms: HOUR_MS, of: `${spec.id} within 1 h` }),
      spend(own, { limit: failoversPerDay, ms: DEPARTURES_KEPT_MS, of: `${spec.id} within 24 h` }),
      spend(
        { ...own, incidents: allIncidents(situation) },
        { limit: failoversPerHourOfAll, ms: HOUR_MS, of: "all services within 1 h" },
      ),
    ];
    return spent.find(({ answer }) => answer !== "allow") ?? allow(spent.map(({ why }) => why).join("; "));
  },
};

interface Spending {
  readonly incidents: readonly Incident[];
  readonly left: readonly RegionId[];
  readonly situation: Situation;
}

interface Budget {
  readonly limit: number | null;
  readonly ms: number;
  readonly of: string;
}

const spend = ({ incidents, left, situation }: Spending, { limit, ms, of }: Budget): Ruling => {
  const spent = incidents.filter(({ from }) => situation.now - from < ms);
  const begun = begunBy(situation, left, incidents);
  const count = spent.length + begun.length;
  if (limit === null) return allow(`${of}: no limit`);
  if (begun.length === 0) return allow(`${of}: ${left.join(", ")} belongs to an incident that automation has acted on`);
  if (count <= limit) return allow(`${of}: incident ${count} of at most ${limit}`);
  return requireApproval(
    `${of}: automation moved in ${countText(spent.length, "incident")}, at most ${limit} are allowed with this one`,
    freeAgainAt(spent, { excess: count - limit, ms }),
  );
};

/** When enough of them are too old to count; null when even then this is too much. */
const freeAgainAt = (
  spent: readonly Incident[],
  { excess, ms }: { readonly excess: number; readonly ms: number },
): Instant | null => {
  const last = spent[excess - 1];
  return last ? last.from + ms : null;
};
