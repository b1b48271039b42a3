/** What a rehearsal expects: a subject, and when it is so. Times are ms of the timeline. */
import type { WrittenExpectation } from "./shape.ts";

export type When =
  | { readonly kind: "at"; readonly atMs: number }
  /** At some moment of these. */
  | { readonly kind: "by"; readonly fromMs: number; readonly toMs: number }
  /** A state: all the time. Something that happens: at least once. */
  | { readonly kind: "during"; readonly fromMs: number; readonly toMs: number }
  | { readonly kind: "never"; readonly fromMs: number; readonly toMs: number }
  | {
      readonly kind: "count";
      readonly fromMs: number;
      readonly toMs: number;
      readonly count: number;
      readonly isExact: boolean;
    };

type Written<K extends keyof WrittenExpectation> = Exclude<WrittenExpectation[K], undefined>;

export type Subject =
  | { readonly kind: "verdict"; readonly of: Written<"verdict"> }
  | { readonly kind: "shares"; readonly of: Written<"shares"> }
  | { readonly kind: "held"; readonly of: Written<"held"> }
  | { readonly kind: "standstill"; readonly of: Written<"standstill"> }
  | { readonly kind: "change"; readonly of: Written<"change"> }
  | { readonly kind: "page"; readonly of: Written<"page"> }
  | { readonly kind: "answer"; readonly of: Written<"answer"> };

export const SUBJECTS = ["verdict", "shares", "change", "held", "page", "standstill", "answer"] as const;
/** They happen at a moment; the others last. */
export const EVENTS: readonly Subject["kind"][] = ["change", "page", "answer"];

export interface Expectation {
  /** In the file, from 1. */
  readonly line: number;
  readonly when: When;
  readonly subject: Subject;
}
