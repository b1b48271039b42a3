/**
 * One guard for each thing outside: at most so many calls at once (gate), none while it is known to be down (breaker), an end to each call
 * (timeout), and counts of all of it. A guard never repeats a call, and what it refuses was certainly not sent.
 */
import type { GuardCounts, GuardView } from "../../ports/outside-view.ts";
import {
  type Breaker,
  type BreakerCall,
  type BreakerLimits,
  beginCall,
  closeBreaker,
  createBreaker,
  endCall,
  waitFor,
} from "./breaker.ts";
import { withinDeadline } from "./deadline.ts";
import { createGate, type GateLimits } from "./gate.ts";
import { BREAKER_DEFAULT, CAUSES_MAX, CODE_CHARACTERS_MAX, GATE_DEFAULT, GUARDS_MAX } from "./limits.ts";

/** The guard let no call begin. */
export class GuardRefused extends Error {
  override readonly name = "GuardRefused";
  readonly reason: "open" | "half-open" | "full" | "unwanted";
  /** When asking again may help, ms from now. */
  readonly nextTryMs: number;

  constructor(guard: string, reason: GuardRefused["reason"], nextTryMs: number) {
    super(whyRefused(guard, reason, nextTryMs));
    this.reason = reason;
    this.nextTryMs = nextTryMs;
  }
}

const whyRefused = (guard: string, reason: GuardRefused["reason"], nextTryMs: number): string => {
  if (reason === "full") return `${guard} has too many calls waiting`;
  if (reason === "unwanted") return "nobody wants it any more";
  return `${guard} is ${reason}; next try in ${Math.ceil(nextTryMs)} ms`;
};

export interface GuardedCall<T> {
  readonly work: (signal: AbortSignal) => Promise<T>;
  /** What must be waited for before the call may start, such as a token of a budget. */
  readonly ready?: () => Promise<void>;
  /** Asked last, after all waiting: whether the call is still wanted. */
  readonly mayBegin?: () => boolean;
  /** Aborts the call and throws DeadlinePassed; without one the work has its own end. */
  readonly timeoutMs?: number;
  /** For work that answers failures as values. */
  readonly hasFailed?: (answer: T) => boolean;
}

export interface Guard {
  /** Throws GuardRefused, or what the work throws. */
  readonly run: <T>(call: GuardedCall<T>) => Promise<T>;
  /** The same dependency was seen to answer by another way: the breaker closes. */
  readonly noteAnswer: () => void;
  readonly noteRetry: () => void;
  readonly view: (now: number) => GuardView;
}

export interface GuardOptions {
  readonly name: string;
  /** What metrics are told by; the name unless told. */
  readonly kind?: string;
  readonly breaker?: BreakerLimits;
  readonly gate?: GateLimits;
  /** Does this error speak against the dependency? A refusal of the request itself doesn't. All do unless told. */
  readonly isFailure?: (error: unknown) => boolean;
}

export interface GuardChange {
  readonly guard: string;
  readonly kind: string;
  readonly state: Breaker["state"];
  readonly before: Breaker["state"];
  /** How long it was in the state before, ms. */
  readonly lastedMs: number;
  readonly lastFailure: string | null;
}

export interface Guards {
  /** The guard of that name; made when there is none. */
  readonly get: (options: GuardOptions) => Guard;
  /** Of all of them, in the order of their making. `now` is the instant that times are told by. */
  readonly views: (now: number) => readonly GuardView[];
}

export interface GuardsOptions {
  /** Monotonic ms. */
  readonly monotonic?: () => number;
  readonly onChange?: (change: GuardChange) => void;
}

export const createGuards = ({ monotonic = () => performance.now(), onChange = () => {} }: GuardsOptions = {}): Guards => {
  const guardByName = new Map<string, Guard>();
  return {
    get: (options) => {
      const known = guardByName.get(options.name);
      const guard = known ?? createGuard(options, monotonic, onChange);
      // The one asked for last stands last.
      if (known && guardByName.size > GUARDS_MAX / 2) guardByName.delete(options.name);
      guardByName.set(options.name, guard);
      if (guardByName.size > GUARDS_MAX) guardByName.delete(guardByName.keys().next().value!);
      return guard;
    },
    views: (now) => [...guardByName.values()].map((guard) => guard.view(now)),
  };
};

