/** Who writes a zone next: one at a time, the most urgent of those who wait. Whoever is at work may see what waits, and give way. */

export interface ZoneTurns {
  /** Lower ranks go first (engine/plan/order.ts), equals in the order of asking. Answers what `work` answers, or throws what it throws. */
  readonly take: <T>(rank: number, work: () => Promise<T>) => Promise<T>;
  /** Of the most urgent that waits; infinite when nobody does. */
  readonly nextRank: () => number;
  /** Those at work and those that wait. */
  readonly count: () => number;
  /** Resolves when nobody is at work and nobody waits. */
  readonly idle: () => Promise<void>;
}

interface Turn {
  readonly rank: number;
  readonly begin: () => Promise<void>;
}

export const createZoneTurns = (): ZoneTurns => {
  const waiting: Turn[] = [];
  let isBusy = false;
  const onIdle: (() => void)[] = [];

  const next = (): void => {
    const turn = waiting.shift();
    isBusy = turn !== undefined;
    if (turn) void turn.begin().finally(next);
    else for (const tell of onIdle.splice(0)) tell();
  };

  return {
    take: (rank, work) =>
      new Promise((resolve, reject) => {
        const at = waiting.findIndex((other) => other.rank > rank);
        waiting.splice(at < 0 ? waiting.length : at, 0, { rank, begin: () => work().then(resolve, reject) });
        if (!isBusy) next();
      }),
    nextRank: () => waiting[0]?.rank ?? Number.POSITIVE_INFINITY,
    count: () => waiting.length + (isBusy ? 1 : 0),
    idle: () => (isBusy ? new Promise((resolve) => onIdle.push(resolve)) : Promise.resolve()),
  };
};
