/**
 * The leader's copy of all evidence. Reports taken by this process come in at once; those of other replicas by notification, or by the poll
 * that compares every agent's version. It also says which services a change touches, so that only they are decided again, and keeps the rows
 * by target, so that deciding one service reads only what it rests on.
 */
import type { Declaration, Instant } from "@regent/contract";
import type { AgentEvidence, CheckEvidence, Vantage } from "@regent/engine";
import { type Seating, seatAgents } from "@regent/engine/health/seats.ts";
import type { DatabaseEvidence } from "@regent/engine/stateful/see-databases.ts";
import { CLOCK_AHEAD_MS } from "../../limits.ts";
import type { EvidenceStore, StoredAgent, StoredCheck } from "../../ports/evidence-store.ts";

interface CachedAgent {
  row: StoredAgent;
  /** When its build changed before our eyes. */
  releasedAt: Instant | null;
  readonly checks: Map<string, CachedCheck>;
}

interface CachedCheck {
  readonly owner: CachedAgent;
  readonly target: KeptTarget;
  readonly check: string;
  stored: StoredCheck;
}

/** A region of a service, and everything said about it. */
export interface CachedTarget {
  readonly service: string;
  readonly region: string;
  /** Grows with every change of its rows, and when one of its agents is heard again or changes its opinion of itself. */
  readonly version: number;
}

interface KeptTarget extends CachedTarget {
  version: number;
  /** By `agent target`. */
  readonly rows: Map<string, CachedCheck>;
  /** How many of them are down. */
  downs: number;
}

export interface EvidenceCache {
  /** A report that this process took; answers the services to decide again. */
  readonly take: (agent: StoredAgent, changed: readonly StoredCheck[]) => Promise<ReadonlySet<string>>;
  /** Reads what other replicas took: these agents, or all. */
  readonly refresh: (agents?: readonly string[]) => Promise<ReadonlySet<string>>;
  /** Where the declared agents stand, and when they were heard. */
  readonly seating: () => Seating;
  readonly targets: () => Iterable<CachedTarget>;
  /** Those that somebody sees failing. */
  readonly failing: () => Iterable<CachedTarget>;
  readonly targetOf: (service: string, region: string) => CachedTarget;
  /** What declared agents say of it: one row per agent and check. */
  readonly rowsOf: (target: CachedTarget) => readonly CheckEvidence[];
  /** The same of one check that tells facts of a database. */
  readonly databaseRowsOf: (service: string, region: string, check: string) => readonly DatabaseEvidence[];
  readonly agentRow: (agent: string) => StoredAgent | null;
  /** When a declared agent was last heard with another build than before, since this cache was cleared; null when that never was. */
  readonly releasedAt: () => Instant | null;
  readonly clear: () => void;
}

/** An agent that was silent for this many report intervals brings its services to a new look when it is heard again. */
const SILENCE_INTERVALS = 2;

