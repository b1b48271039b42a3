/** What a transfer of the writable role hears of safety: what keeps the traffic from following it, and who may be asked to promote. Pure. */
import type { Decision, Situation, Transfer } from "../model.ts";
import { findPin } from "../strategy/overrides.ts";
import { objections } from "./evaluate.ts";

/** The role is there and the traffic isn't: what a person has to know at once. What only waits for a change of ours is no news. */
export const heldBackBy = ({ proposal, rules, isAllowed, sentence }: Decision, { phase, to }: Transfer): string | null => {
  if (phase !== "switch") return null;
  if (!proposal?.gains.includes(to)) return sentence;
  const standing = objections(rules);
  const isWaiting = standing.length > 0 && standing.every(({ answer }) => answer === "defer");
  return isAllowed || isWaiting ? null : sentence;
};

/**
 * A freeze, and a pin, keep automation from promoting anybody, whatever it began. A restored database keeps everybody: it may not know how this ended.
 * Of a situation that overrides are laid over.
 */
export const isHalted = ({ controls, spec }: Pick<Situation, "controls" | "spec">, { by, from, to }: Transfer): boolean => {
  const { frozen, frozenGlobally, frozenRegions } = controls;
  if (frozenGlobally?.cause === "restored") return true;
  if (by.kind === "operator") return false;
  return Boolean(frozen ?? frozenGlobally ?? frozenRegions[from] ?? frozenRegions[to] ?? findPin({ controls, spec }));
};
