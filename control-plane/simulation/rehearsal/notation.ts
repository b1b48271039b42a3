/**
 * The compact notation of what is seen over time: `ok*60 refused*15m ok`. Parts follow each other; `*60` counts steps, `*15m` is a duration. A
 * last part without either lasts to the end; after a last part that has one, the line says nothing more. Pure.
 */
import { REASONS, REASONS_ALWAYS_UNKNOWN, type Reason } from "@regent/contract";
import { suggestNearest } from "@regent/server/configuration/nearest.ts";
import { REHEARSAL_PARTS_MAX } from "../limits.ts";
import { toMs } from "./time.ts";

export type Sight =
  | { readonly kind: "ok" | "silence" | "alternate" }
  /** The line has no say: an earlier one has, or everything passes. */
  | { readonly kind: "pass-on" }
  | { readonly kind: "reason"; readonly reason: Reason }
  /** What a server answers: seen by http checks alone. */
  | { readonly kind: "code"; readonly code: number }
  /** Each probe is refused with this probability, independently of all others. */
  | { readonly kind: "random"; readonly rate: number };

export interface Part {
  readonly sight: Sight;
  readonly fromMs: number;
  /** Infinite for the last, if nothing ends it. */
  readonly toMs: number;
}

export type Notation =
  | { readonly kind: "parts"; readonly parts: readonly Part[] }
  | { readonly kind: "nonsense"; readonly why: string };

const WORDS: Readonly<Record<string, Sight>> = {
  ok: { kind: "ok" },
  silence: { kind: "silence" },
  alternate: { kind: "alternate" },
  "-": { kind: "pass-on" },
  refused: { kind: "reason", reason: "tcp_refused" },
  timeout: { kind: "reason", reason: "tcp_timeout" },
  reset: { kind: "reason", reason: "tcp_reset" },
};

/** Their outcome is `degraded`. */
const SOFT: readonly Reason[] = ["tls_expiring", "latency"];

export const outcomeOf = (reason: Reason): "fail" | "degraded" | "unknown" => {
  if (REASONS_ALWAYS_UNKNOWN.includes(reason)) return "unknown";
  return SOFT.includes(reason) ? "degraded" : "fail";
};

const PART = /(random\s+(\d{1,3}(?:\.\d{1,4})?)%|[a-z0-9_-]+)(?:\*(\d{1,8}(?:\.\d{1,3})?)(ms|s|m|h|d)?)?(?=\s|$)/y;

export const parseNotation = (text: string, stepMs: number): Notation => {
  const parts: Part[] = [];
  const trimmed = text.trim();
  let fromMs = 0;
  for (let at = 0; at < trimmed.length; ) {
    PART.lastIndex = at;
    const found = PART.exec(trimmed);
    const rest = trimmed.slice(at, at + 40);
    if (!found) return nonsense(`"${rest}" is no part of a notation such as \`ok*60 refused*15m ok\``);
    const [whole, word = "", percent, count, unit] = found;
    if (Number.isFinite(fromMs) === false)
      return nonsense(`"${rest}" would never come: the part before it has no count, so it lasts to the end`);
    const sight = percent === undefined ? toSight(word) : toRandom(Number(percent));
    if (typeof sight === "string") return nonsense(sight);
    const lastsMs = toLength(count, unit, stepMs);
    if (typeof lastsMs === "string") return nonsense(`${whole}: ${lastsMs}`);
    parts.push({ sight, fromMs, toMs: fromMs + lastsMs });
    if (parts.length > REHEARSAL_PARTS_MAX) return nonsense(`more than ${REHEARSAL_PARTS_MAX} parts`);
    fromMs += lastsMs;
    at += whole.length;
    at += /^\s*/.exec(trimmed.slice(at))?.[0].length ?? 0;
  }
  return parts.length > 0 ? { kind: "parts", parts } : nonsense("nothing is said");
};

const nonsense = (why: string): Notation => ({ kind: "nonsense", why });

const toSight = (word: string): Sight | string => {
  const known = WORDS[word];
  if (known) return known;
  const reason = REASONS.find((one) => one === word);
  if (reason) return { kind: "reason", reason };
  const code = /^\d{3}$/.test(word) ? Number(word) : null;
  if (code !== null && code >= 400 && code <= 599) return { kind: "code", code };
  if (code !== null) return `${word} is no failure: 400 to 599 are; write ok for an answer that passes`;
  if (word === "random") return "random needs how often: random 2%";
  const nearest = suggestNearest(word, [...Object.keys(WORDS), "random", ...REASONS]);
  return `"${word}" is nothing that a probe can see${nearest === undefined ? "" : `; ${nearest}`}`;
};

const toRandom = (percent: number): Sight | string =>
  percent > 0 && percent <= 100 ? { kind: "random", rate: percent / 100 } : `random ${percent}%: more than 0 and at most 100`;

const toLength = (count: string | undefined, unit: string | undefined, stepMs: number): number | string => {
  if (count === undefined) return Number.POSITIVE_INFINITY;
  if (unit === undefined && !/^\d+$/.test(count)) return "a count of steps is whole; a duration has a unit, such as 1.5s";
  const ms = unit === undefined ? Number(count) * stepMs : toMs(`${count}${unit}`);
  return ms > 0 ? ms : "lasts no time at all";
};
