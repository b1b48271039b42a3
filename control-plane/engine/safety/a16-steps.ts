/**
 * A16: a voluntary move between fit regions goes in steps: at most `stepMax` of the traffic, and the next not before the last can have been seen. It has no
 * hurry, and each step is a chance to notice that it was wrong. Returns have their ramp, departures never wait.
 *
 * A region that is declared no longer goes at once: its records go with the batch. So does one that is drained or in maintenance: a person wants it empty.
 */
import type { ServiceSpec, Situation } from "../model.ts";
import { durationText, percentText } from "../text.ts";
import { isVoluntary, movedPart } from "./departures.ts";
import type { Rule } from "./rule.ts";
import { allow, clamp, defer } from "./rule.ts";

/** The finest that integer weights can do, for each region. */
const WEIGHT_STEP = 1 / 255;

export const a16Steps: Rule = {
  id: "A16",
  binds: "automation",
  ask: ({ proposal, situation }) => {
    const { spec, traffic, now } = situation;
    const { stepMax } = spec.safety;
    if (proposal.kind !== "rebalance" || proposal.panicFamilies.length > 0) return allow("not a voluntary move");
    if (stepMax >= 1) return allow("voluntary moves have no limit");
    const gone = proposal.leaves.filter((region) => isUnwanted(situation, region));
    if (gone.length > 0) return allow(`${gone.join(", ")} is to be empty and goes at once`);
    const last = traffic.departures.findLast(isVoluntary)?.at ?? null;
    const until = last === null ? now : last + spec.settings.rampStepMs;
    if (last !== null && now < until)
      return defer(
        `last voluntary move ${durationText(now - last)} ago, the next one ${durationText(spec.settings.rampStepMs)} after it`,
        until,
      );
    const moved = movedPart(proposal.weightsBefore, proposal.weightsAfter);
    if (moved <= stepMax + roundingOf(spec))
      return allow(`moves ${percentText(moved)} of the traffic, at most ${percentText(stepMax)}`);
    return clamp(stepMax / moved, `would move ${percentText(moved)} of the traffic, at most ${percentText(stepMax)} at a time`);
  },
};

/** A step of 10 % may come out as a little more. */
export const roundingOf = ({ endpoints }: ServiceSpec): number => endpoints.length * WEIGHT_STEP;

const isUnwanted = ({ spec, health, controls }: Situation, region: string): boolean =>
  !spec.endpoints.some((one) => one.region === region) ||
  controls.drained[region] !== undefined ||
  health[region]?.verdict === "maintenance";
