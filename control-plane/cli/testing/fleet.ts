/**
 * Several real server processes over one real Postgres and one sandbox zone. Every replica reaches both by a link of its own, so that it can be
 * cut off alone; agents are signed reports of the test itself. For tests that kill, pause and cut: nothing of the product is replaced.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdir, mkdtemp, open, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import type { Overview, ServiceState } from "@regent/contract";
import { type Route53Sandbox, startRoute53Sandbox } from "@regent/sandbox/route53-sandbox.ts";
import { connect, type Database } from "@regent/server/adapters/postgres/database.ts";
import { type Client, createClient } from "@regent/server/http/client.ts";
import { stringify } from "yaml";
import { ask } from "../dns/ask.ts";
import { ENTRIES } from "../entries.ts";
import { type DnsWatch, watchDns } from "./dns-watch.ts";
import { type Link, openTestLink } from "./link.ts";
import { createPostgresCluster, type PostgresCluster } from "./postgres-cluster.ts";
import { createTestAgents, type Reports, startReports, type TestAgent } from "./reports.ts";
import { openZoneJournal, type ZoneJournal } from "./zone-journal.ts";

export const ZONE = "example.test";
const OWNER = "fleet";
const DATABASE = "regent";
export const REGIONS = ["r1", "r2"] as const;
export type ServingRegion = (typeof REGIONS)[number];
const ADDRESSES: Readonly<Record<ServingRegion, string>> = { r1: "192.0.2.1", r2: "192.0.2.2" };
export const CREDENTIALS = { accessKeyId: "AKIAFLEETFLEETFLEET1", secretAccessKey: "fleet-secret-fleet-secret-fleet" };
const REPORT_EVERY_MS = 300;
const READY_MS_MAX = 30_000;
const POLL_MS = 25;
/** Characters of every replica's log that a failed wait shows. */
const LOG_SHOWN = 3_000;

/** No hold and no cool-down: what is tested is the writing, not the patience before it. */
const SETTINGS = {
  fall: 2,
  clear: 2,
  rise: 2,
  holdMinSeconds: 0,
  holdMaxSeconds: 0,
  reportSeconds: 1,
  recoverSeconds: 0.5,
  cooldownSeconds: 0,
  dampingSuppress: null,
};

/** Regions die one after the other here, as often as a test likes. */
const SAFETY = { receivedSeconds: 0, removedMax: 20 };

export interface Replica {
  readonly name: string;
  readonly pid: number;
  readonly url: string;
  readonly client: Client;
  /** To Postgres and to Route 53. */
  readonly database: Link;
  readonly route53: Link;
  readonly hasEnded: () => boolean;
  readonly ended: Promise<void>;
  /** SIGKILL. */
  readonly kill: () => Promise<void>;
  /** SIGTERM: it gives the lease back. */
  readonly stop: () => Promise<void>;
  readonly pause: () => void;
  readonly continue: () => void;
  /** What it logged so far, as text. */
  readonly log: () => Promise<string>;
}

export interface Lead {
  readonly pid: number;
  readonly term: number;
}

export interface Fleet {
  readonly folder: string;
  readonly services: readonly string[];
  readonly sandbox: Route53Sandbox;
  readonly reports: Reports;
  readonly journal: ZoneJournal;
  /** The auditor's own way to Postgres; it follows when the links are turned to another. */
  readonly database: Database;
  readonly cluster: () => PostgresCluster;
  /** From now on everybody's way to Postgres leads there. */
  readonly turnTo: (cluster: PostgresCluster) => void;
  readonly start: (name: string, env?: Readonly<Record<string, string>>) => Promise<Replica>;
  readonly replicas: () => readonly Replica[];
  /** Who holds a lease that has not expired, by Postgres. Null: nobody, or it can't be asked. */
  readonly lead: () => Promise<Lead | null>;
  /** The living replica that leads. Throws when nobody does within the time. */
  readonly leader: (withinMs?: number) => Promise<Replica>;
  /** What a released lease looks like: for tests that have no 15 s for every kill. */
  readonly expireLease: () => Promise<void>;
  /** By its own answer; asks any replica that answers. */
  readonly service: (id: string) => Promise<ServiceState>;
  readonly overview: () => Promise<Overview>;
  /** Region that DNS's weights name now, by the zone itself. */
  readonly activeIn: (service: string) => Promise<string | null>;
  /** The region in which a service is active fails for all agents, and the other one is well. Answers the other one. */
  readonly fail: (service: string) => Promise<ServingRegion>;
  /** Begins when every service is answered: before its first write a name is not there. */
  readonly watch: () => Promise<DnsWatch>;
  readonly until: <T>(what: string, look: () => Promise<T>, isRight: (seen: T) => boolean, withinMs: number) => Promise<T>;
  readonly close: () => Promise<void>;
}

