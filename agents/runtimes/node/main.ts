/** A Node agent: builds the parts and connects them. Everything that has state or a timer is created here and stopped here. */
import { readFile } from "node:fs/promises";
import type { AgentConfiguration } from "@regent/contract";
import { REPORT_OBSERVATIONS_MAX } from "@regent/contract";
import { createBatch } from "../../core/batch.ts";
import { readAgentKey, readPinnedKey } from "../../core/keys.ts";
import { FULL_LISTING_EVERY_MS, SPOOL_AGE_MAX_MS, SPOOL_BYTES_MAX } from "../../core/limits.ts";
import { foldMode, type ModeEvent, modeStart } from "../../core/mode.ts";
import type { Part } from "../../core/part.ts";
import { toReport } from "../../core/report.ts";
import { reportAudience, signReport } from "../../core/sign.ts";
import { createSpool } from "../../core/spool.ts";
import { runProbe } from "../../probes/probe.ts";
import type { ProbeDeps } from "../../probes/probe-deps.ts";
import { probeTcp } from "../../probes/tcp.ts";
import { createCanaries } from "./canaries.ts";
import { systemClock } from "./clock.ts";
import { type NodeAgentConfig, parseFile, SecretsFile } from "./config.ts";
import { createConfigurationKeeper } from "./configuration.ts";
import { createDelivery } from "./delivery.ts";
import { READY_ACK_MS, REPORT_INTERVAL_UNCONFIGURED_MS, SPOOL_SAVE_MS, STOP_MS } from "./limits.ts";
import { createLog, type Log } from "./log.ts";
import { type AgentGauges, serveMetrics } from "./metrics.ts";
import { readPrivateFile } from "./private-file.ts";
import { createProbing } from "./probing.ts";
import { createStore } from "./store.ts";
import { type Answer, createTransport, type Receipt } from "./transport.ts";

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
  const transport = createTransport();

  const counts = { taken: 0, failed: 0 };
  let mode = modeStart(clock.now());
  let skewMs = 0;
  const fold = (event: ModeEvent): void => {
    const before = mode.mode;
    mode = foldMode(mode, event, clock.now());
    if (mode.mode !== before) log.info({ from: before, to: mode.mode }, "agent mode changed");
  };
  const look = (): void => fold({ kind: "looked", isIsolated: !canaries.isHealthy(), isSpoolFull: spool.isNearlyFull() });

  const canaries = createCanaries({
    clock,
    dial: (address, deadlineMs) =>
      probeTcp({ address }, probeDeps, deadlineMs).catch(() => ({ outcome: "unknown", reason: "probe_bug", latencyMs: 0 })),
    onChange: (isHealthy) => {
      log.warn({ isHealthy }, "the agent's own network changed");
      look();
      delivery.push();
    },
  });

  const probing = createProbing({
    agent: config.agent,
    clock,
    probe: (probe, deadlineMs) => runProbe(probe, probeDeps, deadlineMs),
    onObservation: (noted) => {
      batch.note(noted);
      if (noted.result.outcome === "fail" && noted.after.failures > noted.before.failures) canaries.lookSoon();
      if (noted.isTransition) delivery.push();
    },
  });

  const apply = (configuration: AgentConfiguration): void => {
    batch.configure(configuration.assignments);
    probing.configure(configuration.assignments);
    canaries.configure(configuration.canaries, configuration.reportIntervalMs);
    log.info({ version: configuration.version, targets: configuration.assignments.length }, "configuration applied");
  };
  const keeper = createConfigurationKeeper({
    config,
    keys,
    store,
    apply,
    onRefusal: (why) => log.error({ why }, "a configuration was refused"),
  });
  await keeper.restore();

  const send = async (controlPlane: string, part: Part): Promise<Answer> => {
    look();
    const self = {
      healthy: canaries.isHealthy(),
      mode: mode.mode,
      overruns: probing.overruns(),
      spooled: spool.size(),
      dropped: spool.dropped() + batch.lost(),
    };
    const moment = { now: clock.now(), sentAt: clock.wall(), configurationVersion: keeper.version(), self };
    const identity = { ...identityOf(config), boot };
    const body = JSON.stringify(toReport(identity, part, moment));
    const timestampSeconds = Math.floor((clock.wall() + skewMs) / 1_000);
    const headers = await signReport(key, { agent: config.agent, boot, sequence: part.sequence, timestampSeconds, body });
    return transport.post(controlPlane, { headers, body });
  };

  const onAnswer = (answer: Answer, tookMs: number): void => {
    const isTaken = answer.kind === "taken" || answer.kind === "taken-before";
    counts[isTaken ? "taken" : "failed"] += 1;
    if (isTaken) fold({ kind: "acknowledged", tookMs });
    else fold({ kind: answer.kind === "wait" ? "told-to-wait" : "failed" });
    if (!isTaken) log.warn({ kind: answer.kind, ...("why" in answer ? { why: answer.why } : {}) }, "a report was not taken");
  };

  const onReceipt = async ({ configuration, listFully }: Receipt): Promise<void> => {
    if (listFully === true) batch.listFully("doubt");
    if (configuration !== undefined) await keeper.offer(configuration);
  };

  const delivery = createDelivery({
    clock,
    batch,
    controlPlanes: config.controlPlanes,
    reportIntervalMs: () => keeper.current()?.reportIntervalMs ?? REPORT_INTERVAL_UNCONFIGURED_MS,
    chance: Math.random,
    send,
    onReceipt,
    onSkew: (serverTime) => {
      skewMs = serverTime - clock.wall();
      log.warn({ skewMs }, "the clock differs from the control plane's");
    },
    onAnswer,
  });

  const saver = setInterval(() => void saveIfChanged(), SPOOL_SAVE_MS);
  let savedSize = spool.size();
  const saveIfChanged = async (): Promise<void> => {
    if (spool.size() === 0 && savedSize === 0) return;
    savedSize = spool.size();
    await store.saveSpool(spool.entries());
  };
  const lister = setInterval(() => batch.listFully("once"), FULL_LISTING_EVERY_MS);

  const gauges = (): AgentGauges => ({
    targets: keeper.current()?.assignments.length ?? 0,
    runs: probing.runs(),
    overruns: probing.overruns(),
    spooled: spool.size(),
    dropped: spool.dropped() + batch.lost(),
    reportsTaken: counts.taken,
    reportsFailed: counts.failed,
    configurationVersion: keeper.version(),
    isHealthy: canaries.isHealthy(),
    mode: mode.mode,
    sinceAckMs: clock.now() - mode.lastAckAt,
  });
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
      clearInterval(saver);
      clearInterval(lister);
      await within(withinMs, delivery.stop(clock.now() + withinMs));
      transport.close();
      batch.drain(clock.now());
      await store.saveSpool(spool.entries());
      await metrics?.close();
      log.info({ spooled: spool.size() }, "agent stopped");
    },
  };
};

const identityOf = ({ agent, region, network, aud }: NodeAgentConfig) => ({
  aud: reportAudience(aud),
  agent,
  region,
  network,
  build: AGENT_BUILD,
  runtime: "node" as const,
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

const readinessOf = ({ configurationVersion, reportsTaken, sinceAckMs }: AgentGauges): { isReady: boolean; why: string } => {
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
