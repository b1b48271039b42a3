/**
 * How far history was followed. Its places are given out before they are committed, so an entry may appear behind one that was read already:
 * empty places are remembered, and looked at again until no transaction can fill them any more. Pure.
 */
import type { Instant } from "@regent/contract";
import { PAGE_GAP_MS, PAGE_GAPS_MAX } from "../../limits.ts";
import type { PageCursor } from "../../ports/pages.ts";

/** After reading these places, in their order. */
export const moveCursor = (cursor: PageCursor, read: readonly number[], now: Instant): PageCursor => {
  const isRead = new Set(read);
  const position = Math.max(cursor.position, ...read);
  const isNew = (at: number): boolean => !isRead.has(at);
  const skipped = read.some((at) => at > cursor.position) ? placesBetween(cursor.position + 1, position).filter(isNew) : [];
  const missing = [
    ...cursor.missing.filter((each) => isNew(each.position) && now - each.since < PAGE_GAP_MS),
    ...skipped.map((each) => ({ position: each, since: now })),
  ];
  return { position, missing: missing.slice(-PAGE_GAPS_MAX) };
};

/** A jump of the sequence itself (a restored database) is no list of transactions: the newest places are enough. */
const placesBetween = (from: number, to: number): readonly number[] => {
  const first = Math.max(from, to - PAGE_GAPS_MAX);
  return Array.from({ length: Math.max(0, to - first) }, (_, i) => first + i);
};

/** Whether writing it down is worth a transaction. */
export const isSameCursor = (a: PageCursor, b: PageCursor): boolean =>
  a.position === b.position &&
  a.missing.length === b.missing.length &&
  a.missing.every((each, i) => each.position === b.missing[i]?.position);
