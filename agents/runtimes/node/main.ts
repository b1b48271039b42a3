/** A Node agent: builds the parts and connects them. Everything that has state or a timer is created here and stopped here. */
import { readFile } from "node:fs/promises";
import { type AgentConfiguration, REPORT_OBSERVATIONS_MAX } from "@regent/contract";
import { type Batch, createBatch } from "../../core/batch.ts";
import { type AgentKey, readAgentKey, readPinnedKey } from "../../core/keys.ts";
import { FULL_LISTING_EVERY_MS, SPOOL_AGE_MAX_MS, SPOOL_BYTES_MAX } from "../../core/limits.ts";
import { laneOf } from "../../core/part.ts";
import { toReport } from "../../core/report.ts";
import { reportAudience, signReport } from "../../core/sign.ts";
import { createSpool, type Spool } from "../../core/spool.ts";
import { runProbe } from "../../probes/probe.ts";
import type { ProbeDeps } from "../../probes/probe-deps.ts";
import { type Canaries, createCanaries } from "./canaries.ts";
import { type Clock, systemClock } from "./clock.ts";
import { type Condition, createCondition } from "./condition.ts";
import { type NodeAgentConfig, parseFile, SecretsFile } from "./config.ts";
import { type ConfigurationKeeper, createConfigurationKeeper } from "./configuration.ts";
import { createDelivery, type DeliveryDeps } from "./delivery.ts";
import { READY_ACK_MS, REPORT_INTERVAL_UNCONFIGURED_MS, SPOOL_SAVE_MS, STOP_MS } from "./limits.ts";
import { createLog, type Log } from "./log.ts";
import { type AgentGauges, serveMetrics } from "./metrics.ts";
import { readPrivateFile } from "./private-file.ts";
import { createProbing, type Probing } from "./probing.ts";
import { createStore, type Store } from "./store.ts";
import { createTransport, type Transport } from "./transport.ts";

/** Sent with every report, so that the control plane can show which agents lag behind. */
export const AGENT_BUILD = "0.1.0";

export interface NodeAgent {
  readonly boot: number;
  /** Port of /metrics, or undefined when it is not served. */
  readonly httpPort: number | undefined;
  readonly gauges: () => AgentGauges;
  /** Sends what is left within `withinMs` (2 s), keeps the rest on disk, and ends. */
  readonly stop: (withinMs?: number) => Promise<void>;
}

export interface NodeAgentOptions {
  readonly log?: Log;
}

/** Throws when a file it needs is missing, readable by others or malformed; afterwards nothing stops the probes. */
export const runNodeAgent = async (config: NodeAgentConfig, options: NodeAgentOptions = {}): Promise<NodeAgent> => {
  const clock = systemClock;
  const log = options.log ?? createLog(config.agent, process.env.LOG_LEVEL);
  const key = await readAgentKey(await readPrivateFile(config.privateKeyFile));
  const keys = await Promise.all(config.configurationKeys.map(readPinnedKey));
  const probeDeps = await readProbeDeps(config);
  const store = createStore(config.spoolDir, (file) => log.warn({ file }, "a file of the spool directory can't be used"));
  const boot = await store.nextBoot(clock.wall());
  const spool = createSpool({ bytesMax: SPOOL_BYTES_MAX, ageMaxMs: SPOOL_AGE_MAX_MS });
  spool.add(await store.loadSpool(), clock.now());
  const batch = createBatch({ spool, observationsMax: REPORT_OBSERVATIONS_MAX });
  const condition = createCondition(clock, log, boot);
  const transport = createTransport(boot);
  // Delivery needs what these make and they need to wake it; nothing is pushed before it exists.
  let push = (): void => undefined;

  const canaries = createCanaries({
    clock,
    dial: (address, deadlineMs) => runProbe({ kind: "tcp", address, onSlow: "degrade" }, probeDeps, deadlineMs),
    onChange: (isHealthy) => {
      log.warn({ isHealthy }, "the agent's own network changed");
      push();
    },
  });
  const probing = createProbing({
    agent: config.agent,
    clock,
    probe: (probe, deadlineMs) => runProbe(probe, probeDeps, deadlineMs),
    onObservation: (noted) => {
      batch.note(noted);
      if (noted.result.outcome === "fail" && noted.after.failures > noted.before.failures) canaries.lookSoon();
      if (noted.isTransition) push();
    },
  });
  const keeper = createConfigurationKeeper({
    config,
    keys,
    store,
    apply: (configuration) => applyConfiguration(configuration, { batch, probing, canaries, log }),
    onRefusal: (why) => log.error({ why }, "a configuration was refused"),
  });
  await keeper.restore();

  const parts: Parts = { config, clock, boot, key, spool, batch, condition, canaries, probing, keeper, transport };
  const delivery = createDelivery(deliveryDeps(parts));
  push = delivery.push;

  const upkeep = startUpkeep({ batch, spool, store });
  const gauges = (): AgentGauges => gaugesOf(parts);
  const metrics =
    config.httpPort === undefined
      ? undefined
      : await serveMetrics(config.httpPort, { gauges, readiness: () => readinessOf(gauges()) });
  log.info({ boot, keyId: key.keyId, controlPlanes: config.controlPlanes.length }, "agent started");

  return {
    boot,
    httpPort: metrics?.port,
    gauges,
    stop: async (withinMs = STOP_MS) => {
      probing.stop();
      canaries.stop();
      upkeep.stop();
      await within(withinMs, delivery.stop(clock.now() + withinMs));
      transport.close();
      batch.drain(clock.now());
      await store.saveSpool(spool.entries());
      await metrics?.close();
      log.info({ spooled: spool.size() }, "agent stopped");
    },
  };
};

