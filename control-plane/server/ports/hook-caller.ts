/**
 * The declared hook, which fences one database and promotes another (docs/HOOKS.md). What is asked may arrive twice, always with the same id;
 * who asks decides how often.
 */
import type { Hook, Instant } from "@regent/contract";

export interface HookRequest {
  /** ULID, the same at every try: it makes them one. */
  readonly transfer: string;
  readonly service: string;
  readonly from: string;
  readonly to: string;
  readonly reason: string | null;
  /** When the role was taken back. */
  readonly at: Instant;
  /** Nobody waits beyond it. */
  readonly deadline: Instant;
}

/** Nothing of a secret is ever in `why`. */
export interface HookAnswer {
  /** `failed`: no answer that means anything; whether it arrived isn't known. */
  readonly answer: "promoted" | "working" | "refused" | "failed";
  /** Whether the old one can't take writes any more; null where nobody knows. */
  readonly isFenced: boolean | null;
  /** Empty when the hook gave no reason. */
  readonly why: string;
}

export interface HookCaller {
  /** Ends by itself within seconds, whatever the hook does; never throws. */
  readonly call: (hook: Hook, request: HookRequest) => Promise<HookAnswer>;
}
