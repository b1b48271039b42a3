/**
 * What is due next: a binary heap, so that one timer serves every check. No clock and no timer of its own.
 * Entries are never removed from the middle; the caller drops those that turn out to be outdated.
 */
export interface Due<T> {
  readonly add: (at: number, item: T) => void;
  /** Earliest time in the heap, or undefined when it is empty. */
  readonly nextAt: () => number | undefined;
  /** Takes the earliest item whose time has come. */
  readonly take: (now: number) => T | undefined;
  readonly size: () => number;
}

export const createDue = <T>(): Due<T> => {
  const heap: { at: number; item: T }[] = [];

  const swap = (a: number, b: number): void => {
    const kept = heap[a]!;
    heap[a] = heap[b]!;
    heap[b] = kept;
  };

  const rise = (start: number): void => {
    for (let i = start; i > 0; ) {
      const parent = (i - 1) >> 1;
      if (heap[parent]!.at <= heap[i]!.at) return;
      swap(i, parent);
      i = parent;
    }
  };

  const sink = (): void => {
    for (let i = 0; ; ) {
      const left = 2 * i + 1;
      const right = left + 1;
      let least = i;
      if (left < heap.length && heap[left]!.at < heap[least]!.at) least = left;
      if (right < heap.length && heap[right]!.at < heap[least]!.at) least = right;
      if (least === i) return;
      swap(i, least);
      i = least;
    }
  };

  return {
    add: (at, item) => {
      heap.push({ at, item });
      rise(heap.length - 1);
    },
    nextAt: () => heap[0]?.at,
    take: (now) => {
      const first = heap[0];
      if (first === undefined || first.at > now) return undefined;
      const last = heap.pop()!;
      if (heap.length > 0) {
        heap[0] = last;
        sink();
      }
      return first.item;
    },
    size: () => heap.length,
  };
};