export interface FleetOptions {
  readonly services: number;
}

export const startFleet = async ({ services: count }: FleetOptions): Promise<Fleet> => {
  const folder = await mkdtemp(join(tmpdir(), "fleet-"));
  const services = Array.from({ length: count }, (_, i) => `s${i}`);
  const undo: (() => unknown)[] = [() => rm(folder, { recursive: true, force: true })];
  const close = async (): Promise<void> => {
    for (const step of undo.splice(0).reverse()) await step();
  };
  try {
    const sandbox = await startRoute53Sandbox({
      dataDir: join(folder, "sandbox"),
      zones: [ZONE],
      credentials: [CREDENTIALS],
      propagation: { minMs: 0, maxMs: 20 },
    });
    undo.push(() => sandbox.close());
    const cluster = await startCluster(folder);
    const agents = await createTestAgents();
    await writeFile(join(folder, "regent.yaml"), toDeclaration(services, agents, sandbox.zoneIds[ZONE] ?? ""));
    const fleet = await createFleet({ folder, services, sandbox, cluster, agents, undo, close });
    return fleet;
  } catch (error) {
    await close();
    throw error;
  }
};

const startCluster = async (folder: string): Promise<PostgresCluster> => {
  const home = join(folder, "postgres");
  await mkdir(home);
  const cluster = await createPostgresCluster(home);
  await cluster.start();
  const owner = connect(cluster.url("postgres"));
  await owner.attempt(({ sql }) => sql.unsafe(`create database ${DATABASE}`));
  await owner.close();
  return cluster;
};

interface Made {
  readonly folder: string;
  readonly services: readonly string[];
  readonly sandbox: Route53Sandbox;
  readonly cluster: PostgresCluster;
  readonly agents: readonly TestAgent[];
  readonly undo: (() => unknown)[];
  readonly close: () => Promise<void>;
}

