/** Is this value a declaration that Regent can run? All errors at once, without lines. Pure. Called by parse-declaration.ts and by the API. */
import { Declaration } from "@regent/contract";
import type * as z from "zod";
import { findDeclarationProblems } from "./find-problems.ts";
import { findDeclarationWarnings } from "./find-warnings.ts";
import { findMisspeltKinds, type MisspeltKind, repairKinds } from "./misspelt-kinds.ts";
import { type ConfigurationProblem, isWithin, type Path } from "./problem-path.ts";
import { type Salvage, salvageDeclaration } from "./salvage.ts";
import { toShapeProblems } from "./shape-problems.ts";

export type CheckedDeclaration =
  | { readonly kind: "valid"; readonly declaration: Declaration; readonly warnings: readonly string[] }
  | { readonly kind: "invalid"; readonly problems: readonly ConfigurationProblem[] };

export const checkDeclaration = (value: unknown): CheckedDeclaration => {
  const parsed = Declaration.safeParse(value);
  if (!parsed.success) return { kind: "invalid", problems: findAll(value, parsed.error.issues) };
  const problems = findDeclarationProblems(parsed.data);
  if (problems.length > 0) return { kind: "invalid", problems };
  return { kind: "valid", declaration: parsed.data, warnings: findDeclarationWarnings(parsed.data) };
};

const findAll = (value: unknown, issues: readonly z.core.$ZodIssue[]): ConfigurationProblem[] => {
  const misspelt = findMisspeltKinds(value, issues);
  const repaired = repairKinds(value, misspelt);
  // What stands beside a misspelt kind is only checked once the kind is known.
  const further = misspelt.length === 0 ? [] : (Declaration.safeParse(repaired).error?.issues ?? []);
  const salvage = salvageDeclaration(repaired);
  const problems = [
    ...toShapeProblems(issues, value),
    ...toShapeProblems(further, repaired),
    ...(salvage === null ? [] : crossCheck(salvage, misspelt)),
  ];
  return [...new Map(problems.map((problem) => [`${problem.path.join(" ")} ${problem.message}`, problem])).values()];
};

/** Findings in what could be saved, less those that may only echo a part taken out. */
const crossCheck = (
  { declaration, taken, toWrittenPath }: Salvage,
  misspelt: readonly MisspeltKind[],
): ConfigurationProblem[] => {
  const uncertain = [...taken, ...misspelt.map(({ path }) => path)];
  return findDeclarationProblems(declaration)
    .map((problem) => ({
      ...problem,
      path: toWrittenPath(problem.path),
      restsOn: (problem.restsOn ?? []).map(toWrittenPath),
    }))
    .filter(({ path, restsOn }) => ![path, ...restsOn].some((part) => uncertain.some((gone) => touches(gone, part))));
};

const touches = (a: Path, b: Path): boolean => isWithin(a, b) || isWithin(b, a);