export const createEvidenceCache = (
  store: EvidenceStore,
  declaration: () => Declaration,
  reportMs: () => number,
  now: () => Instant = () => Number.POSITIVE_INFINITY,
): EvidenceCache => {
  const agents = new Map<string, CachedAgent>();
  /** By `service/region`. */
  const targets = new Map<string, KeptTarget>();
  const failing = new Set<KeptTarget>();
  const declared = createDeclaredAgents(declaration);
  /** Made anew when an agent's row, or who is declared, changed since it was last asked for. */
  let seating: Seating | null = null;
  let seated: unknown = null;
  let changes = 0;

  const keptTarget = (service: string, region: string): KeptTarget => {
    const key = `${service}/${region}`;
    const target = targets.get(key) ?? { service, region, version: 0, rows: new Map(), downs: 0 };
    targets.set(key, target);
    return target;
  };

  const touch = (target: KeptTarget, downs = 0): void => {
    target.version = ++changes;
    target.downs += downs;
    if (target.downs > 0) failing.add(target);
    else failing.delete(target);
  };

  const putCheck = (owner: CachedAgent, stored: StoredCheck): string => {
    const known = owner.checks.get(stored.target);
    const [service = "", region = "", check = ""] = stored.target.split("/");
    const cached = known ?? { owner, target: keptTarget(service, region), check, stored };
    const downs = downsOf(stored) - (known ? downsOf(known.stored) : 0);
    cached.stored = stored;
    owner.checks.set(stored.target, cached);
    cached.target.rows.set(`${stored.agent} ${stored.target}`, cached);
    touch(cached.target, downs);
    return service;
  };

  const forget = ({ row, checks }: CachedAgent): void => {
    for (const { target, stored } of checks.values()) {
      target.rows.delete(`${row.agent} ${stored.target}`);
      touch(target, -downsOf(stored));
    }
    checks.clear();
  };

  const put = (stored: StoredAgent, checks: readonly StoredCheck[], isComplete: boolean): Set<string> => {
    const row = believeHeard(stored, now());
    const known = agents.get(row.agent);
    const cached = known ?? { row, releasedAt: null, checks: new Map() };
    if (row.build !== cached.row.build) cached.releasedAt = row.heardAt ?? now();
    const touched = new Set<string>();
    seating = null;
    if (isComplete || (known && isBack(known.row, row, reportMs())))
      for (const { target } of cached.checks.values()) {
        touch(target);
        touched.add(target.service);
      }
    if (isComplete) forget(cached);
    cached.row = row;
    agents.set(row.agent, cached);
    for (const check of checks) touched.add(putCheck(cached, check));
    return touched;
  };

  const refresh = async (ids?: readonly string[]): Promise<Set<string>> => {
    const rows = await store.readAgents();
    const wanted = ids ? rows.filter(({ agent }) => ids.includes(agent)) : rows;
    const stale = new Set(wanted.filter((row) => agents.get(row.agent)?.row.version !== row.version).map(({ agent }) => agent));
    const checks = byAgent(stale.size > 0 ? await store.readChecks([...stale]) : []);
    const touched = new Set<string>();
    for (const row of wanted) {
      const known = agents.get(row.agent)?.row;
      // A report taken meanwhile by this process is newer than what was read; the same one brings nothing.
      if (known && isAsNew(known, row)) continue;
      for (const service of put(row, checks.get(row.agent) ?? [], stale.has(row.agent))) touched.add(service);
    }
    return touched;
  };

  const take = async (row: StoredAgent, changed: readonly StoredCheck[]): Promise<ReadonlySet<string>> => {
    const known = agents.get(row.agent)?.row;
    const expected = (known?.version ?? 0) + (changed.length > 0 ? 1 : 0);
    // Another replica took reports of this agent in between: what we hold lacks rows.
    return row.version > expected ? refresh([row.agent]) : put(row, changed, false);
  };

  const showAgents = (): readonly AgentEvidence[] =>
    [...declared().values()].map(({ id, vantage }) => {
      const row = agents.get(id)?.row;
      return { agent: id, vantage, heardAt: row?.heardAt ?? null, selfHealthy: row?.selfHealthy ?? false, reportMs: reportMs() };
    });

  const rowsOf = ({ service, region }: CachedTarget): readonly CheckEvidence[] => {
    const known = declared();
    const shown: CheckEvidence[] = [];
    for (const check of keptTarget(service, region).rows.values()) {
      const agent = known.get(check.stored.agent);
      if (agent) shown.push(toEvidence(check, agent.vantage));
    }
    return shown;
  };

  return {
    take,
    refresh,
    seating: () => {
      if (seated !== declared()) seating = null;
      seated = declared();
      seating ??= seatAgents(showAgents());
      return seating;
    },
    targets: () => targets.values(),
    failing: () => failing,
    targetOf: keptTarget,
    rowsOf,
    databaseRowsOf: (service, region, check) => {
      const known = declared();
      return [...keptTarget(service, region).rows.values()].flatMap((cached) => {
        const agent = known.get(cached.stored.agent);
        if (!agent || cached.check !== check) return [];
        const { vantage, at, outcome, reason } = toEvidence(cached, agent.vantage);
        return [{ agent: agent.id, vantage, region, at, outcome, reason, facts: cached.stored.facts }];
      });
    },
    agentRow: (agent) => agents.get(agent)?.row ?? null,
    releasedAt: () => {
      const moments = [...declared().keys()].flatMap((id) => agents.get(id)?.releasedAt ?? []);
      return moments.length > 0 ? Math.max(...moments) : null;
    },
    clear: () => {
      for (const known of [agents, targets, failing]) known.clear();
      seating = null;
    },
  };
};

const byAgent = (checks: readonly StoredCheck[]): ReadonlyMap<string, readonly StoredCheck[]> => {
  const groups = new Map<string, StoredCheck[]>();
  for (const check of checks) {
    const group = groups.get(check.agent);
    if (group) group.push(check);
    else groups.set(check.agent, [check]);
  }
  return groups;
};

const downsOf = ({ state }: StoredCheck): number => (state === "down" ? 1 : 0);

/** Heard in the future: that was before the clock was set back. It isn't heard before it is heard again, or it would be fresh for as long. */
const believeHeard = (row: StoredAgent, now: Instant): StoredAgent =>
  row.heardAt !== null && row.heardAt > now + CLOCK_AHEAD_MS ? { ...row, heardAt: null } : row;

/** A settled check's newest evidence time and latency stand in its agent's row. Nothing was seen after its agent was last heard. */
const toEvidence = ({ owner, target: { service, region }, check, stored }: CachedCheck, vantage: Vantage): CheckEvidence => {
  const live = owner.row.live[stored.target];
  const { heardAt } = owner.row;
  const isAhead = (at: Instant): boolean => heardAt !== null && at > heardAt;
  const isLiveNewer = live !== undefined && (live[0] >= stored.at || isAhead(stored.at));
  const at = isLiveNewer ? live[0] : stored.at;
  return {
    agent: stored.agent,
    vantage,
    service,
    region,
    check,
    streak: stored,
    since: stored.since,
    failingSince: stored.failingSince,
    at: isAhead(at) ? 0 : at,
    outcome: stored.outcome,
    reason: stored.reason,
    latencyMs: isLiveNewer ? live[1] : stored.latencyMs,
  };
};

/** Declared agents by id, worked out once per configuration. */
const createDeclaredAgents = (declaration: () => Declaration) => {
  let of: Declaration | null = null;
  let known: ReadonlyMap<string, { id: string; vantage: Vantage }> = new Map();
  return () => {
    if (of !== declaration()) {
      of = declaration();
      known = new Map(of.agents.map(({ id, region, network }) => [id, { id, vantage: { region, network } }]));
    }
    return known;
  };
};

const isAsNew = (known: StoredAgent, read: StoredAgent): boolean =>
  known.boot > read.boot ||
  (known.boot === read.boot &&
    (known.version > read.version || (known.version === read.version && known.sequence >= read.sequence)));

const isBack = (before: StoredAgent, after: StoredAgent, reportMs: number): boolean =>
  before.selfHealthy !== after.selfHealthy ||
  // The clock was set back: what was fresh may not be so any more.
  (before.heardAt !== null && (after.heardAt ?? 0) < before.heardAt) ||
  (before.heardAt !== null && after.heardAt !== null && after.heardAt - before.heardAt > SILENCE_INTERVALS * reportMs);
