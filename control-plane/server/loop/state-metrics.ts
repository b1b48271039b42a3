/** What Prometheus and alert rules may ask of agents, services, outbox and pages. Worked out when asked, from what is in memory. */
import type { Declaration, Instant } from "@regent/contract";
import type { ServiceSpec } from "@regent/engine";
import { Gauge, type Registry } from "prom-client";
import { describeMetric } from "../configuration/alerts/metric-catalogue.ts";
import type { EvidenceCache } from "../operations/evidence/evidence-cache.ts";
import type { Ledger } from "../operations/memory/ledger.ts";
import type { ServiceRecord, StoredOutboxRow } from "../ports/decision-store.ts";

export interface StateSources {
  readonly declaration: () => Declaration | null;
  /** When an agent was last heard. */
  readonly heardAt: (agent: string) => Instant | null;
  readonly freshnessMs: () => number;
  readonly records: () => readonly Pick<ServiceRecord, "drift" | "blockedBy" | "controls">[];
  readonly outbox: () => readonly Pick<StoredOutboxRow, "state" | "createdAt">[];
  /** When each change that isn't visible yet was accepted. */
  readonly unseenSince: () => readonly Instant[];
  /** By notifier. */
  readonly pagesWaitSince: () => ReadonlyMap<string, Instant>;
  readonly now: () => Instant;
}

/** What is remembered of services and heard of agents, as the gauges ask for it. */
export const stateIn = (
  ledger: Ledger,
  cache: EvidenceCache,
  specs: () => ReadonlyMap<string, ServiceSpec>,
): Pick<StateSources, "heardAt" | "freshnessMs" | "records" | "outbox" | "unseenSince"> => ({
  heardAt: (agent) => cache.agentRow(agent)?.heardAt ?? null,
  freshnessMs: () => Math.max(...[...specs().values()].map(({ settings }) => settings.freshnessMs), FRESHNESS_MS_MIN),
  records: () => [...specs().keys()].map(ledger.record),
  outbox: () => [...specs().keys()].flatMap(ledger.outbox),
  unseenSince: () =>
    ledger.changes().flatMap(({ stage, times }) => (UNSEEN.has(stage) && times.accepted !== undefined ? [times.accepted] : [])),
});

/** With nothing declared, nobody is asked how fresh. */
const FRESHNESS_MS_MIN = 1_000;
/** Accepted, and name servers may not answer it yet. */
const UNSEEN: ReadonlySet<string> = new Set(["accepted", "in-sync"]);
const UNSETTLED: readonly StoredOutboxRow["state"][] = ["intent", "sent", "unknown"];
export const AGENT_STATES = ["heard", "missing", "silent"] as const;

export const registerState = (registry: Registry, sources: StateSources): void => {
  const registers = [registry];
  const ageSeconds = (since: readonly Instant[]): number =>
    since.length === 0 ? 0 : Math.max(0, sources.now() - Math.min(...since)) / 1_000;
  new Gauge({
    ...describeMetric("regent_agents"),
    registers,
    collect() {
      this.reset();
      for (const { region, state, count } of countAgents(sources)) this.set({ region, state }, count);
    },
  });
  new Gauge({
    ...describeMetric("regent_services"),
    registers,
    collect() {
      const records = sources.records();
      this.set({ state: "drifted" }, records.filter(({ drift }) => drift !== null).length);
      this.set({ state: "frozen" }, records.filter(({ controls }) => controls.frozen !== null).length);
      this.set({ state: "blocked" }, records.filter(({ blockedBy }) => blockedBy !== null).length);
    },
  });
  new Gauge({
    ...describeMetric("regent_outbox_unsettled_seconds"),
    registers,
    collect() {
      this.set(ageSeconds(sources.outbox().flatMap(({ state, createdAt }) => (UNSETTLED.includes(state) ? [createdAt] : []))));
    },
  });
  new Gauge({
    ...describeMetric("regent_change_unseen_seconds"),
    registers,
    collect() {
      this.set(ageSeconds(sources.unseenSince()));
    },
  });
  new Gauge({
    ...describeMetric("regent_page_waiting_seconds"),
    registers,
    collect() {
      this.reset();
      const since = sources.pagesWaitSince();
      for (const { id } of sources.declaration()?.notify?.notifiers ?? []) {
        const at = since.get(id);
        this.set({ notifier: id }, ageSeconds(at === undefined ? [] : [at]));
      }
    },
  });
};

interface Counted {
  readonly region: string;
  readonly state: (typeof AGENT_STATES)[number];
  readonly count: number;
}

/** Of a region in which nobody is heard all are silent: that is no agent's fault. */
const countAgents = ({ declaration, heardAt, freshnessMs, now }: StateSources): readonly Counted[] => {
  const agents = declaration()?.agents ?? [];
  const isHeard = (agent: string): boolean => {
    const at = heardAt(agent);
    return at !== null && now() - at <= freshnessMs();
  };
  return [...new Set(agents.map(({ region }) => region))].flatMap((region): Counted[] => {
    const own = agents.filter((agent) => agent.region === region);
    const heard = own.filter(({ id }) => isHeard(id)).length;
    const quiet = own.length - heard;
    return [
      { region, state: "heard", count: heard },
      { region, state: "missing", count: heard === 0 ? 0 : quiet },
      { region, state: "silent", count: heard === 0 ? quiet : 0 },
    ];
  });
};
