/**
 * An outage script as text to steps, or all of its errors at once, each with its line. Pure. What it may name is given, so that a region that
 * isn't there is told before anything is broken. Called by sandbox-play.ts; drawn by sandbox-timeline.ts. Format: docs/SANDBOX.md.
 */
import { toErrorLines } from "@regent/server/configuration/parse-declaration.ts";
import { fromZodPath, type Path, toPathText, toValueText } from "@regent/server/configuration/problem-path.ts";
import { type DeclarationError, readYaml } from "@regent/server/configuration/yaml-source.ts";
import * as z from "zod";
import { OUTAGE_ACTS_MAX, OUTAGE_FAULT_MS_MIN, OUTAGE_MS_MAX, OUTAGE_STEPS_MAX } from "../limits.ts";
import {
  type Break,
  breakSchema,
  type Complaints,
  complain,
  type Mend,
  mendSchema,
  type OutageWorld,
  readBy,
} from "./sandbox-script-words.ts";

/** From and to, in ms; the same twice where nothing is left to chance. */
export interface Span {
  readonly minMs: number;
  readonly maxMs: number;
}

export type Doing =
  | { readonly kind: "break"; readonly what: Break; readonly stands: Span | undefined }
  | { readonly kind: "mend"; readonly what: Mend };

export interface OutageStep {
  /** In the file, from 1. */
  readonly line: number;
  readonly at: Span;
  /** One of these is drawn, anew at each repetition. */
  readonly choices: readonly Doing[];
  /** 1 or more. */
  readonly times: number;
  /** From one repetition's beginning to the next one's. */
  readonly every: Span;
  readonly note: string | undefined;
}

export interface OutageScript {
  readonly name: string;
  readonly seed: number;
  /** When everything is mended at the latest; absent: when the last step is over. */
  readonly lastsMs: number | undefined;
  readonly steps: readonly OutageStep[];
}

export type ParsedScript =
  | { readonly kind: "valid"; readonly script: OutageScript }
  /** `lines`: `night.yaml:12:9 steps[3].for: …`, in the order of the file. */
  | { readonly kind: "invalid"; readonly lines: readonly string[] };

/** Never throws, whatever the text. `fileName` is for messages only. */
export const parseOutageScript = (text: string, fileName: string, world: OutageWorld): ParsedScript => {
  const invalid = (errors: readonly DeclarationError[]): ParsedScript => {
    const inOrder = [...errors].sort((a, b) => a.line - b.line || a.column - b.column);
    return { kind: "invalid", lines: toErrorLines({ kind: "invalid", fileName, errors: inOrder }) };
  };
  const source = readYaml(text);
  if (source.kind === "unreadable") return invalid(source.errors);
  const parsed = scriptSchema(world).safeParse(source.value);
  const findings = parsed.success ? findTimeProblems(parsed.data) : parsed.error.issues.flatMap(toFindings);
  if (!parsed.success || findings.length > 0 || source.errors.length > 0)
    return invalid([
      ...source.errors,
      ...findings.map(({ path, message, at }) => ({ path: toPathText(path), message, ...source.place(path, at) })),
    ]);
  const { name, seed, lasts, steps } = parsed.data;
  const placed = steps.map((step, index) => ({ ...step, line: source.place(["steps", index]).line }));
  return { kind: "valid", script: { name, seed, lastsMs: lasts, steps: placed } };
};

interface Finding {
  readonly path: Path;
  readonly message: string;
  readonly at: "key" | "value";
}

const toFindings = (issue: z.core.$ZodIssue): Finding[] => {
  const path = fromZodPath(issue.path);
  if (issue.code !== "unrecognized_keys") return [{ path, message: issue.message, at: "value" }];
  return issue.keys.map((key) => ({ path: [...path, key], message: `unknown key "${key}"`, at: "key" }));
};

const DURATION = /^(\d{1,8}(?:\.\d{1,3})?)(ms|s|m|h)$/;
const MS_BY_UNIT = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 } as const;

const Duration = z.unknown().transform((value, context): number => {
  const [, amount, unit] = (typeof value === "string" ? DURATION.exec(value.trim()) : null) ?? [];
  if (amount === undefined) return complain(context, [], `${toValueText(value)} is not a duration such as 500ms, 5s or 2m`);
  const ms = Math.round(Number(amount) * MS_BY_UNIT[unit as keyof typeof MS_BY_UNIT]);
  return ms <= OUTAGE_MS_MAX ? ms : complain(context, [], `${value} is longer than ${OUTAGE_MS_MAX / MS_BY_UNIT.h}h`);
});