const createFleet = async ({ folder, services, sandbox, cluster: first, agents, undo, close }: Made): Promise<Fleet> => {
  let cluster = first;
  undo.push(() => cluster.stop());
  const route53Port = Number(new URL(sandbox.endpoint).port);
  const front = await openTestLink(cluster.port);
  undo.push(() => front.close());
  const database = connect(cluster.url(DATABASE, front.port), { applicationName: "auditor" });
  undo.push(() => database.close());
  const replicas = new Map<string, Replica>();
  const links = new Map<string, { readonly database: Link; readonly route53: Link }>();
  undo.push(async () => {
    for (const replica of replicas.values()) await replica.kill();
    for (const link of links.values()) for (const one of [link.database, link.route53]) one.close();
  });
  const masterKey = randomBytes(32).toString("base64");
  const alive = (): Replica[] => [...replicas.values()].filter(({ hasEnded }) => !hasEnded());

  const linksOf = async (name: string) => {
    const known = links.get(name);
    if (known) return known;
    const made = { database: await openTestLink(cluster.port), route53: await openTestLink(route53Port) };
    links.set(name, made);
    return made;
  };
  const start: Fleet["start"] = async (name, env = {}) => {
    if (replicas.get(name)?.hasEnded() === false) throw new Error(`${name} runs already`);
    const own = await linksOf(name);
    const home = join(folder, name);
    await mkdir(home, { recursive: true, mode: 0o700 });
    const replica = await startReplica(name, home, own, {
      REGENT_HOME: home,
      REGENT_CONFIG: join(folder, "regent.yaml"),
      REGENT_LISTEN: "127.0.0.1:0",
      REGENT_MASTER_KEY: masterKey,
      REGENT_NAME_SERVERS: `${ZONE}=${sandbox.nameServers.join(",")}`,
      REGENT_ROUTE53_RATE: "100/100",
      DATABASE_URL: cluster.url(DATABASE, own.database.port),
      AWS_ENDPOINT_URL_ROUTE_53: `http://127.0.0.1:${own.route53.port}`,
      AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
      AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
      AWS_REGION: "us-east-1",
      REGENT_STOP_WITH_STDIN: "1",
      LOG_LEVEL: "info",
      ...env,
    });
    replicas.set(name, replica);
    return replica;
  };
  const lead: Fleet["lead"] = async () => {
    const [row] = await database
      .urgent(
        (send) => send<{ holder: string; term: number }[]>`
          select holder, term from regent.lease where expires_at > regent.now_ms()`,
      )
      .catch(() => []);
    // The holder's name ends in its pid and some letters of chance.
    return row ? { pid: Number(row.holder.split("-").at(-2)), term: row.term } : null;
  };
  const tails = async (): Promise<string> => {
    const logs = [...replicas.values()].map(async (one) => {
      const state = one.hasEnded() ? "ended" : one.pid;
      return `--- ${one.name} (${state}) logged last:\n${(await one.log()).slice(-LOG_SHOWN)}`;
    });
    return (await Promise.all(logs)).join("\n");
  };
  /** Who waits in vain is told what all replicas said. */
  const untilTold: Fleet["until"] = (what, look, isRight, withinMs) =>
    until(what, look, isRight, withinMs).catch(async (error: Error) => {
      throw new Error(`${error.message}\nheld: ${JSON.stringify(await lead())}\n${await tails()}`);
    });
  const reports = startReports({
    owner: OWNER,
    agents,
    targets: services.flatMap((service) => REGIONS.map((region) => ({ service, region }))),
    everyMs: REPORT_EVERY_MS,
    urls: () => alive().map(({ url }) => url),
  });
  undo.push(() => reports.stop());
  const journal = openZoneJournal(join(folder, "sandbox", "route53.jsonl"), ZONE);

  const activeIn: Fleet["activeIn"] = async (service) => {
    const { weights = {} } = (await journal.read()).findLast((version) => version.service === service) ?? {};
    return Object.keys(weights).find((region) => (weights[region] ?? 0) > 0) ?? null;
  };
  return {
    folder,
    services,
    sandbox,
    reports,
    journal,
    database,
    cluster: () => cluster,
    turnTo: (next) => {
      cluster = next;
      for (const link of [front, ...[...links.values()].map((own) => own.database)]) link.turnTo(next.port);
    },
    start,
    replicas: alive,
    lead,
    leader: (withinMs = 30_000) =>
      untilTold(
        "somebody leads",
        async () => {
          const held = await lead();
          return alive().find(({ pid }) => pid === held?.pid) ?? null;
        },
        (replica) => replica !== null,
        withinMs,
      ).then((replica) => replica as Replica),
    expireLease: async () => {
      await database.urgent((send) => send`update regent.lease set expires_at = regent.now_ms() - 1`);
    },
    service: async (id) => {
      for (const { client } of alive()) {
        const answer = await client.service(id);
        if (answer.kind === "ok") return answer.value;
      }
      throw new Error(`nobody answered for ${id}`);
    },
    overview: async () => {
      for (const { client } of alive()) {
        const answer = await client.overview();
        if (answer.kind === "ok") return answer.value;
      }
      throw new Error("nobody answered");
    },
    activeIn,
    fail: async (service) => {
      const active = await activeIn(service);
      const [sick, well] = active === "r2" ? (["r2", "r1"] as const) : (["r1", "r2"] as const);
      reports.say(service, well, true);
      reports.say(service, sick, false);
      return well;
    },
    watch: async () => {
      const nameServer = sandbox.nameServers[0] ?? "";
      for (const service of services)
        await untilTold(
          `${service} is answered`,
          () => ask(nameServer, `${service}.${ZONE}`, "A"),
          (asked) => asked.kind === "answered" && asked.values.length > 0,
          10_000,
        );
      const watch = watchDns({
        nameServer,
        zone: ZONE,
        owner: OWNER,
        services,
        regions: REGIONS,
        addresses: Object.values(ADDRESSES),
        journal,
      });
      undo.push(() => watch.stop());
      return watch;
    },
    until: untilTold,
    close,
  };
};

