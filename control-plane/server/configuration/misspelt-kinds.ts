/**
 * A misspelt `kind` of a check or strategy hides every other error beside it: this reads it as the nearest known one for the rest of the
 * checks. Pure. Called by check-declaration.ts.
 */
import type * as z from "zod";
import { findNearest } from "./nearest.ts";
import { fromZodPath, type Path, readAt } from "./problem-path.ts";
import { clone } from "./salvage.ts";

export interface MisspeltKind {
  /** Of the kind itself. */
  readonly path: Path;
  readonly meant: string;
}

export const findMisspeltKinds = (value: unknown, issues: readonly z.core.$ZodIssue[]): MisspeltKind[] =>
  issues.flatMap((issue) => {
    const options = "options" in issue && Array.isArray(issue.options) ? issue.options.map(String) : [];
    const path = fromZodPath(issue.path);
    const written = readAt(value, path);
    const meant = typeof written === "string" ? findNearest(written, options) : undefined;
    return meant === undefined ? [] : [{ path, meant }];
  });

/** A copy with those kinds put right; the value itself when there are none. */
export const repairKinds = (value: unknown, kinds: readonly MisspeltKind[]): unknown => {
  if (kinds.length === 0) return value;
  const copy = clone(value);
  for (const { path, meant } of kinds) {
    const container = readAt(copy, path.slice(0, -1));
    const key = path.at(-1);
    if (typeof container === "object" && container !== null && key !== undefined)
      (container as Record<string | number, unknown>)[key] = meant;
  }
  return copy;
};
