/** What the writer probably meant: the closest known word by edit distance. Pure. */
import { SUGGESTION_LENGTH_MAX } from "./limits.ts";

/** Of words this short a dozen known ones are one edit away, as rules are from `A7`: which is meant can't be told. */
const SHORT = 3;

/** The known word nearest to `word`, if it differs in at most a third of its letters (1 to 4, never all of them); ties: first known, or none. */
export const findNearest = (word: string, known: Iterable<string>): string | undefined => {
  if (word.length === 0 || word.length > SUGGESTION_LENGTH_MAX) return undefined;
  const allowed = Math.min(4, word.length - 1, Math.max(1, Math.floor(word.length / 3)));
  let best: { readonly word: string; readonly distance: number; readonly isAlone: boolean } | undefined;
  for (const candidate of known) {
    if (Math.abs(candidate.length - word.length) > allowed) continue;
    const distance = countEdits(word.toLowerCase(), candidate.toLowerCase());
    if (distance > allowed || distance > (best?.distance ?? allowed)) continue;
    if (distance < (best?.distance ?? Number.POSITIVE_INFINITY)) best = { word: candidate, distance, isAlone: true };
    else if (best !== undefined) best = { ...best, isAlone: false };
  }
  return best !== undefined && (best.isAlone || word.length > SHORT) ? best.word : undefined;
};

/** `did you mean "eu-west"?`, or nothing when no known word is near. */
export const suggestNearest = (word: string, known: Iterable<string>): string | undefined => {
  const nearest = findNearest(word, known);
  return nearest === undefined || nearest === word ? undefined : `did you mean "${nearest}"?`;
};

/** How many known words are listed when none is near; more than these nobody looks through. */
const KNOWN_LISTED_MAX = 10;

/** `did you mean "eu-west"?`, else `declared: eu-west, us-east` when there are few. */
export const suggestDeclared = (word: string, known: readonly string[]): string | undefined => {
  const unique = [...new Set(known)];
  const isShort = unique.length > 0 && unique.length <= KNOWN_LISTED_MAX;
  return suggestNearest(word, unique) ?? (isShort ? `declared: ${unique.join(", ")}` : undefined);
};

/** Insertions, deletions, replacements and swaps of neighbours (optimal string alignment): `wets` is one edit from `west`. */
export const countEdits = (from: string, to: string): number => {
  let beforeLast: number[] = [];
  let last = Array.from({ length: to.length + 1 }, (_, at) => at);
  for (let row = 1; row <= from.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= to.length; column += 1) {
      const isSame = from[row - 1] === to[column - 1];
      const isSwap = row > 1 && column > 1 && from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      current[column] = Math.min(
        (last[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (last[column - 1] ?? 0) + (isSame ? 0 : 1),
        isSwap ? (beforeLast[column - 2] ?? 0) + 1 : Number.POSITIVE_INFINITY,
      );
    }
    beforeLast = last;
    last = current;
  }
  return last[to.length] ?? 0;
};
