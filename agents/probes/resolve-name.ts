/**
 * Resolves names through the operating system, so that a probe sees what a program on this machine would see. Such a resolution can't be
 * cancelled and holds a thread until it ends, and there are few threads. So each name is asked once at a time, and a name that had to wait for
 * a thread is our own overload: a few names whose servers hang must never make every other name look dead.
 */
import { lookup } from "node:dns/promises";

export type Resolved =
  | { readonly kind: "found"; readonly addresses: readonly string[] }
  /** It was asked for the whole time that the probe had, or answered that there is nothing. */
  | { readonly kind: "failed"; readonly reason: "dns_nxdomain" | "dns_timeout" | "dns_servfail" }
  /** It waited for others of ours: nothing was learnt about it. */
  | { readonly kind: "not-asked" };

export type ResolveName = (host: string, timeoutMs: number) => Promise<Resolved>;

interface UnderWay {
  readonly answer: Promise<Resolved>;
  /** Undefined while it waits for a thread. */
  readonly askedAt: () => number | undefined;
}

export interface NameResolverOptions {
  readonly ask: (host: string) => Promise<readonly string[]>;
  /** How many names the system resolves at once. */
  readonly threads: number;
}

export const createNameResolver = ({ ask, threads }: NameResolverOptions): ResolveName => {
  const underWayByHost = new Map<string, UnderWay>();
  const waiting: (() => void)[] = [];
  let busy = 0;

  const begin = (host: string): UnderWay => {
    let askedAt: number | undefined;
    const isFree = new Promise<void>((resolve) => {
      const start = (): void => {
        busy += 1;
        askedAt = performance.now();
        resolve();
      };
      if (busy < threads) start();
      else waiting.push(start);
    });
    const underWay: UnderWay = { askedAt: () => askedAt, answer: isFree.then(() => answerOf(ask(host))) };
    underWayByHost.set(host, underWay);
    void underWay.answer.then(() => {
      busy -= 1;
      underWayByHost.delete(host);
      waiting.shift()?.();
    });
    return underWay;
  };

  return async (host, timeoutMs) => {
    const underWay = underWayByHost.get(host) ?? begin(host);
    let timer: NodeJS.Timeout | undefined;
    const tooLate = new Promise<Resolved>((resolve) => {
      timer = setTimeout(() => resolve(lateAnswer(underWay, timeoutMs)), timeoutMs);
    });
    try {
      return await Promise.race([underWay.answer, tooLate]);
    } finally {
      clearTimeout(timer);
    }
  };
};

/** A timer may fire a moment early by the finer clock, ms. */
const TIMER_GRAIN_MS = 2;

const lateAnswer = (underWay: UnderWay, timeoutMs: number): Resolved => {
  const askedAt = underWay.askedAt();
  const isAsked = askedAt !== undefined && performance.now() - askedAt >= timeoutMs - TIMER_GRAIN_MS;
  return isAsked ? { kind: "failed", reason: "dns_timeout" } : { kind: "not-asked" };
};

const answerOf = (asked: Promise<readonly string[]>): Promise<Resolved> =>
  asked.then(
    (addresses): Resolved => (addresses.length === 0 ? { kind: "failed", reason: "dns_nxdomain" } : { kind: "found", addresses }),
    (error: NodeJS.ErrnoException): Resolved => ({
      kind: "failed",
      reason: error.code === "ENOTFOUND" || error.code === "ENODATA" ? "dns_nxdomain" : "dns_servfail",
    }),
  );

/** libuv gives name resolution half of its threads, rounded up; there are 4 unless UV_THREADPOOL_SIZE says otherwise. */
const SYSTEM_THREADS = Math.ceil((Number(process.env.UV_THREADPOOL_SIZE) || 4) / 2);

/** One for the process, as its threads are. */
export const resolveSystemName: ResolveName = createNameResolver({
  ask: async (host) => (await lookup(host, { all: true, order: "ipv4first" })).map(({ address }) => address),
  threads: SYSTEM_THREADS,
});
