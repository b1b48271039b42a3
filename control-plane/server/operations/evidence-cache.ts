/**
 * The leader's copy of all evidence. Reports taken by this process come in at once; those of other replicas by notification, or by the poll
 * that compares every agent's version. It also says which services a change touches, so that only they are decided again, and keeps the rows
 * by service, so that deciding one service reads only what it rests on.
 */
import type { Declaration } from "@regent/contract";
import type { AgentEvidence, CheckEvidence, Evidence, ServiceSpec, Vantage } from "@regent/engine";
import type { EvidenceStore, StoredAgent, StoredCheck } from "../ports/evidence-store.ts";

interface CachedAgent {
  row: StoredAgent;
  readonly checks: Map<string, CachedCheck>;
}

interface CachedCheck {
  readonly owner: CachedAgent;
  readonly service: string;
  readonly region: string;
  readonly check: string;
  stored: StoredCheck;
}

export interface EvidenceCache {
  /** A report that this process took; answers the services to decide again. */
  readonly take: (agent: StoredAgent, changed: readonly StoredCheck[]) => Promise<ReadonlySet<string>>;
  /** Reads what other replicas took: these agents, or all. */
  readonly refresh: (agents?: readonly string[]) => Promise<ReadonlySet<string>>;
  readonly evidenceOf: (spec: ServiceSpec, suspects: ReadonlySet<string>) => Evidence;
  readonly all: () => { agents: readonly AgentEvidence[]; checks: readonly CheckEvidence[] };
  readonly agentRow: (agent: string) => StoredAgent | null;
  /** Something is down somewhere: only then can a vantage be suspect. */
  readonly isAnythingDown: () => boolean;
  readonly clear: () => void;
}

/** An agent that was silent for this many report intervals brings its services to a new look when it is heard again. */
const SILENCE_INTERVALS = 2;

export const createEvidenceCache = (
  store: EvidenceStore,
  declaration: () => Declaration,
  reportMs: () => number,
): EvidenceCache => {
  const agents = new Map<string, CachedAgent>();
  /** service -> `agent target` -> row */
  const byService = new Map<string, Map<string, CachedCheck>>();
  const down = new Set<CachedCheck>();
  const declared = createDeclaredAgents(declaration);
  /** Rebuilt when an agent's row changed since it was last asked for. */
  let agentsShown: readonly AgentEvidence[] | null = null;

  const putCheck = (owner: CachedAgent, stored: StoredCheck): string => {
    const known = owner.checks.get(stored.target);
    const cached = known ?? toCached(owner, stored);
    cached.stored = stored;
    if (stored.state === "down") down.add(cached);
    else down.delete(cached);
    if (!known) {
      owner.checks.set(stored.target, cached);
      const rows = byService.get(cached.service) ?? new Map<string, CachedCheck>();
      byService.set(cached.service, rows.set(`${stored.agent} ${stored.target}`, cached));
    }
    return cached.service;
  };

  const forget = ({ row, checks }: CachedAgent): void => {
    for (const cached of checks.values()) {
      down.delete(cached);
      byService.get(cached.service)?.delete(`${row.agent} ${cached.stored.target}`);
    }
    checks.clear();
  };

  const put = (row: StoredAgent, checks: readonly StoredCheck[], isComplete: boolean): Set<string> => {
    const known = agents.get(row.agent);
    const cached = known ?? { row, checks: new Map() };
    const touched = new Set<string>();
    agentsShown = null;
    if (isComplete || (known && isBack(known.row, row, reportMs())))
      for (const { service } of cached.checks.values()) touched.add(service);
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

  const showAgents = (): readonly AgentEvidence[] => {
    agentsShown ??= [...declared().values()].map(({ id, vantage }) => {
      const row = agents.get(id)?.row;
      return { agent: id, vantage, heardAt: row?.heardAt ?? null, selfHealthy: row?.selfHealthy ?? false, reportMs: reportMs() };
    });
    return agentsShown;
  };

  const showChecks = (cached: Iterable<CachedCheck>): CheckEvidence[] => {
    const known = declared();
    const shown: CheckEvidence[] = [];
    for (const check of cached) {
      const agent = known.get(check.stored.agent);
      if (agent) shown.push(toEvidence(check, agent.vantage));
    }
    return shown;
  };

  return {
    take,
    refresh,
    evidenceOf: (spec, suspects) => ({
      agents: showAgents(),
      checks: showChecks(byService.get(spec.id)?.values() ?? []),
      suspects,
    }),
    all: () => ({ agents: showAgents(), checks: showChecks([...byService.values()].flatMap((rows) => [...rows.values()])) }),
    agentRow: (agent) => agents.get(agent)?.row ?? null,
    isAnythingDown: () => down.size > 0,
    clear: () => {
      for (const known of [agents, byService, down]) known.clear();
      agentsShown = null;
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

const toCached = (owner: CachedAgent, stored: StoredCheck): CachedCheck => {
  const [service = "", region = "", check = ""] = stored.target.split("/");
  return { owner, service, region, check, stored };
};

/** A settled check's newest evidence time and latency stand in its agent's row. */
const toEvidence = ({ owner, service, region, check, stored }: CachedCheck, vantage: Vantage): CheckEvidence => {
  const live = owner.row.live[stored.target];
  const isLiveNewer = live !== undefined && live[0] >= stored.at;
  return {
    agent: stored.agent,
    vantage,
    service,
    region,
    check,
    streak: stored,
    since: stored.since,
    failingSince: stored.failingSince,
    at: isLiveNewer ? live[0] : stored.at,
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
  (before.heardAt !== null && after.heardAt !== null && after.heardAt - before.heardAt > SILENCE_INTERVALS * reportMs);
