/** What a change was decided on, as one text: two situations with the same text lead to the same change. No latencies, no ages. Pure. */
import type { RegionId } from "@regent/contract";
import type { Control, Situation } from "../model.ts";

export const basisOf = ({ verdicts, controls, configurationVersion, epoch, blockedBy, drift }: Situation): string =>
  JSON.stringify([
    byRegion(verdicts.map((v) => [v.region, v.verdict, v.evidence, v.inside, v.outside])),
    [controls.frozenGlobally?.at, controls.frozen?.at, momentsOf(controls.frozenRegions)],
    [momentsOf(controls.drained), controls.placement?.region, controls.placement?.at],
    configurationVersion,
    epoch,
    blockedBy,
    drift,
  ]);

const momentsOf = (byId: Readonly<Record<RegionId, Control>>): readonly Row[] =>
  byRegion(Object.entries(byId).map(([region, { at }]) => [region, at]));

type Row = readonly [RegionId, ...unknown[]];

/** Neither the order of a list nor that of a record read back from a database is part of the truth. */
const byRegion = (rows: readonly Row[]): readonly Row[] => [...rows].sort(([a], [b]) => (a < b ? -1 : 1));
