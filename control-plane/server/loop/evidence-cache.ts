/**
 * The leader's copy of all evidence. Reports taken by this process come in at once; those of other replicas by notification, or by the poll
 * that compares every agent's version. It also says which services a change touches, so that only they are decided again.
 */

import type { Declaration } from "@regent/contract";
import type { AgentEvidence, CheckEvidence, Evidence, ServiceSpec } from "@regent/engine";
import type { EvidenceStore, StoredAgent, StoredCheck } from "../ports/evidence-store.ts";

interface CachedAgent {
  row: StoredAgent;
  readonly checks: Map<string, StoredCheck>;
}

export interface EvidenceCache {
  /** A report that this process took; answers the services to decide again. */
  readonly take: (agent: StoredAgent, changed: readonly StoredCheck[]) => Promise<ReadonlySet<string>>;
  /** Reads what other replicas took: these agents, or all. */
  readonly refresh: (agents?: readonly string[]) => Promise<ReadonlySet<string>>;
  readonly evidenceOf: (spec: ServiceSpec, suspects: ReadonlySet<string>) => Evidence;
  readonly all: () => { agents: readonly AgentEvidence[]; checks: readonly CheckEvidence[] };
  readonly agentRow: (agent: string) => StoredAgent | null;
  readonly facts: (agent: string, target: string) => StoredCheck["facts"];
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
  /** Which agents know something of a service, so that deciding one service reads only what it rests on. */
  const agentsByService = new Map<string, Set<string>>();

  const note = (row: StoredAgent, checks: readonly StoredCheck[]): void => {
    for (const { target } of checks) {
      const service = serviceOf(target);
      const known = agentsByService.get(service) ?? new Set();
      agentsByService.set(service, known.add(row.agent));
    }
  };

  const put = (row: StoredAgent, checks: readonly StoredCheck[], isComplete: boolean): Set<string> => {
    const cached = agents.get(row.agent);
    const touched = new Set<string>();
    note(row, checks);
    if (!cached || isComplete) {
      agents.set(row.agent, { row, checks: new Map(checks.map((check) => [check.target, check])) });
      for (const target of [...(cached?.checks.keys() ?? []), ...checks.map((c) => c.target)]) touched.add(serviceOf(target));
      return touched;
    }
    if (isBack(cached.row, row, reportMs())) for (const target of cached.checks.keys()) touched.add(serviceOf(target));
    cached.row = row;
    for (const check of checks) {
      cached.checks.set(check.target, check);
      touched.add(serviceOf(check.target));
    }
    return touched;
  };

  const refresh = async (ids?: readonly string[]): Promise<Set<string>> => {
    const rows = await store.readAgents();
    const wanted = ids ? rows.filter(({ agent }) => ids.includes(agent)) : rows;
    const stale = wanted.filter((row) => agents.get(row.agent)?.row.version !== row.version);
    const checks = stale.length > 0 ? await store.readChecks(stale.map(({ agent }) => agent)) : [];
    const touched = new Set<string>();
    for (const row of wanted) {
      // A report taken meanwhile by this process is newer than what was read.
      const known = agents.get(row.agent)?.row;
      if (known && (known.boot > row.boot || (known.boot === row.boot && known.sequence > row.sequence))) continue;
      const isStale = stale.includes(row);
      const own = isStale ? checks.filter(({ agent }) => agent === row.agent) : [];
      for (const service of put(row, own, isStale)) touched.add(service);
    }
    return touched;
  };

  const take = async (row: StoredAgent, changed: readonly StoredCheck[]): Promise<ReadonlySet<string>> => {
    const cached = agents.get(row.agent);
    const expected = (cached?.row.version ?? 0) + (changed.length > 0 ? 1 : 0);
    // Another replica took reports of this agent in between: what we hold lacks rows.
    if (!cached ? row.version > 1 : row.version > expected) return refresh([row.agent]);
    return put(row, changed, false);
  };

  let vantages = new Map<string, { region: string; network: string }>();
  let vantagesOf: Declaration | null = null;
  const vantageOf = (agent: string) => {
    if (vantagesOf !== declaration()) {
      vantagesOf = declaration();
      vantages = new Map(vantagesOf.agents.map(({ id, region, network }) => [id, { region, network }]));
    }
    return vantages.get(agent);
  };

  const agentEvidence = (declared: Declaration["agents"][number]): AgentEvidence => {
    const row = agents.get(declared.id)?.row;
    return {
      agent: declared.id,
      vantage: { region: declared.region, network: declared.network },
      heardAt: row?.heardAt ?? null,
      selfHealthy: row?.selfHealthy ?? false,
      reportMs: reportMs(),
    };
  };

  const checkEvidence = (check: StoredCheck, row: StoredAgent): CheckEvidence | null => {
    const vantage = vantageOf(check.agent);
    const [service, region, id] = check.target.split("/");
    if (!vantage || !service || !region || !id) return null;
    const live = row.live[check.target];
    const at = Math.max(check.at, live?.[0] ?? 0);
    return {
      agent: check.agent,
      vantage,
      service,
      region,
      check: id,
      streak: { state: check.state, failures: check.failures, passes: check.passes },
      since: check.since,
      failingSince: check.failingSince,
      at,
      outcome: check.outcome,
      reason: check.reason,
      latencyMs: live && live[0] >= check.at ? live[1] : check.latencyMs,
    };
  };

  const collect = (from: Iterable<string>, wants: (target: string) => boolean): CheckEvidence[] => {
    const found: CheckEvidence[] = [];
    for (const agent of from) {
      const cached = agents.get(agent);
      for (const check of cached?.checks.values() ?? []) {
        const evidence = cached && wants(check.target) ? checkEvidence(check, cached.row) : null;
        if (evidence) found.push(evidence);
      }
    }
    return found;
  };

  return {
    take,
    refresh,
    evidenceOf: (spec, suspects) => {
      const prefix = `${spec.id}/`;
      return {
        agents: declaration().agents.map(agentEvidence),
        checks: collect(agentsByService.get(spec.id) ?? [], (target) => target.startsWith(prefix)),
        suspects,
      };
    },
    all: () => ({ agents: declaration().agents.map(agentEvidence), checks: collect(agents.keys(), () => true) }),
    agentRow: (agent) => agents.get(agent)?.row ?? null,
    facts: (agent, target) => agents.get(agent)?.checks.get(target)?.facts ?? null,
    isAnythingDown: () => [...agents.values()].some(({ checks }) => [...checks.values()].some(({ state }) => state === "down")),
    clear: () => {
      agents.clear();
      agentsByService.clear();
    },
  };
};

const serviceOf = (target: string): string => target.slice(0, target.indexOf("/"));

const isBack = (before: StoredAgent, after: StoredAgent, reportMs: number): boolean =>
  before.selfHealthy !== after.selfHealthy ||
  (before.heardAt !== null && after.heardAt !== null && after.heardAt - before.heardAt > SILENCE_INTERVALS * reportMs);
