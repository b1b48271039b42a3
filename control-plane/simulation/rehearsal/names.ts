/** Names with `*` for any part of one, against the names that are declared. Pure. */
import { suggestDeclared } from "@regent/server/configuration/nearest.ts";
import type { WrittenNames } from "./shape.ts";

export const toList = <T>(written: T | readonly T[]): readonly T[] => (Array.isArray(written) ? written : [written as T]);

/** Stars only: nothing of a name has another meaning, and no pattern takes long. */
export const isMatch = (pattern: string, name: string): boolean => {
  const [first = "", ...rest] = pattern.split("*");
  if (rest.length === 0) return pattern === name;
  if (!name.startsWith(first)) return false;
  const last = rest.pop() ?? "";
  let at = first.length;
  for (const piece of rest) {
    const found = name.indexOf(piece, at);
    if (found < 0) return false;
    at = found + piece.length;
  }
  return name.length - last.length >= at && name.endsWith(last);
};

/** Null where nothing is written: all. */
export const selectNames = (written: WrittenNames | undefined, known: readonly string[]): ReadonlySet<string> | null =>
  written === undefined ? null : new Set(known.filter((name) => toList(written).some((pattern) => isMatch(pattern, name))));

/** A sentence for each pattern that no declared name fits. */
export const findStrangers = (written: WrittenNames | undefined, known: readonly string[], what: string): readonly string[] =>
  (written === undefined ? [] : toList(written))
    .filter((pattern) => !known.some((name) => isMatch(pattern, name)))
    .map((pattern) => {
      const suggestion = suggestDeclared(pattern, known);
      return `no ${what} "${pattern}" is declared${suggestion === undefined ? "" : `; ${suggestion}`}`;
    });
