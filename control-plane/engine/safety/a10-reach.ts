/**
 * A10: how far automation reaches at once, over all services: regions that it has left and that aren't fit again (of other services within the hour),
 * and incidents within 5 minutes. One region is a fault; several at a time are more likely our own view, or a fault that moves with the traffic. Another service that leaves a region that
 * is out already makes nothing larger.
 */
import { faultsLeft, regionsStillOut } from "./departures.ts";
import { allIncidents, begunBy } from "./incidents.ts";
import type { Rule, RuleInput, Ruling } from "./rule.ts";
import { allow, countText, requireApproval } from "./rule.ts";

const INCIDENTS_WITHIN_MS = 300_000;

export const a10Reach: Rule = {
  id: "A10",
  binds: "automation",
  ask: (input) => {
    const left = faultsLeft(input.proposal, input.situation);
    if (left.length === 0) return allow("leaves no region for a fault");
    const rulings = [askRegions(input, left), askIncidents(input, left)];
    return rulings.find(({ answer }) => answer !== "allow") ?? allow(rulings.map(({ why }) => why).join("; "));
  },
};

const askRegions = ({ situation }: RuleInput, left: readonly string[]): Ruling => {
  const { spec, traffic, health, surroundings, now } = situation;
  const limit = spec.safety.regionsOutMax;
  if (limit === null) return allow("any number of regions may be out");
  const out = new Set([...surroundings.regionsOut, ...regionsStillOut(traffic, health, now)]);
  const more = left.filter((region) => !out.has(region));
  if (more.length === 0) return allow(`${left.join(", ")} is out already`);
  const all = [...out, ...more].sort();
  return all.length <= limit
    ? allow(`${countText(all.length, "region")} of at most ${limit} out: ${all.join(", ")}`)
    : requireApproval(`${countText(all.length, "region")} would be out at once (${all.join(", ")}), at most ${limit} may be`);
};

const askIncidents = ({ situation }: RuleInput, left: readonly string[]): Ruling => {
  const { spec, now } = situation;
  const limit = spec.safety.incidentsMax;
  if (limit === null) return allow("any number of incidents at a time");
  const incidents = allIncidents(situation);
  const begun = begunBy(situation, left, incidents);
  if (begun.length === 0) return allow(`${left.join(", ")} belongs to an incident that automation has acted on`);
  const recent = incidents.filter(({ from }) => now - from < INCIDENTS_WITHIN_MS);
  const count = recent.length + begun.length;
  if (count <= limit) return allow(`incident ${count} of at most ${limit} within 5 min`);
  const freed = recent[count - limit - 1];
  return requireApproval(
    `${countText(count, "incident")} within 5 min with this one, at most ${limit} are allowed`,
    freed ? freed.from + INCIDENTS_WITHIN_MS : null,
  );
};
