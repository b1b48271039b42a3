/**
 * How DNS differs from what we last wrote. Pure. Somebody else's hand is named, never corrected here: what follows is the drift policy's.
 */
import type { DriftPolicy, EditClass, Observed, RecordSet, ServiceSpec } from "../model.ts";
import { toCanonicalAnswer, toSetKey, toSetWords } from "./record-values.ts";

/** `rival`: an addition of a type that the service doesn't declare, so that no batch of ours may take it away. */
export type DriftClass = EditClass | "rival" | "epoch-missing" | "foreign-owner" | "epoch-changed";

export interface Drift {
  readonly class: DriftClass;
  /** One sentence: what stands there, and what we wrote. */
  readonly line: string;
}

export interface DriftQuestion {
  readonly spec: ServiceSpec;
  /** The members of the last batch that was applied, without the epoch record. */
  readonly expected: readonly RecordSet[];
  readonly observed: Observed;
  /** ULID of that batch's epoch record; null before the first write. */
  readonly expectedUlid: string | null;
}

/**
 * Every difference, the epoch record's first, then by record set in the order expected, then what nobody expected. Spelling that means the same
 * (order of values, short IPv6, final dots) is no difference.
 */
export const findDrift = ({ spec, expected, observed, expectedUlid }: DriftQuestion): Drift[] => {
  const observedByKey = new Map(observed.sets.map((set) => [toSetKey(set), set]));
  const expectedKeys = new Set(expected.map(toSetKey));
  const differences = expected.flatMap((wanted) => {
    const found = observedByKey.get(toSetKey(wanted));
    return found === undefined
      ? [
          {
            class: "missing" as const,
            line: `${toSetWords(wanted)} is gone; Regent wrote it with weight ${wanted.weight ?? "none"}.`,
          },
        ]
      : compareSets(wanted, found);
  });
  const extras = observed.sets
    .filter((set) => !expectedKeys.has(toSetKey(set)) && isRival(spec, set))
    .map((set): Drift => {
      const isMember = spec.types.some((type) => type === set.type);
      return { class: isMember ? "extra" : "rival", line: `${toSetWords(set)} is there; Regent never wrote it.` };
    });
  return [...findEpochDrift({ spec, observed, expectedUlid }), ...findMarks(spec, observed), ...differences, ...extras];
};

/**
 * Another tool began to call the name its own: sooner or later it writes there. Only marks at the name itself count: those beside it aren't read
 * each time, and what comes and goes with the way of reading would be told again and again.
 */
const findMarks = (spec: ServiceSpec, { marks = [] }: Observed): Drift[] =>
  marks
    .filter((mark) => spec.families.some(({ name }) => name === mark.name))
    .map(({ owner, name }) => ({
      class: "foreign-owner",
      line: `${name} TXT says that external-dns (owner ${owner}) manages this name.`,
    }));

/**
 * The policy for all that differs. The most careful one that any of it has: an edit is adopted or reverted whole or not at all. Another owner's
 * mark or an epoch record that isn't ours has no policy: it is reported.
 */
export const driftPolicyOf = (spec: ServiceSpec, drifts: readonly Drift[]): DriftPolicy => {
  const policies = drifts.map(({ class: kind }): DriftPolicy => (isEdit(spec, kind) ? spec.drift[kind] : "report"));
  return policies.includes("report") ? "report" : policies.includes("adopt") ? "adopt" : "revert";
};

const isEdit = (spec: ServiceSpec, kind: DriftClass): kind is EditClass => kind in spec.drift;

const findEpochDrift = ({ spec, observed, expectedUlid }: Pick<DriftQuestion, "spec" | "observed" | "expectedUlid">): Drift[] => {
  const { epochSet, epoch } = observed;
  const wrote = expectedUlid === null ? "Regent wrote none yet" : `Regent wrote ${expectedUlid}`;
  if (epochSet === null) {
    return expectedUlid === null ? [] : [{ class: "epoch-missing", line: `${spec.epochName} TXT is gone; ${wrote}.` }];
  }
  if (epoch === null)
    return [{ class: "epoch-changed", line: `${spec.epochName} TXT can't be read as an epoch record; ${wrote}.` }];
  if (epoch.owner !== spec.owner) {
    return [
      { class: "foreign-owner", line: `${spec.epochName} TXT names owner ${epoch.owner}; this installation is ${spec.owner}.` },
    ];
  }
  return epoch.ulid === expectedUlid
    ? []
    : [{ class: "epoch-changed", line: `${spec.epochName} TXT shows ${epoch.ulid} at revision ${epoch.revision}; ${wrote}.` }];
};

const compareSets = (wanted: RecordSet, found: RecordSet): Drift[] => {
  const words = toSetWords(wanted);
  const drifts: Drift[] = [];
  if (found.weight !== wanted.weight) {
    drifts.push({
      class: "weight",
      line: `${words} has weight ${found.weight ?? "none"}; Regent wrote ${wanted.weight ?? "none"}.`,
    });
  }
  if (toCanonicalAnswer(found) !== toCanonicalAnswer(wanted)) {
    drifts.push({
      class: "value",
      line: `${words} answers ${toCanonicalAnswer(found)}; Regent wrote ${toCanonicalAnswer(wanted)}.`,
    });
  }
  if (found.ttl !== wanted.ttl) {
    drifts.push({ class: "ttl", line: `${words} has TTL ${found.ttl ?? "none"}; Regent wrote ${wanted.ttl ?? "none"}.` });
  }
  if (found.healthCheckId !== wanted.healthCheckId) {
    const check = found.healthCheckId ?? "none";
    drifts.push({
      class: "healthcheck",
      line: `${words} has health check ${check}; Regent wrote ${wanted.healthCheckId ?? "none"}.`,
    });
  }
  return drifts;
};

/** Takes part in the answers of one of our names: a declared type there, or an address under any routing policy. Mail and text records do not. */
const isRival = (spec: ServiceSpec, set: RecordSet): boolean => {
  if (!spec.families.some(({ name }) => name === set.name)) return false;
  if (spec.types.some((type) => type === set.type)) return true;
  return set.setIdentifier !== undefined && (set.type === "A" || set.type === "AAAA" || set.type === "CNAME");
};
