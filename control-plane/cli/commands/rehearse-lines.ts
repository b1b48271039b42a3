/** A rehearsal as lines for a person, and as one value for a program. Pure. */
import type { Weights } from "@regent/contract";
import { changeText, partsOf } from "@regent/simulation/rehearsal/check.ts";
import { sharesText } from "@regent/simulation/rehearsal/expectation-text.ts";
import { momentText } from "@regent/simulation/rehearsal/time.ts";
import { type Paint, verdictText } from "../format/paint.ts";
import { toTable } from "../format/table.ts";
import type { Rehearsed } from "./rehearse-run.ts";

interface Row {
  readonly at: number;
  readonly service: string;
  readonly what: string;
  readonly why: string;
}

/** Timelines may be long; a person reads this many, and `--json` has them all. */
const ROWS_MAX = 400;

export const toTimelineLines = ({ rehearsal, run }: Rehearsed, paint: Paint): string[] => {
  const rows = toRows({ rehearsal, run }, paint);
  const head = [["when", "service", "what", "why"].map(paint.bold)];
  const cells = rows.slice(0, ROWS_MAX).map(({ at, service, what, why }) => [momentText(at), service, what, why]);
  const { probes, failures, reports, pace } = run;
  return [
    paint.bold(rehearsal.name),
    ...(rehearsal.why === null ? [] : [rehearsal.why.trim()]),
    "",
    ...toTable([...head, ...cells]),
    ...(rows.length > ROWS_MAX ? [`and ${rows.length - ROWS_MAX} more; --json has all`] : []),
    "",
    paint.dim(
      `${momentText(rehearsal.forMs).slice(1)} of virtual time: ${probes} probes, ${failures} failed, ${reports} reports; ${Math.round(pace).toLocaleString("en")} x real time`,
    ),
  ];
};

const toRows = ({ rehearsal, run: { told } }: Pick<Rehearsed, "rehearsal" | "run">, paint: Paint): readonly Row[] => {
  const rows: Row[] = [
    ...rehearsal.configuration.map(({ atMs, text }) => ({ at: atMs, service: "", what: "configuration", why: text })),
    ...told.turns.map(({ at, service, region, to, why }) => ({ at, service, what: `${region} ${verdictText(to, paint)}`, why })),
    ...told.standings
      .filter(({ at }) => at === 0)
      .map(({ service, weights }) => ({
        at: 0,
        service,
        what: "serves",
        why: servedText(weights),
      })),
    ...told.answers.map(({ at, service, by, do: act, is, why }) => ({
      at,
      service: service ?? "all",
      what: is === "made" ? `${by}: ${act}` : paint.warn(`${by}: ${act}, ${is}`),
      why,
    })),
    ...told.changes.map((change) => ({
      at: change.at,
      service: change.service,
      what: paint.bold(`→ ${changeText(change)}`),
      why: change.why,
    })),
    ...told.held
      .filter(({ at }) => at >= 0)
      .map(({ at, service, rules, mode, sentence }) => ({
        at,
        service,
        what: paint.warn(`held by ${[...rules.map(({ rule }) => rule), ...(mode === null ? [] : ["mode"])].join(", ")}`),
        why: sentence,
      })),
    ...told.standstills
      .filter(({ at }) => at >= 0)
      .map(({ at, service, sentence }) => ({ at, service, what: paint.warn("stands still"), why: sentence })),
  ];
  return rows.sort((a, b) => a.at - b.at);
};

const servedText = (weights: Weights): string => {
  const families = Object.entries(weights);
  return families
    .map(([family, byRegion]) => `${families.length === 1 ? "" : `${family}: `}${sharesText(partsOf(byRegion))}`)
    .join("; ");
};

/** `isTold`: what came is told of those that are met, too. */
export const toCheckLines = ({ rehearsal, checked }: Rehearsed, paint: Paint, isTold: boolean): string[] => {
  const { name, fileName } = rehearsal;
  const met = checked.filter(({ isMet }) => isMet).length;
  if (checked.length === 0) return [isTold ? "Nothing is expected." : `${fileName}: nothing is expected`];
  const mark = met === checked.length ? paint.good("met") : paint.bad("NOT MET");
  return [
    `${fileName}: ${mark}, ${met} of ${checked.length} expectations (${name})`,
    ...checked.flatMap(({ line, isMet, expected, got }) => {
      if (isMet) return isTold ? [`  ${paint.good("✓")} ${expected}`] : [];
      return [`  ${paint.bad("✖")} ${fileName}:${line}`, `      expected ${expected}`, `      got      ${got}`];
    }),
  ];
};

export const toRehearsalJson = ({ rehearsal, run, checked }: Rehearsed): object => {
  const { told, ...figures } = run;
  const { fileName, name, why, seed, stepMs, forMs } = rehearsal;
  return {
    file: fileName,
    name,
    why,
    seed,
    stepMs,
    forMs,
    isMet: checked.every(({ isMet }) => isMet),
    expectations: checked,
    ...told,
    // Infinite has no word in JSON: what still holds at the end has none.
    held: told.held.map(withoutEnd),
    standstills: told.standstills.map(withoutEnd),
    figures: { ...figures, tookMs: Math.round(figures.tookMs), pace: Math.round(figures.pace) },
  };
};

const withoutEnd = <T extends { readonly until: number }>(one: T) => ({
  ...one,
  until: Number.isFinite(one.until) ? one.until : null,
});
