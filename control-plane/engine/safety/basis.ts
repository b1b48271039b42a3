/** What a change was decided on, as one text: two situations with the same text lead to the same change. No latencies, no ages. Pure. */
import type { RegionId } from "@regent/contract";
import type { Control, Controls, Proposal, Situation } from "../model.ts";

export const basisOf = ({ verdicts, controls, configurationVersion, epoch, blockedBy, drift, databases }: Situation): string =>
  JSON.stringify([
    byRegion(verdicts.map((v) => [v.region, v.verdict, v.evidence, v.inside, v.outside])),
    ...(databases.length > 0 ? [byRegion(databases.map(({ region, role }) => [region, role]))] : []),
    ...standing(controls),
    configurationVersion,
    epoch,
    blockedBy,
    drift,
  ]);

/**
 * What an approval is bound to: who is left for what, who receives, controls, declaration and the write that it follows. A view that goes to and fro,
 * or another region's trouble, doesn't make a person's answer stale; A12 asks for the whole basis when the batch is made.
 */
export const questionOf = (
  situation: Situation,
  { kind, leaves, gains }: Pick<Proposal, "kind" | "leaves" | "gains">,
): string => {
  const { verdicts, controls, surroundings, epoch, blockedBy, drift } = situation;
  const touched = verdicts.filter(({ region }) => leaves.includes(region) || gains.includes(region));
  return JSON.stringify([
    kind,
    byRegion(touched.map(({ region, verdict }) => [region, verdict])),
    standing(controls),
    surroundings.declaredAt,
    epoch,
    blockedBy,
    drift,
  ]);
};

const standing = (controls: Controls): readonly unknown[] => [
  [controls.frozenGlobally?.at, controls.frozen?.at, momentsOf(controls.frozenRegions)],
  [momentsOf(controls.drained), controls.placement?.region, controls.placement?.at],
  ...(controls.overrides.length > 0 ? [controls.overrides.map(({ id }) => id).sort()] : []),
];

const momentsOf = (byId: Readonly<Record<RegionId, Control>>): readonly Row[] =>
  byRegion(Object.entries(byId).map(([region, { at }]) => [region, at]));

type Row = readonly [RegionId, ...unknown[]];

/** Neither the order of a list nor that of a record read back from a database is part of the truth. */
const byRegion = (rows: readonly Row[]): readonly Row[] => [...rows].sort(([a], [b]) => (a < b ? -1 : 1));
