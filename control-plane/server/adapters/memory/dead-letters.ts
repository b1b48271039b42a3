/** Dead letters in memory. */
import type { DeadLetterDetail } from "@regent/contract";
import type { DeadLetterBounds, DeadLetters } from "../../ports/dead-letters.ts";

export const createMemoryDeadLetters = (): DeadLetters => {
  const letters = new Map<string, DeadLetterDetail>();
  const newestFirst = (): DeadLetterDetail[] => [...letters.values()].sort((a, b) => (a.id < b.id ? 1 : -1));

  const prune = ({ countMax, bytesMax, keptSince }: DeadLetterBounds): number => {
    let bytes = 0;
    const gone = newestFirst().filter((letter, i) => {
      bytes += letter.bytes;
      return i >= countMax || bytes > bytesMax || letter.at < keptSince;
    });
    for (const { id } of gone) letters.delete(id);
    return gone.length;
  };

  return {
    keep: async (letter, bounds) => {
      const text = JSON.stringify(letter.payload ?? null);
      const bytes = Buffer.byteLength(text);
      const went = prune({ ...bounds, countMax: bounds.countMax - 1, bytesMax: bounds.bytesMax - bytes });
      letters.set(letter.id, { ...letter, bytes, payload: JSON.parse(text) as unknown });
      return went;
    },
    list: async ({ limit, before }) =>
      newestFirst()
        .filter(({ id }) => before === undefined || id < before)
        .slice(0, limit)
        .map(({ payload: _, ...letter }) => letter),
    read: async (id) => letters.get(id) ?? null,
    note: async (id, { at, why }) => {
      const known = letters.get(id);
      if (known) letters.set(id, { ...known, attempts: known.attempts + 1, triedAt: at, why });
    },
    drop: async (id) => letters.delete(id),
    prune: async (bounds) => {
      const dropped = prune(bounds);
      return { dropped, count: letters.size, bytes: newestFirst().reduce((sum, letter) => sum + letter.bytes, 0) };
    },
  };
};