const createGuard = (options: GuardOptions, monotonic: () => number, onChange: (change: GuardChange) => void): Guard => {
  const { name, kind = name, gate: gateLimits = GATE_DEFAULT, isFailure = () => true } = options;
  const gate = createGate(gateLimits);
  const counts = { answered: 0, failed: 0, refused: 0, turnedAway: 0, retried: 0, opened: 0 };
  let breaker = createBreaker(options.breaker ?? BREAKER_DEFAULT, monotonic());
  let lastFailure: string | null = null;

  const set = (next: Breaker): void => {
    const before = breaker;
    breaker = next;
    if (before.state === next.state) return;
    if (next.state === "open") counts.opened += 1;
    onChange({ guard: name, kind, state: next.state, before: before.state, lastedMs: next.since - before.since, lastFailure });
  };
  const refuseIfShut = (): void => {
    const waitMs = waitFor(breaker, monotonic());
    if (waitMs === 0) return;
    counts.refused += 1;
    throw new GuardRefused(name, breaker.state === "open" ? "open" : "half-open", waitMs);
  };
  const begin = (): BreakerCall => {
    const begun = beginCall(breaker, monotonic());
    set(begun.breaker);
    return begun.call;
  };
  const end = (call: BreakerCall, hasFailed: boolean): void => {
    counts[hasFailed ? "failed" : "answered"] += 1;
    set(endCall(breaker, { ...call, hasFailed }, monotonic()));
  };

  const callOnce = async <T>({ work, timeoutMs, hasFailed }: GuardedCall<T>): Promise<T> => {
    const call = begin();
    try {
      const answer = await (timeoutMs === undefined ? work(new AbortController().signal) : withinDeadline(timeoutMs, work));
      const isBad = hasFailed?.(answer) ?? false;
      if (isBad) lastFailure = "no answer";
      end(call, isBad);
      return answer;
    } catch (error) {
      const isBad = isFailure(error);
      if (isBad) lastFailure = codeOf(error);
      end(call, isBad);
      throw error;
    }
  };

  return {
    run: async (call) => {
      refuseIfShut();
      // Before the gate: whoever hands out tokens knows who is more urgent, and the gate doesn't.
      if (call.ready) await call.ready();
      if (!(await gate.enter())) {
        counts.turnedAway += 1;
        throw new GuardRefused(name, "full", 0);
      }
      try {
        // It may have opened while this call waited.
        refuseIfShut();
        if (call.mayBegin?.() === false) throw new GuardRefused(name, "unwanted", 0);
        return await callOnce(call);
      } finally {
        gate.leave();
      }
    },
    noteAnswer: () => set(closeBreaker(breaker, monotonic())),
    noteRetry: () => {
      counts.retried += 1;
    },
    view: (now) =>
      toView(
        { name, kind, breaker, gateLimits, inside: gate.inside(), waiting: gate.waiting(), counts, lastFailure },
        now,
        monotonic(),
      ),
  };
};

interface ViewSource {
  readonly name: string;
  readonly kind: string;
  readonly breaker: Breaker;
  readonly gateLimits: GateLimits;
  readonly inside: number;
  readonly waiting: number;
  readonly counts: GuardCounts;
  readonly lastFailure: string | null;
}

const toView = (
  { name, kind, breaker, gateLimits, inside, waiting, counts, lastFailure }: ViewSource,
  now: number,
  at: number,
): GuardView => ({
  name,
  kind,
  state: breaker.state,
  since: Math.round(now - (at - breaker.since)),
  failures: breaker.failures,
  openUntil: breaker.state === "open" ? Math.round(now + waitFor(breaker, at)) : null,
  limits: { ...breaker.limits, ...gateLimits },
  underWay: inside,
  waiting,
  counts: { ...counts },
  lastFailure,
});

/** A code, never a text: texts may quote addresses and requests, and this is shown at an open door. */
const codeOf = (error: unknown): string => {
  const text = codeWithin(error) ?? (error instanceof Error ? error.name : "Error");
  return text.replace(/[^\w-]/g, "").slice(0, CODE_CHARACTERS_MAX) || "Error";
};

/** The first code there is: drivers and query builders wrap what happened. */
const codeWithin = (error: unknown): string | null => {
  for (let each = error, depth = 0; each instanceof Error && depth < CAUSES_MAX; depth += 1) {
    const { code } = each as { code?: unknown };
    if (typeof code === "string") return code;
    each = each instanceof AggregateError ? each.errors[0] : each.cause;
  }
  return null;
};
