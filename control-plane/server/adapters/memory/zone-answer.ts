/**
 * What an authoritative server says of one version of a zone. Pure but for the `random` it is given. Follows Route 53's rules: wildcards,
 * one draw by weight among the healthy (zero weights only when no other is healthy; all when none is), aliases within the zone.
 * Policies other than weighted and failover answer with their first healthy member: the twin has no idea where a question comes from.
 */
import type { RecordSet } from "@regent/engine";
import type { DnsAnswer } from "../../ports/resolver.ts";
import { CHAIN_LENGTH_MAX } from "./limits.ts";
import type { ZoneRecords } from "./zone.ts";

export interface Question {
  readonly name: string;
  readonly type: string;
}
export interface AnswerContext {
  readonly records: ZoneRecords;
  /** Unknown counts as healthy. */
  readonly isHealthy: (healthCheckId: string) => boolean | null;
  /** 0 up to, not including, 1. */
  readonly random: () => number;
}

export const answerFromZone = (context: AnswerContext, question: Question, depth = 0): DnsAnswer => {
  if (depth >= CHAIN_LENGTH_MAX) return { kind: "failed", why: "SERVFAIL: the chain is too long" };
  const atName = setsFor(context.records, question.name);
  if (atName === null) return { kind: "none", code: "NXDOMAIN" };
  const group = atName.filter((set) => set.type === question.type);
  if (group.length === 0) return followCname(context, { atName, question, depth });
  const chosen = choose(context, group);
  if (chosen.alias) return answerFromZone(context, { name: chosen.alias.name, type: question.type }, depth + 1);
  const values = (chosen.values ?? []).map((value) => spell(question.type, value));
  return { kind: "answer", values, ttlSeconds: chosen.ttl ?? 0, isAuthoritative: true };
};

const followCname = (
  context: AnswerContext,
  { atName, question, depth }: { readonly atName: readonly RecordSet[]; readonly question: Question; readonly depth: number },
): DnsAnswer => {
  const cnames = atName.filter((set) => set.type === "CNAME");
  const target = cnames.length > 0 ? choose(context, cnames).values?.[0] : undefined;
  if (target === undefined) return { kind: "none", code: "NODATA" };
  const answer = answerFromZone(context, { name: spell("CNAME", target), type: question.type }, depth + 1);
  return answer.kind === "none" ? { kind: "none", code: "NODATA" } : answer;
};

/** Sets at the name, or of the wildcard that covers it; null when the name doesn't exist. */
const setsFor = (records: ZoneRecords, name: string): readonly RecordSet[] | null => {
  const exact = records.get(name);
  if (exact) return exact;
  if (hasBelow(records, name)) return [];
  for (let rest = parentOf(name); rest !== ""; rest = parentOf(rest)) {
    const wildcard = records.get(`*.${rest}`);
    if (wildcard) return wildcard;
    if (records.has(rest) || hasBelow(records, rest)) return null;
  }
  return null;
};

const parentOf = (name: string): string => name.split(".").slice(1).join(".");
const hasBelow = (records: ZoneRecords, name: string): boolean => [...records.keys()].some((other) => other.endsWith(`.${name}`));

const choose = (context: AnswerContext, group: readonly RecordSet[]): RecordSet => {
  const isUp = (set: RecordSet): boolean => set.healthCheckId === undefined || context.isHealthy(set.healthCheckId) !== false;
  const weighted = group.filter((set) => set.weight !== undefined);
  if (weighted.length === 0)
    return group.find((set) => isUp(set) && set.other?.Failover !== "SECONDARY") ?? group.find(isUp) ?? group[0]!;
  const up = weighted.filter(isUp);
  const positive = up.filter((set) => set.weight! > 0);
  const candidates = positive.length > 0 ? positive : up.length > 0 ? up : weighted;
  return drawByWeight(candidates, context.random());
};

/** All zero means all equal. */
const drawByWeight = (sets: readonly RecordSet[], random: number): RecordSet => {
  const total = sets.reduce((sum, set) => sum + set.weight!, 0);
  const weightOf = (set: RecordSet): number => (total === 0 ? 1 : set.weight!);
  let left = random * (total === 0 ? sets.length : total);
  for (const set of sets) {
    left -= weightOf(set);
    if (left < 0) return set;
  }
  return sets.at(-1)!;
};

/** A stored value as a resolver gives it. */
const spell = (type: string, value: string): string => {
  if (type === "TXT") return unquote(value);
  return type === "CNAME" ? value.toLowerCase().replace(/\.$/, "") : value;
};

/** `"a" "b\"c"` -> `ab"c`. */
const unquote = (value: string): string =>
  [...value.matchAll(/"((?:[^"\\]|\\.)*)"/gs)]
    .map(([, text = ""]) =>
      text.replace(/\\([0-7]{3})|\\(.)/gs, (_, digits?: string, other?: string) =>
        digits === undefined ? other! : String.fromCharCode(Number.parseInt(digits, 8)),
      ),
    )
    .join("");
