/**
 * A18: a region that turns bad soon after automation moved a left region's traffic to it may be dying of that traffic, and so would the next. A cascade
 * doesn't go on by itself: a person approves it, or returns the traffic. Voluntary moves between fit regions don't count: they are small, and a crumb
 * would hold a true failover for as long as the fault lasts. As in A8, what was failing before the move isn't meant, nor is a return that is given up:
 * it puts back what was just taken from a region that could carry it.
 */
import type { Instant, RegionId } from "@regent/contract";
import type { Departure, Situation } from "../model.ts";
import { isReturning } from "../strategy/returning.ts";
import { clockText, durationText } from "../text.ts";
import { faultsLeft, isVoluntary } from "./departures.ts";
import type { Rule } from "./rule.ts";
import { allow, requireApproval } from "./rule.ts";

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
      if (received) return requireApproval(dyingText(region, received, detectedAt));
    }
    return allow(
      `${left.join(", ")} received no left region's traffic from automation in the ${durationText(receivedMs)} before it turned bad`,
    );
  },
};

/** The last departure that brought it traffic, if it turned bad within the window after. */
const findReceived = ({ traffic, spec }: Situation, region: RegionId, detectedAt: Instant): Departure | undefined =>
  traffic.departures.findLast(
    (one) =>
      !isVoluntary(one) && one.received.includes(region) && one.at <= detectedAt && detectedAt - one.at <= spec.safety.receivedMs,
  );

const dyingText = (region: RegionId, { at, left }: Departure, detectedAt: Instant): string => {
  const from = left.join(", ");
  return (
    `${region} turned bad ${durationText(detectedAt - at)} after it received traffic from ${from} at ${clockText(at)} and may be dying of it: ` +
    `automation moves that traffic no further by itself; a person may approve it, or return the traffic to ${from}`
  );
};
