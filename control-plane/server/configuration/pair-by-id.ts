/** Two versions of a list, matched by what identifies an entry. Pure. */

export type Pair<Entry> =
  | { readonly kind: "added"; readonly id: string; readonly after: Entry }
  | { readonly kind: "removed"; readonly id: string; readonly before: Entry }
  | { readonly kind: "kept"; readonly id: string; readonly before: Entry; readonly after: Entry };

/** In the order of `after`; then what was removed, in the order of `before`. */
export const pairById = <Entry>(
  before: readonly Entry[],
  after: readonly Entry[],
  idOf: (entry: Entry) => string,
): Pair<Entry>[] => {
  const beforeById = new Map(before.map((entry) => [idOf(entry), entry]));
  const afterIds = new Set(after.map(idOf));
  return [
    ...after.map((entry): Pair<Entry> => {
      const id = idOf(entry);
      const known = beforeById.get(id);
      return known === undefined ? { kind: "added", id, after: entry } : { kind: "kept", id, before: known, after: entry };
    }),
    ...before
      .filter((entry) => !afterIds.has(idOf(entry)))
      .map((entry): Pair<Entry> => ({ kind: "removed", id: idOf(entry), before: entry })),
  ];
};