interface Parts {
  readonly config: NodeAgentConfig;
  readonly clock: Clock;
  readonly boot: number;
  readonly key: AgentKey;
  readonly spool: Spool;
  readonly batch: Batch;
  readonly condition: Condition;
  readonly canaries: Canaries;
  readonly probing: Probing;
  readonly keeper: ConfigurationKeeper;
  readonly transport: Transport;
}

const applyConfiguration = (
  { assignments, canaries: addresses, reportIntervalMs, version }: AgentConfiguration,
  { batch, probing, canaries, log }: { batch: Batch; probing: Probing; canaries: Canaries; log: Log },
): void => {
  batch.configure(assignments, reportIntervalMs);
  probing.configure(assignments);
  canaries.configure(addresses, reportIntervalMs);
  log.info({ version, targets: assignments.length }, "configuration applied");
};

const deliveryDeps = (parts: Parts): DeliveryDeps => {
  const { config, clock, boot, key, spool, batch, condition, canaries, probing, keeper, transport } = parts;
  const { agent, region, network } = config;
  const identity = {
    aud: reportAudience(config.aud),
    agent,
    region,
    network,
    boot,
    build: AGENT_BUILD,
    runtime: "node" as const,
  };
  return {
    clock,
    batch,
    controlPlanes: config.controlPlanes,
    reportIntervalMs: () => keeper.current()?.reportIntervalMs ?? REPORT_INTERVAL_UNCONFIGURED_MS,
    chance: Math.random,
    send: async (controlPlane, part) => {
      condition.looked({ isIsolated: !canaries.isHealthy(), isSpoolFull: spool.isNearlyFull() });
      const self = {
        healthy: canaries.isHealthy(),
        mode: condition.mode().mode,
        overruns: probing.overruns(),
        spooled: spool.size(),
        dropped: spool.dropped() + batch.lost(),
      };
      const moment = { now: clock.now(), sentAt: clock.wall(), configurationVersion: keeper.version(), self };
      const body = JSON.stringify(toReport(identity, part, moment));
      const timestampSeconds = Math.floor((clock.wall() + condition.skewMs()) / 1_000);
      const headers = await signReport(key, { agent, boot, sequence: part.sequence, timestampSeconds, body });
      return transport.post(controlPlane, { headers: { ...headers, "regent-lane": laneOf(part) }, body });
    },
    onReceipt: async ({ configuration, listAll }) => {
      if (listAll === true) batch.listFully("doubt");
      if (configuration !== undefined) await keeper.offer(configuration);
    },
    onSkew: condition.adoptTime,
    onAnswer: condition.answered,
  };
};

/** Slow duties: the spool on disk, and a full listing now and then. */
const startUpkeep = ({ batch, spool, store }: { batch: Batch; spool: Spool; store: Store }): { readonly stop: () => void } => {
  let savedSize = spool.size();
  const saver = setInterval(() => {
    if (spool.size() === 0 && savedSize === 0) return;
    savedSize = spool.size();
    void store.saveSpool(spool.entries());
  }, SPOOL_SAVE_MS);
  const lister = setInterval(() => batch.listFully("once"), FULL_LISTING_EVERY_MS);
  return {
    stop: () => {
      clearInterval(saver);
      clearInterval(lister);
    },
  };
};

const gaugesOf = ({ clock, spool, batch, condition, canaries, probing, keeper }: Parts): AgentGauges => ({
  targets: keeper.current()?.assignments.length ?? 0,
  runs: probing.runs(),
  overruns: probing.overruns(),
  spooled: spool.size(),
  dropped: spool.dropped() + batch.lost(),
  reportsTaken: condition.reportsTaken(),
  reportsFailed: condition.reportsFailed(),
  configurationVersion: keeper.version(),
  isHealthy: canaries.isHealthy(),
  mode: condition.mode().mode,
  sinceAckMs: clock.now() - condition.mode().lastAckAt,
  twin: condition.twin(),
});

const readProbeDeps = async (config: NodeAgentConfig): Promise<ProbeDeps> => {
  const { allowLoopback, allowPrivate, connectTo, secretsFile, caFile } = config;
  const secrets = secretsFile === undefined ? {} : parseFile(SecretsFile, secretsFile, await readPrivateFile(secretsFile));
  return {
    dial: { allowLoopback, allowPrivate, connectTo },
    secrets: new Map(Object.entries(secrets)),
    ca: caFile === undefined ? [] : [await readFile(caFile, "utf8")],
  };
};

const readinessOf = ({
  configurationVersion,
  reportsTaken,
  sinceAckMs,
  twin,
}: AgentGauges): { isReady: boolean; why: string } => {
  if (twin !== null) return { isReady: false, why: twin };
  if (configurationVersion === 0) return { isReady: false, why: "no configuration yet" };
  if (reportsTaken === 0 || sinceAckMs > READY_ACK_MS) return { isReady: false, why: "no report acknowledged lately" };
  return { isReady: true, why: "ok" };
};

const within = async (ms: number, work: Promise<void>): Promise<void> => {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([work, late]);
  clearTimeout(timer);
};
