/**
 * What became of every batch we ever intended: read off DNS, never off an error (research/algorithms.md §4.5). Pure.
 *
 * Each batch deletes the epoch record that it expects and creates its own, so applied batches form a chain by `expects` that ends in what DNS
 * holds now. A value comes only once, so what DNS has moved off can't be expected successfully again. Two things bring a value back: Route 53
 * dropping an accepted batch, and a person who restores an old text. Therefore `lost` is provisional: ask again with the same rows, those marked
 * lost among them. "No epoch record" can come back too, when a person has a name created anew: then give only the rows of its new life.
 */
import type { Instant, OutboxRow } from "../model.ts";

/** Route 53 refuses a signature older than 5 minutes; one more for clocks. After that no copy of a sent batch can arrive any more. */
export const SIGNATURE_VALID_MS = 360_000;

/**
 * `applied`: DNS held it. `lost`: DNS went another way from what it expects. `open`: DNS holds exactly what it expects; send it again, or
 * supersede it by a row with the same `expects`, of which one can win. `unknown`: a hand that isn't ours broke the chain, and it may lie behind.
 */
export type OutboxFate = "applied" | "lost" | "open" | "unknown";

export interface OutboxAnswer {
  readonly ulid: string;
  readonly fate: OutboxFate;
  /** False when no copy of the request can be accepted any more: its signature has expired, or it was applied. */
  readonly mayStillLand: boolean;
  readonly why: string;
}

export interface OutboxQuestion {
  /** All rows of one service since the oldest unsettled one, in any order; more do no harm. */
  readonly rows: readonly OutboxRow[];
  /** ULID of the epoch record in DNS now, whoever wrote it; null when there is none. */
  readonly observedUlid: string | null;
  readonly now: Instant;
}

/**
 * One answer per row, in the order given. Rows `refused` or `abandoned` before they were sent get none and stay as they are, unless DNS shows
 * them: what DNS holds outranks what we recorded.
 */
export const resolveOutbox = ({ rows, observedUlid, now }: OutboxQuestion): OutboxAnswer[] => {
  const chain = walkChain(rows, observedUlid);
  return rows.flatMap((row) => {
    const isTerminal = row.state === "refused" || row.state === "abandoned";
    if (isTerminal && !chain.applied.has(row.ulid)) return [];
    const { fate, why } = judgeRow(row, chain);
    const isExpired = typeof row.sentAt === "number" && now - row.sentAt > SIGNATURE_VALID_MS;
    return [{ ulid: row.ulid, fate, why, mayStillLand: fate !== "applied" && !isExpired }];
  });
};

interface Chain {
  readonly observed: string | null;
  readonly rowByUlid: ReadonlyMap<string, OutboxRow>;
  /** Rows reached from what DNS holds, backwards. */
  readonly applied: ReadonlySet<string>;
  /** What those rows replaced: DNS has moved off each of these, by a row of ours. */
  readonly replaced: ReadonlySet<string | null>;
  /** A value in DNS that no row of ours wrote, at the far end of the chain; null when the chain starts with a first write. */
  readonly strangerUlid: string | null;
  /** False when something else than our rows brought DNS to the chain's start. */
  readonly isWhole: boolean;
}

const walkChain = (rows: readonly OutboxRow[], observed: string | null): Chain => {
  const rowByUlid = new Map(rows.map((row) => [row.ulid, row]));
  const applied = new Set<string>();
  const replaced = new Set<string | null>();
  let at = observed;
  for (let row = toRow(rowByUlid, at); row !== undefined && !applied.has(row.ulid); row = toRow(rowByUlid, at)) {
    applied.add(row.ulid);
    replaced.add(row.expects);
    at = row.expects;
  }
  return { observed, rowByUlid, applied, replaced, strangerUlid: at, isWhole: at === null && observed !== null };
};

const judgeRow = (row: OutboxRow, chain: Chain): Pick<OutboxAnswer, "fate" | "why"> => {
  const expects = row.expects ?? "no epoch record";
  const observed = chain.observed ?? "no epoch record";
  if (row.ulid === chain.observed) return { fate: "applied", why: `DNS holds ${row.ulid}.` };
  if (chain.applied.has(row.ulid))
    return { fate: "applied", why: `DNS holds ${observed}, which was written on top of ${row.ulid}.` };
  if (row.expects === chain.observed) return { fate: "open", why: `DNS still holds ${observed}, which ${row.ulid} expects.` };
  if (isSuperseded(row, chain)) return { fate: "lost", why: `DNS holds ${observed}, and ${row.ulid} expects ${expects}.` };
  return {
    fate: "unknown",
    why: `DNS came to ${chain.strangerUlid ?? "no epoch record"} by another hand; whether ${row.ulid} was written before that isn't known.`,
  };
};

/**
 * DNS went another way: the chain is whole, so our rows alone explain what DNS holds; or the chain itself followed what the row expects; or
 * the row expects one that is superseded. Behind a stranger's value the rest can't be told.
 */
const isSuperseded = (row: OutboxRow, chain: Chain): boolean => {
  if (chain.isWhole) return true;
  const passed = new Set<string>(chain.applied);
  for (let at: OutboxRow | undefined = row; at !== undefined && !passed.has(at.ulid); at = toRow(chain.rowByUlid, at.expects)) {
    if (chain.replaced.has(at.expects)) return true;
    passed.add(at.ulid);
  }
  return false;
};

const toRow = (rowByUlid: ReadonlyMap<string, OutboxRow>, ulid: string | null): OutboxRow | undefined =>
  ulid === null ? undefined : rowByUlid.get(ulid);
