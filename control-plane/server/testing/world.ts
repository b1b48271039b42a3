/**
 * A whole control plane on memory twins, with agents that sign real reports. For tests of operations and loop: what agents see is a function
 * that a test may change at any time.
 */
import { generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { Declaration, type Observation, type Report } from "@regent/contract";
import type { RecordSet } from "@regent/engine";
import { pino } from "pino";
import { monotonicFactory } from "ulid";
import { createMemoryDatabase, type MemoryDatabase } from "../adapters/memory/database.ts";
import { createMemoryDns, type MemoryDns } from "../adapters/memory/dns-provider.ts";
import { createMemoryHook } from "../adapters/memory/hook-caller.ts";
import { createMemoryResolver } from "../adapters/memory/resolver.ts";
import { createMemoryRoleReader } from "../adapters/memory/role-reader.ts";
import { createRecordingMessenger } from "../adapters/notify/recording-messenger.ts";
import { toAgentConfiguration } from "../configuration/to-agent-configuration.ts";
import { createControlPlane, type RunningControlPlane } from "../loop/control-plane.ts";
import { createMetrics } from "../loop/metrics.ts";
import { toKeyId } from "../operations/configuration/agent-keys.ts";
import type { Ingested } from "../operations/evidence/ingest-report.ts";
import type { Clock, ClockStep } from "../ports/clock.ts";
import type { DnsProvider } from "../ports/dns-provider.ts";
import type { HookCaller } from "../ports/hook-caller.ts";
import type { Messenger } from "../ports/notifier.ts";
import type { Resolver } from "../ports/resolver.ts";
import { type Faults, noFaults, withFaults } from "./faults.ts";

export type Sight = Seen | "silent";
type Seen = Pick<Observation, "outcome" | "reason" | "latencyMs" | "facts">;

export const OK: Seen = { outcome: "ok", latencyMs: 5 };
export const REFUSED: Sight = { outcome: "fail", reason: "tcp_refused", latencyMs: 1 };

/** One process of the control plane, with what goes wrong between it and its ports. */
export interface Replica {
  readonly controlPlane: RunningControlPlane;
  readonly faults: Faults;
}

export interface World {
  readonly database: MemoryDatabase;
  readonly dns: MemoryDns;
  readonly clock: Clock;
  /** As last applied. */
  declaration: Declaration;
  readonly zoneId: string;
  /** The one that takes the reports. */
  controlPlane: RunningControlPlane;
  /** What goes wrong around `controlPlane`. */
  faults: Faults;
  /** What an agent sees of a target from now on. */
  see: (agent: string, target: string) => Sight;
  /** Every agent sends one report of all that it is assigned. */
  readonly reportAll: () => Promise<void>;
  readonly report: (agent: string, change?: (report: Report) => Report) => Promise<Ingested>;
  readonly signed: (agent: string, report: Report, key?: KeyObject) => Parameters<RunningControlPlane["ingestReport"]>[0];
  readonly draftReport: (agent: string) => Report;
  /** Reports until `holds`; throws with `what` when it takes too long. */
  readonly until: (what: string, holds: () => boolean | Promise<boolean>, timeoutMs?: number) => Promise<void>;
  /** Stops the control plane in order and starts another one over the same database and DNS. */
  readonly restart: (awayMs?: number) => Promise<void>;
  /** `kill -9`: no farewell, no call of it is heard any more. */
  readonly kill: () => void;
  /** Applies a new version of the configuration, as any replica may. */
  readonly apply: (declaration: Declaration) => Promise<void>;
  /** Another process over the same database and DNS, as embedded mode starts one: the lease of a dead predecessor is released first. */
  readonly resurrect: () => Promise<void>;
  /** A second process beside the first. Reports still go to `controlPlane`. */
  readonly addReplica: () => Promise<Replica>;
  /** The database's clock jumps, and every process notices. */
  readonly jump: (byMs: number) => void;
  readonly stop: () => Promise<void>;
  /** Weights that DNS holds for a service's A records: region -> weight. */
  readonly weights: (name: string) => Promise<Record<string, number>>;
}

const REGIONS = ["eu-west", "us-east", "ap-south"] as const;

/** Sandbox profile, made a few times faster so that a test takes a second. */
export const FAST_SETTINGS = {
  intervalSeconds: 0.1,
  recheckSeconds: 0.05,
  timeoutSeconds: 0.1,
  reportSeconds: 0.1,
  freshnessSeconds: 1.5,
  holdMaxSeconds: 0.3,
  recoverSeconds: 0.4,
  stableHoldSeconds: 0.4,
  rampSeconds: 0.8,
  rampStepSeconds: 0.2,
  cooldownSeconds: 0.2,
  failedReturnSeconds: 1,
  escalationSeconds: 10,
} as const;

/** Traffic is moved to and fro here, also to where little capacity is: what the limits say of that is tested elsewhere. */
const SAFETY = { capacityMin: 0, removedMax: 20, receivedSeconds: 0 };

const service = (id: string, strategy: object, more: object = {}) => ({
  id,
  name: `${id}.example.test`,
  zone: "example.test",
  strategy,
  settings: FAST_SETTINGS,
  endpoints: REGIONS.map((region, i) => ({
    region,
    capacity: [50, 30, 20][i],
    headroom: [1.2, 1.4, 2.5][i],
    A: [`192.0.2.${i + 10}`],
    probe: { address: `127.0.0.1:${9000 + i}` },
    targets: { db: `127.0.0.1:${9100 + i}` },
  })),
  checks: [
    { id: "web", kind: "http", path: "/healthz" },
    { id: "db", kind: "tcp", from: "inside" },
  ],
  ...more,
});

/** Another DNS than the memory twin, such as the sandbox's. */
export interface WorldDns {
  /** Of the zone `example.test`. */
  readonly zoneId: string;
  readonly provider: DnsProvider;
  readonly resolver: Resolver;
  /** `ip:port` */
  readonly nameServers: readonly string[];
}

export const testWorld = async (
  options: {
    owner?: string;
    services?: object[];
    sets?: readonly RecordSet[];
    elsewhere?: WorldDns;
    notify?: object;
    messenger?: Messenger;
    hooks?: HookCaller;
  } = {},
): Promise<World> => {
  const started = performance.now();
  let steps: readonly ClockStep[] = [];
  const watchers: ((step: ClockStep) => void)[] = [];
  const jumpedMs = (): number => steps.reduce((sum, { byMs }) => sum + byMs, 0);
  const clock: Clock = {
    now: () => Math.floor(1_795_000_000_000 + performance.now() - started + jumpedMs()),
    monotonic: () => performance.now(),
    lastStep: () => steps.at(-1) ?? null,
    onStep: (watcher) => void watchers.push(watcher),
  };
  const ids = { ulid: monotonicFactory() };
  const keys = new Map<string, KeyObject>();
  const agents = REGIONS.flatMap((region) =>
    ["net-a", "net-b"].map((network) => {
      const { privateKey, publicKey } = generateKeyPairSync("ed25519");
      const id = `${region}-${network}`;
      keys.set(id, privateKey);
      return {
        id,
        region,
        network,
        publicKeys: [publicKey.export({ format: "der", type: "spki" }).subarray(-32).toString("base64")],
      };
    }),
  );
  const zoneId = options.elsewhere?.zoneId ?? "Z1TEST";
  const declaration = Declaration.parse({
    regent: 1,
    owner: options.owner ?? "test",
    profile: "sandbox",
    safety: SAFETY,
    zones: [{ id: zoneId, name: "example.test" }],
    regions: REGIONS.map((id) => ({ id })),
    agents,
    ...(options.notify ? { notify: options.notify } : {}),
    services: options.services ?? [service("checkout", { kind: "active-passive", failback: "automatic" })],
  });
  const database = createMemoryDatabase({ clock, ids });
  const dns = createMemoryDns({
    zones: [{ id: zoneId, name: "example.test", ...(options.sets ? { sets: options.sets } : {}) }],
    now: clock.now,
    inSyncAfterMs: 20,
  });
  const provider = options.elsewhere?.provider ?? dns.provider;
  const memoryResolver = createMemoryResolver({
    dns,
    now: clock.now,
    random: Math.random,
    servers: [
      { address: "127.0.0.1:5301", delayMs: 10 },
      { address: "127.0.0.1:5302", delayMs: 30 },
    ],
  });
  await database.configuration.apply({ baseVersion: 0, declaration, text: "", author: "test", lines: [] });
  const signer = { keyId: "test", privateKey: generateKeyPairSync("ed25519").privateKey };
  const sequences = new Map<string, number>();

  const replicas: Replica[] = [];
  const create = (): Replica => {
    const faults = noFaults();
    let controlPlane: RunningControlPlane | null = null;
    controlPlane = createControlPlane({
      holder: `test-${ids.ulid()}`,
      clock,
      ids,
      log: pino({ level: process.env.LOG_LEVEL ?? "silent" }),
      metrics: createMetrics(() => controlPlane?.readiness().isLeader ?? false),
      evidence: withFaults("evidence", database.evidence, faults),
      decisions: withFaults("decisions", database.decisions, faults),
      deadLetters: withFaults("deadLetters", database.deadLetters, faults),
      pages: withFaults("pages", database.pages, faults),
      recordings: withFaults("recordings", database.recordings, faults),
      alerts: withFaults("alerts", database.alerts, faults),
      maintenance: withFaults("maintenance", database.maintenance, faults),
      evacuations: withFaults("evacuations", database.evacuations, faults),
      hooks: options.hooks ?? createMemoryHook(),
      roles: withFaults("roles", createMemoryRoleReader(database.decisions), faults),
      messenger: options.messenger ?? createRecordingMessenger(),
      configurations: withFaults("configurations", database.configuration, faults),
      lease: withFaults("lease", database.lease, faults),
      provider: withFaults("dns", provider, faults),
      resolver: options.elsewhere?.resolver ?? memoryResolver,
      signer,
      nameServers: { "example.test": options.elsewhere?.nameServers ?? ["127.0.0.1:5301", "127.0.0.1:5302"] },
      resolvers: [],
      databaseHealth: async () => ({ isUp: !faults.isDatabaseAway, latencyMs: 0, poolSize: 0, why: null }),
      outside: async () => (faults.isCutOff ? "unreached" : "reached"),
    });
    const replica = { controlPlane, faults };
    replicas.push(replica);
    return replica;
  };
  const first = create();

  const signed: World["signed"] = (agent, report, key) => {
    const body = Buffer.from(JSON.stringify(report));
    const id = `${agent}.${report.boot}.${report.sequence}`;
    const timestamp = String(Math.floor(clock.now() / 1000));
    const privateKey = key ?? keys.get(agent);
    if (!privateKey) throw new Error(`no key of ${agent}`);
    const signature = `v1a,${sign(null, Buffer.concat([Buffer.from(`${id}.${timestamp}.`), body]), privateKey).toString("base64")}`;
    const declared = agents.find((a) => a.id === agent);
    return { id, timestamp, signature, keyId: toKeyId(declared?.publicKeys[0] ?? ""), body };
  };

  const draftReport: World["draftReport"] = (agent) => {
    const configuration = toAgentConfiguration(world.declaration, agent, { version: 1, issuedAt: 0 });
    if (!configuration) throw new Error(`no agent ${agent}`);
    const sequence = (sequences.get(agent) ?? 0) + 1;
    sequences.set(agent, sequence);
    const observations = configuration.assignments.flatMap(({ target }) => {
      const sight = world.see(agent, target);
      return sight === "silent" ? [] : [{ target, ageMs: 0, ...sight }];
    });
    return {
      v: 1,
      aud: configuration.aud,
      agent,
      region: configuration.region,
      network: configuration.network,
      boot: 1,
      sequence,
      sentAt: clock.now() - jumpedMs(),
      build: "test",
      runtime: "node",
      configurationVersion: 1,
      self: { healthy: true, mode: "normal", overruns: 0, spooled: 0, dropped: 0 },
      observations,
      unchanged: [],
      backfill: [],
    };
  };

  const report: World["report"] = (agent, change = (r) => r) =>
    world.controlPlane.ingestReport(signed(agent, change(draftReport(agent))));

  const isSilent = (agent: string): boolean =>
    draftlessTargets(world.declaration, agent).every((target) => world.see(agent, target) === "silent");

  const reportAll = async (): Promise<void> => {
    await Promise.all(agents.filter(({ id }) => !isSilent(id)).map(({ id }) => report(id)));
  };

  const world: World = {
    database,
    dns,
    clock,
    declaration,
    zoneId,
    controlPlane: first.controlPlane,
    faults: first.faults,
    see: () => OK,
    reportAll,
    report,
    signed,
    draftReport,
    until: async (what, holds, timeoutMs = 6_000) => {
      const deadline = performance.now() + timeoutMs;
      while (performance.now() < deadline) {
        await reportAll();
        if (await holds()) return;
        await new Promise((resolve) => setTimeout(resolve, 40));
      }
      throw new Error(`not reached in ${timeoutMs} ms: ${what}`);
    },
    restart: async (awayMs = 0) => {
      await world.controlPlane.stop();
      await new Promise((resolve) => setTimeout(resolve, awayMs));
      Object.assign(world, create());
      await world.controlPlane.start();
    },
    kill: () => {
      world.faults.isDead = true;
      // Ends the timers; whatever the stop would say to a port is not heard.
      void world.controlPlane.stop();
    },
    resurrect: async () => {
      const held = await database.lease.read();
      if (held) await database.lease.release(held.holder, held.term);
      Object.assign(world, create());
      await world.controlPlane.start();
    },
    apply: async (next) => {
      const known = await database.configuration.read();
      world.declaration = next;
      await database.configuration.apply({
        baseVersion: known?.version ?? 0,
        declaration: next,
        text: "",
        author: "test",
        lines: [],
      });
    },
    addReplica: async () => {
      const replica = create();
      await replica.controlPlane.start();
      return replica;
    },
    jump: (byMs) => {
      const step = { at: clock.now() + byMs, byMs };
      steps = [...steps, step];
      for (const watcher of watchers) watcher(step);
    },
    stop: async () => {
      for (const { controlPlane, faults } of replicas) {
        faults.isDatabaseAway = false;
        if (!faults.isDead) await controlPlane.stop();
      }
    },
    weights: async (name) => {
      const read = await provider.readNames(zoneId, [name]);
      if (read.kind !== "sets") throw new Error(read.kind);
      return Object.fromEntries(
        read.sets.flatMap(({ type, setIdentifier, weight }) =>
          type === "A" && setIdentifier ? [[setIdentifier, weight ?? -1]] : [],
        ),
      );
    },
  };
  await world.controlPlane.start();
  return world;
};

const draftlessTargets = (declaration: Declaration, agent: string): readonly string[] =>
  (toAgentConfiguration(declaration, agent, { version: 1, issuedAt: 0 })?.assignments ?? []).map(({ target }) => target);

/** The DNS of one world as another's, so that two installations meet in one zone. */
export const sharedDns = ({ dns, clock, zoneId }: World): WorldDns => {
  const address = "127.0.0.1:5301";
  const resolver = createMemoryResolver({ dns, now: clock.now, random: Math.random, servers: [{ address, delayMs: 10 }] });
  return { zoneId, provider: dns.provider, resolver, nameServers: [address] };
};

export const testService = service;
