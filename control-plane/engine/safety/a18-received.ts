/**
 * A18: a region that turns bad soon after automation moved traffic to it may be dying of that traffic, and so would the next. Automation doesn't move it
 * again: a person does, and the way back is offered. As in A8, what was failing before the move isn't meant, nor is a return that is given up: it puts back
 * what was just taken from a region that could carry it.
 */
import type { Instant, RegionId } from "@regent/contract";
import type { Departure, Situation } from "../model.ts";
import { isReturning } from "../strategy/returning.ts";
import { clockText, durationText } from "../text.ts";
import { faultsLeft } from "./departures.ts";
import type { Rule } from "./rule.ts";
import { allow, deny } from "./rule.ts";

export const a18Received: Rule = {
  id: "A18",
  binds: "automation",
  ask: ({ proposal, situation }) => {
    const { receivedMs } = situation.spec.safety;
    if (receivedMs === 0) return allow("no time is declared within which received traffic counts");
    const left = faultsLeft(proposal, situation);
    if (left.length === 0) return allow("leaves no region for a fault");
    for (const region of left) {
      if (isReturning(situation.traffic, region)) continue;
      const detectedAt = situation.health[region]?.detectedAt ?? situation.now;
      const received = findReceived(situation, region, detectedAt);
      if (received) return deny(dyingText(region, received, detectedAt));
    }
    return allow(`${left.join(", ")} received nothing from automation in the ${durationText(receivedMs)} before it turned bad`);
  },
};

/** The last move that brought it traffic, if it turned bad within the window after. */
const findReceived = ({ traffic, spec }: Situation, region: RegionId, detectedAt: Instant): Departure | undefined =>
  traffic.departures.findLast(
    ({ at, received }) => received.includes(region) && at <= detectedAt && detectedAt - at <= spec.safety.receivedMs,
  );

const dyingText = (region: RegionId, { at, left }: Departure, detectedAt: Instant): string => {
  const from = left.length > 0 ? left.join(", ") : "the other regions";
  return (
    `${region} turned bad ${durationText(detectedAt - at)} after it received traffic from ${from} at ${clockText(at)} and may be dying of it: ` +
    `automation moves that traffic no further; you can return it to ${from}`
  );
};