const startReplica = async (
  name: string,
  home: string,
  links: { readonly database: Link; readonly route53: Link },
  env: Readonly<Record<string, string>>,
): Promise<Replica> => {
  const logFile = join(home, "server.log");
  const log = await open(logFile, "a");
  const child = spawn(process.execPath, [ENTRIES.server], {
    env: { PATH: process.env.PATH, ...env },
    stdio: ["pipe", "pipe", log.fd],
  });
  await log.close();
  child.stdin?.on("error", () => undefined);
  const ended = once(child, "exit").then(() => undefined);
  const hasEnded = (): boolean => child.exitCode !== null || child.signalCode !== null;
  const readLog = (): Promise<string> => readFile(logFile, "utf8");
  const url = await readyUrl(child, name).catch(async (error: Error) => {
    child.kill("SIGKILL");
    throw new Error(`${error.message}; it logged last: ${(await readLog()).slice(-1_500)}`);
  });
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (hasEnded()) return;
    child.kill(signal);
    await ended;
  };
  return {
    name,
    pid: child.pid ?? 0,
    url,
    client: createClient({ url, token: (await readFile(join(home, "admin.token"), "utf8")).trim() }),
    ...links,
    hasEnded,
    ended,
    kill: () => end("SIGKILL"),
    stop: () => end("SIGTERM"),
    pause: () => void child.kill("SIGSTOP"),
    continue: () => void child.kill("SIGCONT"),
    log: readLog,
  };
};

const readyUrl = (child: ChildProcess, name: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`${name} was not ready in ${READY_MS_MAX / 1000} s`)), READY_MS_MAX);
    child.once("exit", (code, signal) => reject(new Error(`${name} ended with ${code ?? signal} before it was ready`)));
    if (!child.stdout) throw new Error("no output to read");
    createInterface({ input: child.stdout }).once("line", (line) => {
      clearTimeout(timer);
      resolve(String((JSON.parse(line) as { readonly url: unknown }).url));
    });
  });

const until: Fleet["until"] = async (what, look, isRight, withinMs) => {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const seen = await look().catch((error: unknown) => error as Error);
    if (!(seen instanceof Error) && isRight(seen)) return seen;
    if (performance.now() > deadline)
      throw new Error(
        `Not within ${withinMs} ms: ${what}. Last seen: ${seen instanceof Error ? seen.message : JSON.stringify(seen)?.slice(0, 2_000)}`,
      );
    await sleep(POLL_MS);
  }
};

const toDeclaration = (services: readonly string[], agents: readonly TestAgent[], zoneId: string): string =>
  stringify({
    regent: 1,
    owner: OWNER,
    profile: "sandbox",
    safety: SAFETY,
    zones: [{ id: zoneId, name: ZONE }],
    regions: [...REGIONS, ...agents.map(({ region }) => region)].map((id) => ({ id })),
    agents: agents.map(({ id, region, network, key }) => ({ id, region, network, publicKeys: [key.publicKey] })),
    services: services.map((id) => ({
      id,
      name: `${id}.${ZONE}`,
      zone: ZONE,
      settings: SETTINGS,
      strategy: { kind: "active-passive" },
      endpoints: REGIONS.map((region, i) => ({
        region,
        A: [ADDRESSES[region]],
        // Nobody dials it: what agents see here is what the test says.
        probe: { address: `127.0.0.1:${9_001 + i}` },
      })),
      checks: [{ id: "web", kind: "http", path: "/" }],
    })),
  });