/** `[2s, 5s]` */
const Range = z
  .tuple([Duration, Duration], "write a range as [2s, 5s]")
  .refine(([min, max]) => min <= max, "the range ends before it begins")
  .transform(([minMs, maxMs]): Span => ({ minMs, maxMs }));

const Fixed = Duration.transform((ms): Span => ({ minMs: ms, maxMs: ms }));

/** `5s`, or a range to have it drawn. */
const FixedOrRange = z
  .unknown()
  .transform((value, context): Span => readBy(context, Array.isArray(value) ? Range : Fixed, value));

const Standing = FixedOrRange.refine(
  ({ minMs }) => minMs >= OUTAGE_FAULT_MS_MIN,
  `at least ${OUTAGE_FAULT_MS_MIN}ms: a shorter fault is over before anybody has looked`,
);

const scriptSchema = (world: OutageWorld) => {
  const doing = { break: breakSchema(world).optional(), mend: mendSchema(world).optional(), for: Standing.optional() };
  const choice = z.strictObject(doing).transform((written, context): Doing => toDoing(context, written));
  const step = z
    .strictObject({
      at: Fixed.optional(),
      between: Range.optional(),
      ...doing,
      "one of": z.array(choice).min(2).max(20).optional(),
      times: z.int().min(2).max(OUTAGE_ACTS_MAX).optional(),
      every: FixedOrRange.optional(),
      note: z.string().min(1).max(200).optional(),
    })
    .transform((written, context) => {
      // What is wrong with a part says enough; the whole would only echo it.
      if (context.issues.length > 0) return z.NEVER;
      const { at = written.between, times = 1, every = { minMs: 0, maxMs: 0 }, note } = written;
      if (at === undefined || (written.at && written.between))
        return complain(context, [], "a step has either `at` or `between`");
      if (times > 1 !== (written.every !== undefined))
        return complain(context, [], "`times` and `every` stand together: how often, and how far apart");
      const { "one of": oneOf } = written;
      if (oneOf !== undefined && (written.break ?? written.mend ?? written.for) !== undefined)
        return complain(context, [], "beside `one of` nothing else is done: `break`, `mend` and `for` stand in its entries");
      return { at, choices: oneOf ?? [toDoing(context, written)], times, every, note };
    });
  return z.strictObject({
    outage: z.literal(1, "the format is 1"),
    name: z.string().min(1).max(100),
    seed: z.int().min(0).max(0xffff_ffff).default(1),
    lasts: Duration.optional(),
    steps: z.array(step).min(1).max(OUTAGE_STEPS_MAX),
  });
};

interface WrittenDoing {
  readonly break?: Break | undefined;
  readonly mend?: Mend | undefined;
  readonly for?: Span | undefined;
}

const toDoing = (context: Complaints, written: WrittenDoing): Doing => {
  if (context.issues.length > 0) return z.NEVER;
  const { break: broken, mend, for: stands } = written;
  if (broken !== undefined && mend === undefined) return { kind: "break", what: broken, stands };
  if (mend === undefined || broken !== undefined)
    return complain(context, [], "a step does one thing: `break`, `mend` or `one of`");
  return stands === undefined ? { kind: "mend", what: mend } : complain(context, ["for"], "`for` belongs to a break");
};

interface Timed {
  readonly lasts?: number | undefined;
  readonly steps: readonly Pick<OutageStep, "at" | "choices" | "times" | "every">[];
}

/** What can't come out well, whatever is drawn. */
const findTimeProblems = ({ lasts, steps }: Timed): Finding[] => {
  const at = "value";
  const acts = steps.reduce((sum, { times }) => sum + times, 0);
  const tooMany = `${acts} repetitions in all; at most ${OUTAGE_ACTS_MAX}`;
  return [
    ...(acts > OUTAGE_ACTS_MAX ? [{ path: ["steps"], message: tooMany, at } as const] : []),
    ...steps.flatMap((step, index) =>
      stepTimeProblems(step, lasts).map((message): Finding => ({ path: ["steps", index], message, at })),
    ),
  ];
};

const stepTimeProblems = ({ at, choices, times, every }: Timed["steps"][number], lasts: number | undefined): string[] => {
  const latest = at.maxMs + (times - 1) * every.maxMs;
  const bound =
    lasts === undefined ? `the ${OUTAGE_MS_MAX / MS_BY_UNIT.h}h that an outage may last` : "`lasts`, when everything is mended";
  const isUnmended = lasts === undefined && choices.some((choice) => choice.kind === "break" && choice.stands === undefined);
  return [
    ...(latest < (lasts ?? OUTAGE_MS_MAX) ? [] : [`this may begin ${latest / 1_000}s after the start, not before ${bound}`]),
    ...(isUnmended ? ["nobody would mend this: give the break a `for`, or the outage a `lasts`"] : []),
  ];
};
