/** What a change was decided on, as one text: two situations with the same text lead to the same change. No latencies, no ages. Pure. */
import type { Situation } from "../model.ts";

export const basisOf = ({ verdicts, controls, configurationVersion, epoch, blockedBy, drift }: Situation): string =>
  JSON.stringify([
    verdicts.map((v) => [v.region, v.verdict, v.evidence, v.inside, v.outside]),
    [
      controls.frozenGlobally?.at,
      controls.frozen?.at,
      Object.entries(controls.frozenRegions).map(([region, c]) => [region, c.at]),
    ],
    [Object.entries(controls.drained).map(([region, c]) => [region, c.at]), controls.placement?.region, controls.placement?.at],
    configurationVersion,
    epoch,
    blockedBy,
    drift,
  ]);
