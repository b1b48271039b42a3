/**
 * What probes meet. A weather is a list of faults; the first that strikes a probe is what it sees, and without one it passes. Deterministic for a
 * seed: chance comes from one generator.
 */
import type { ProbeResult } from "@regent/agents/core/probe-result.ts";
import type { ProbeStart } from "../world/probe-start.ts";
import type { Chance } from "../world/random.ts";

/** Answers what a probe that starts now sees, or null: this fault leaves it alone. Asked once for each probe, in order of time for each check. */
export type Fault = (probe: ProbeStart, chance: Chance) => ProbeResult | null;

export const REFUSED: ProbeResult = { outcome: "fail", reason: "tcp_refused", latencyMs: 3 };
export const UNAVAILABLE: ProbeResult = { outcome: "fail", reason: "http_status", latencyMs: 40 };
/** Of the profile `standard`: a probe that hangs costs all of its timeout. */
export const TIMED_OUT: ProbeResult = { outcome: "fail", reason: "tcp_timeout", latencyMs: 2_000 };
/** What single errors look like: some are quick, some cost the timeout and so delay the re-check. */
const ERRORS = [REFUSED, UNAVAILABLE, TIMED_OUT];

const PASS_MS_MIN = 10;
const PASS_MS_SPREAD = 110;

export interface Where {
  /** Absent: all regions. */
  readonly region?: string;
  /** Absent: all checks. */
  readonly check?: string;
}

const isStruck = ({ region, check }: Where, probe: ProbeStart): boolean =>
  (region === undefined || region === probe.region) && (check === undefined || probe.target.endsWith(`/${check}`));

/** Each probe of every vantage fails with probability `rate`, independently of all others; as `seen`, or in any of the usual ways. */
export const errors =
  ({ rate, seen, ...where }: Where & { readonly rate: number; readonly seen?: ProbeResult }): Fault =>
  (probe, chance) =>
    isStruck(where, probe) && chance() < rate ? (seen ?? ERRORS[Math.floor(chance() * ERRORS.length)]!) : null;

/** Right in even seconds, 503 in odd ones, as the sandbox's fault `alternate`. */
export const alternating =
  (where: Where): Fault =>
  (probe) =>
    isStruck(where, probe) && Math.floor(probe.at / 1_000) % 2 === 1 ? UNAVAILABLE : null;

/** Holds from this moment on, until that one. */
export const between =
  ({ from, to }: { readonly from: number; readonly to: number }, fault: Fault): Fault =>
  (probe, chance) =>
    probe.at >= from && probe.at < to ? fault(probe, chance) : null;

export interface Blips extends Where {
  readonly everyMs: number;
  /** After each mark of `everyMs`; 0. */
  readonly offsetMs?: number;
  /** Probes in a row that fail, of every check at every vantage. */
  readonly count: number;
  /** Vantages begin up to this long after each other; 0: all from the same moment on. */
  readonly staggerMs?: number;
}

/** From each mark on, the next `count` probes of every check fail, at every vantage. */
export const blips = ({ everyMs, count, offsetMs = 0, staggerMs = 0, ...where }: Blips): Fault => {
  const agents: string[] = [];
  const marks = new Map<string, { mark: number; left: number }>();
  return (probe) => {
    if (!isStruck(where, probe)) return null;
    if (!agents.includes(probe.agent)) agents.push(probe.agent);
    const late = offsetMs + (agents.indexOf(probe.agent) * staggerMs) / AGENTS;
    const mark = Math.floor((probe.at - late) / everyMs);
    const key = `${probe.agent} ${probe.target}`;
    const own = marks.get(key) ?? { mark, left: 0 };
    marks.set(key, own);
    if (mark > own.mark) {
      own.mark = mark;
      own.left = count;
    }
    if (own.left === 0) return null;
    own.left -= 1;
    return REFUSED;
  };
};

const AGENTS = 6;

/** Every probe of the region that starts within [from, to) sees this. */
export const outage = ({
  region,
  seen = REFUSED,
  ...span
}: {
  readonly region: string;
  readonly from: number;
  readonly to: number;
  readonly seen?: ProbeResult;
}): Fault => between(span, (probe) => (probe.region === region ? seen : null));

export const look = (faults: readonly Fault[], probe: ProbeStart, chance: Chance): ProbeResult => {
  // Every fault is asked, so that one never shifts what another counts.
  const seen = faults.map((fault) => fault(probe, chance)).find((result) => result !== null);
  return seen ?? { outcome: "ok", latencyMs: Math.round(PASS_MS_MIN + chance() * PASS_MS_SPREAD) };
};
