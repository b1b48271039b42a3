/** Reads the names of some services exactly as Route 53 holds them, and settles what that tells. */
import type { Observed, RecordSet, ServiceSpec } from "@regent/engine";
import { markNames } from "@regent/engine/plan/ownership-marks.ts";
import { toObserved } from "@regent/engine/plan/record-sets.ts";
import { toCanonicalAnswer, toSetKey } from "@regent/engine/plan/record-values.ts";
import { NAMES_READ_MAX } from "../../limits.ts";
import type { Clock, Ids } from "../../ports/clock.ts";
import type { StoredOutboxRow } from "../../ports/decision-store.ts";
import type { DnsProvider, ReadTurn } from "../../ports/dns-provider.ts";
import type { Draft, Ledger } from "../memory/ledger.ts";
import { type Settled, settleService } from "./settle-service.ts";

/** What Route 53 held at a moment of this term: what was read before another leader wrote is nothing to settle by. */
export interface ReadSets {
  readonly kind: "read";
  readonly observed: ReadonlyMap<string, Observed>;
  readonly term: number;
}

export type ZoneRead = ReadSets | { readonly kind: "unread"; readonly why: string; readonly isTransient: boolean };

export type ZoneSettled =
  | {
      readonly kind: "settled";
      readonly observed: ReadonlyMap<string, Observed>;
      readonly open: readonly StoredOutboxRow[];
      readonly accepted: readonly string[];
      /** DNS still holds exactly what this row deletes. */
      readonly matches: (row: StoredOutboxRow) => boolean;
    }
  | { readonly kind: "unread"; readonly why: string; readonly isTransient: boolean };

export interface ZoneReader {
  readonly read: (zoneId: string, services: readonly string[], turn: ReadTurn) => Promise<ZoneRead>;
  /** Reads and commits what became of the rows. */
  readonly settle: (zoneId: string, services: readonly string[], turn: ReadTurn) => Promise<ZoneSettled>;
  /** The same inside somebody's commit. Settles nothing when the read is of another term. */
  readonly settleInto: (draft: Draft, read: ReadSets) => ReadonlyMap<string, Settled>;
}

export interface ReadDeps {
  readonly provider: DnsProvider;
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly specs: () => ReadonlyMap<string, ServiceSpec>;
  /** DNS knows more of a service than this database does. */
  readonly onRestored: (why: string) => void;
}

export const createZoneReader = ({ provider, ledger, clock, ids, specs, onRestored }: ReadDeps): ZoneReader => {
  const read = async (zoneId: string, services: readonly string[], turn: ReadTurn): Promise<ZoneRead> => {
    const term = ledger.term();
    const wanted = services.flatMap((service) => specs().get(service) ?? []);
    const result =
      wanted.length > NAMES_READ_MAX
        ? await provider.readZone(zoneId, turn)
        : await provider.readNames(
            zoneId,
            wanted.flatMap((spec) => [...namesOf(spec), ...(isUnowned(spec) ? markNames(spec) : [])]),
            turn,
          );
    switch (result.kind) {
      case "sets":
        return { kind: "read", observed: observeEach(wanted, result.sets), term };
      case "throttled":
        return { kind: "unread", why: "Route 53 throttles reads", isTransient: true };
      case "failed":
        return { kind: "unread", why: result.why, isTransient: true };
      case "denied":
        return { kind: "unread", why: result.why, isTransient: false };
    }
  };

  /** Other tools' marks are asked for before a name is first written or adopted; afterwards only where they come for free, with the whole zone. */
  const isUnowned = ({ id }: ServiceSpec): boolean => {
    const { expected, blockedBy } = ledger.record(id);
    return expected === null || blockedBy !== null;
  };

  const settleInto: ZoneReader["settleInto"] = (draft, { observed, term }) => {
    const settled = new Map<string, Settled>();
    if (term !== ledger.term()) return settled;
    for (const [service, seen] of observed) {
      const spec = specs().get(service);
      if (spec) settled.set(service, settleService({ spec, observed: seen, ledger, draft, ids, now: clock.now(), onRestored }));
    }
    return settled;
  };

  const settle = async (zoneId: string, services: readonly string[], turn: ReadTurn): Promise<ZoneSettled> => {
    const result = await read(zoneId, services, turn);
    if (result.kind === "unread") return result;
    const settled = await ledger.commit((draft) => settleInto(draft, result));
    const all = [...settled.values()];
    return {
      kind: "settled",
      observed: result.observed,
      open: all.flatMap(({ open }) => open),
      accepted: all.flatMap(({ accepted }) => accepted),
      matches: (row) => holdsDeletes(row, result.observed.get(row.service)),
    };
  };

  return { read, settle, settleInto };
};

/** A zone of a thousand services is gone through once, not once for each of them. */
const observeEach = (specs: readonly ServiceSpec[], sets: readonly RecordSet[]): ReadonlyMap<string, Observed> => {
  const byName = new Map<string, RecordSet[]>();
  for (const set of sets) {
    const known = byName.get(set.name);
    if (known) known.push(set);
    else byName.set(set.name, [set]);
  }
  return new Map(
    specs.map((spec) => [
      spec.id,
      toObserved(
        spec,
        [...new Set([...namesOf(spec), ...markNames(spec)])].flatMap((name) => byName.get(name) ?? []),
      ),
    ]),
  );
};

const namesOf = (spec: ServiceSpec): readonly string[] => [...spec.families.map(({ name }) => name), spec.epochName];

/** DNS holds exactly what this row deletes; for a first write, nothing of what it creates. */
export const holdsDeletes = (row: StoredOutboxRow, observed: Observed | undefined): boolean => {
  if (!observed) return false;
  const standing = new Map(
    [...observed.sets, ...(observed.epochSet ? [observed.epochSet] : [])].map((set) => [toSetKey(set), set]),
  );
  if (row.deletes.length === 0) return row.creates.every((set) => !standing.has(toSetKey(set)));
  return row.deletes.every((set) => {
    const found = standing.get(toSetKey(set));
    return (
      found !== undefined &&
      toCanonicalAnswer(found) === toCanonicalAnswer(set) &&
      found.weight === set.weight &&
      found.ttl === set.ttl &&
      found.healthCheckId === set.healthCheckId
    );
  });
};
