/**
 * Agents that need no network: signed reports over HTTP to whichever replica takes them, saying of each endpoint what the test says of it.
 * Every report is two probes old, so that with `fall` and `rise` 2 one round is a transition.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { type AgentKey, generateAgentKey, readAgentKey } from "@regent/agents";
import { signReport } from "@regent/agents/core/sign.ts";
import type { Observation, Report } from "@regent/contract";
import { createClient } from "@regent/server/http/client.ts";

export interface TestAgent {
  readonly id: string;
  readonly region: string;
  readonly network: string;
  readonly key: AgentKey;
}

export interface Reports {
  /** From the next round on every agent sees this. */
  readonly say: (service: string, region: string, isUp: boolean) => void;
  readonly sent: () => { readonly taken: number; readonly refused: number };
  readonly stop: () => Promise<void>;
}

export interface ReportsOptions {
  readonly owner: string;
  readonly agents: readonly TestAgent[];
  readonly targets: readonly { readonly service: string; readonly region: string }[];
  readonly everyMs: number;
  /** Of the replicas that live; asked before every report. */
  readonly urls: () => readonly string[];
}

/** Four vantages over two networks, in regions where nothing is served: each of them sees every endpoint from outside. */
export const createTestAgents = (): Promise<readonly TestAgent[]> =>
  Promise.all(
    ["v1", "v2", "v3", "v4"].map(async (region, i) => ({
      id: `agent-${region}`,
      region,
      network: `n${i % 2}`,
      key: await readAgentKey((await generateAgentKey()).privateKeyPem),
    })),
  );

export const startReports = (options: ReportsOptions): Reports => {
  const stopped = new AbortController();
  const down = new Set<string>();
  const sent = { taken: 0, refused: 0 };
  const observe = (): Observation[] =>
    options.targets.flatMap(({ service, region }) => {
      const isDown = down.has(`${service}/${region}`);
      const target = `${service}/${region}/web`;
      const seen = isDown
        ? ({ target, outcome: "fail", reason: "tcp_refused", latencyMs: 1 } as const)
        : ({ target, outcome: "ok", latencyMs: 1 } as const);
      return [
        { ...seen, ageMs: 60 },
        { ...seen, ageMs: 10 },
      ];
    });
  const running = options.agents.map((agent, i) => report(agent, i, { ...options, observe, sent, signal: stopped.signal }));
  return {
    say: (service, region, isUp) => void (isUp ? down.delete(`${service}/${region}`) : down.add(`${service}/${region}`)),
    sent: () => ({ ...sent }),
    stop: async () => {
      stopped.abort();
      await Promise.all(running);
    },
  };
};

interface Reporting extends ReportsOptions {
  readonly observe: () => Observation[];
  readonly sent: { taken: number; refused: number };
  readonly signal: AbortSignal;
}

/** A paused replica answers nothing: the next one is asked after this. */
const ANSWER_MS_MAX = 1_000;

/** Stays with the replica that answers, and goes round when it doesn't. */
const report = async (agent: TestAgent, place: number, { observe, sent, signal, ...options }: Reporting): Promise<void> => {
  const boot = Date.now();
  let preferred = place;
  for (let sequence = 1; !signal.aborted; sequence++) {
    const startedAt = performance.now();
    const urls = options.urls();
    const url = urls[preferred % Math.max(1, urls.length)];
    if (url !== undefined) {
      const isTaken = await send(agent, url, toReport(agent, { owner: options.owner, boot, sequence, observations: observe() }));
      sent[isTaken ? "taken" : "refused"] += 1;
      if (!isTaken) preferred += 1;
    }
    const restMs = Math.max(20, options.everyMs - (performance.now() - startedAt));
    await sleep(restMs, undefined, { signal }).catch(() => undefined);
  }
};

const send = async (agent: TestAgent, url: string, report: Report): Promise<boolean> => {
  const body = JSON.stringify(report);
  const timestampSeconds = Math.floor(Date.now() / 1000);
  const { boot, sequence } = report;
  const headers = await signReport(agent.key, { agent: agent.id, boot, sequence, timestampSeconds, body });
  const answer = await createClient({ url, token: null, timeoutMs: ANSWER_MS_MAX }).report({ headers, body });
  return answer.kind === "ok";
};

const toReport = (
  { id, region, network }: TestAgent,
  of: { readonly owner: string; readonly boot: number; readonly sequence: number; readonly observations: Observation[] },
): Report => ({
  v: 1,
  aud: `${of.owner}/v1/reports`,
  agent: id,
  region,
  network,
  boot: of.boot,
  sequence: of.sequence,
  sentAt: Date.now(),
  build: "test",
  runtime: "node",
  configurationVersion: 1,
  self: { healthy: true, mode: "normal", overruns: 0, spooled: 0, dropped: 0 },
  observations: of.observations,
  unchanged: [],
  backfill: [],
});
