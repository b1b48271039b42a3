/** rehearse --what-if: a timeline as it is and with other settings, side by side. Loaded only when asked for. */
import { momentText } from "@regent/simulation/rehearsal/time.ts";
import { type Comparison, compare, type Figure, type Moment } from "@regent/simulation/variation/compare.ts";
import { readWhatIf } from "@regent/simulation/variation/what-if.ts";
import { CommandFailure, EXIT } from "../exit-codes.ts";
import type { Paint } from "../format/paint.ts";
import { toTable } from "../format/table.ts";
import { type Rehearsed, readAll, rehearse } from "./rehearse-run.ts";

export interface WhatIfAnswer {
  readonly asItIs: Rehearsed;
  readonly whatIf: Rehearsed;
  readonly settings: string;
  readonly comparison: Comparison;
}

export const askWhatIf = async (file: string, assignments: readonly string[]): Promise<WhatIfAnswer> => {
  const read = readWhatIf(assignments);
  if (read.kind === "wrong") throw new CommandFailure(EXIT.usage, read.why);
  const [asWritten] = await readAll([file]);
  let unmeant: string | null = null;
  const [varied] = await readAll([file], (written) => {
    unmeant ??= read.findUnmeant(written);
    return read.vary(written);
  }).catch((error: unknown) => {
    // What the configuration says of a word that it doesn't know is told after what this command says of it.
    if (unmeant !== null) throw new CommandFailure(EXIT.usage, unmeant);
    throw error;
  });
  if (unmeant !== null) throw new CommandFailure(EXIT.usage, unmeant);
  if (asWritten === undefined || varied === undefined) throw new CommandFailure(EXIT.usage, `${file} holds no rehearsal`);
  const [asItIs, whatIf] = [await rehearse(asWritten), await rehearse(varied)];
  return { asItIs, whatIf, settings: read.text, comparison: compare(asWritten, asItIs.run, whatIf.run) };
};

/** The setting's own value may hold anything that YAML can; a program gets the words. */
export const toWhatIfJson = ({ asItIs, whatIf, settings, comparison }: WhatIfAnswer): object => ({
  file: asItIs.rehearsal.fileName,
  name: asItIs.rehearsal.name,
  whatIf: settings,
  ...comparison,
  expectations: { asItIs: metOf(asItIs), whatIf: metOf(whatIf) },
});

const metOf = ({ checked }: Rehearsed) => ({ met: checked.filter(({ isMet }) => isMet).length, of: checked.length });

export const toWhatIfLines = ({ asItIs, whatIf, settings, comparison }: WhatIfAnswer, paint: Paint): string[] => {
  const { moments, figures } = comparison;
  const head = ["as it is", "what if", "service", "decision"].map(paint.bold);
  const differing = moments.filter(({ asItIs: a, whatIf: b }) => a !== b).length;
  const [one, other] = [metOf(asItIs), metOf(whatIf)];
  return [
    paint.bold(asItIs.rehearsal.name),
    `what if ${settings}`,
    "",
    ...(moments.length === 0
      ? ["Nothing is decided in either."]
      : toTable([head, ...moments.map((moment) => toRow(moment, paint))])),
    "",
    ...toTable([["", "as it is", "what if"].map(paint.bold), ...figures.flatMap(toFigureRows)]),
    ...(one.of === 0 ? [] : [`${one.met} of ${one.of} expectations are met as it is, ${other.met} with it.`]),
    differing === 0 ? "It makes no difference." : `${differing} of ${moments.length} decisions differ.`,
  ];
};

const toRow = ({ service, what, asItIs, whatIf }: Moment, paint: Paint): string[] => {
  const tell = (at: number | null): string => (at === null ? "—" : momentText(at));
  const isSame = asItIs === whatIf;
  return [tell(asItIs), isSame ? paint.dim("the same") : paint.warn(tell(whatIf)), service, what];
};

const toFigureRows = ({ service, outOfServiceMs, moves }: Figure): string[][] => [
  [`${service}: out of service`, momentText(outOfServiceMs.asItIs).slice(1), momentText(outOfServiceMs.whatIf).slice(1)],
  [`${service}: moves`, String(moves.asItIs), String(moves.whatIf)],
];
