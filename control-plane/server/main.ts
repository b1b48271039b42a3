/**
 * The server process: builds every adapter once, starts in order, stops in order. The one file of this package that knows which technology
 * stands behind which port.
 */
import { readFile, rename, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { type Logger, pino } from "pino";
import { monotonicFactory } from "ulid";
import { ensureAdminToken } from "./access/first-token.ts";
import { createLanes } from "./access/lanes.ts";
import { type Pressure, toPressure } from "./access/pressure.ts";
import { startEmbeddedPostgres } from "./adapters/embedded-postgres/embedded-postgres.ts";
import { createGuards, type GuardChange } from "./adapters/guard/guards.ts";
import { createHookCaller } from "./adapters/hook/hook-caller.ts";
import { ensureHome, openSigningKey, readMasterKey } from "./adapters/keys/signing-key.ts";
import { createMessenger } from "./adapters/notify/messenger.ts";
import { createReadSecret } from "./adapters/notify/secrets.ts";
import { createPostgresAccessStore } from "./adapters/postgres/access-store.ts";
import { createPostgresAlertStore } from "./adapters/postgres/alert-store.ts";
import { createDatabaseClock } from "./adapters/postgres/clock.ts";
import { createPostgresConfigurationStore } from "./adapters/postgres/configuration-store.ts";
import { connect, DATABASE_GUARD, waitForDatabase } from "./adapters/postgres/database.ts";
import { createDatabaseHealth } from "./adapters/postgres/database-health.ts";
import { createPostgresDeadLetters } from "./adapters/postgres/dead-letters.ts";
import { createPostgresDecisionStore } from "./adapters/postgres/decision-store.ts";
import { createPostgresEvacuations } from "./adapters/postgres/evacuations.ts";
import { createPostgresEvidenceStore } from "./adapters/postgres/evidence-store.ts";
import { createPostgresLease } from "./adapters/postgres/lease.ts";
import { DATABASE_BREAKER, LOOK_EVERY_MS } from "./adapters/postgres/limits.ts";
import { createListener } from "./adapters/postgres/listener.ts";
import { createPostgresMaintenanceStore } from "./adapters/postgres/maintenance-store.ts";
import { migrate } from "./adapters/postgres/migrate.ts";
import { createPostgresPages } from "./adapters/postgres/pages.ts";
import { createPoolMonitor } from "./adapters/postgres/pool-monitor.ts";
import { createPostgresRecordings } from "./adapters/postgres/recordings.ts";
import { createPostgresRoleReader } from "./adapters/postgres/role-reader.ts";
import { createGuardedResolver } from "./adapters/resolver/guarded-resolver.ts";
import { createUdpResolver } from "./adapters/resolver/udp-resolver.ts";
import { createApiBudget } from "./adapters/route53/budget.ts";
import { createRoute53Provider } from "./adapters/route53/dns-provider.ts";
import { watchEventLoopLag } from "./adapters/system/event-loop-lag.ts";
import { createOutside } from "./adapters/system/outside.ts";
import { type Config, ConfigError, loadConfig } from "./config.ts";
import { toDifference } from "./configuration/difference.ts";
import { parseDeclaration, toErrorLines } from "./configuration/parse-declaration.ts";
import { withCrashPoint } from "./crash-points.ts";
import { createApp } from "./http/create-app.ts";
import { exportLanes } from "./http/lane-metrics.ts";
import { startListener } from "./http/listener.ts";
import { CANARY_TIMEOUT_MS } from "./limits.ts";
import { createControlPlane, type RunningControlPlane } from "./loop/control-plane.ts";
import { createMetrics } from "./loop/metrics.ts";
import { createOutsideMetrics } from "./loop/outside-metrics.ts";
import type { ConfigurationStore } from "./ports/configuration-store.ts";
import type { Lease } from "./ports/lease.ts";
import { createEnding, createShutdown, type Shutdown, SUPERVISOR_GONE } from "./shutdown.ts";

export interface RunningServer {
  readonly url: string;
  readonly configurationKey: string;
  readonly controlPlane: RunningControlPlane;
  readonly stop: () => Promise<void>;
}

/** Requests and event streams get this long to end by themselves, ms. */
const DRAIN_MS = 2_000;

export const startServer = async (config: Config, log: Logger): Promise<RunningServer> => {
  await ensureHome(config.home);
  const shutdown = createShutdown({ log });
  try {
    return await startParts(config, log, shutdown);
  } catch (error) {
    await shutdown.run();
    throw error;
  }
};

const startParts = async (config: Config, log: Logger, shutdown: Shutdown): Promise<RunningServer> => {
  const masterKey = await readMasterKey(config.home, config.masterKey);
  const databaseUrl = config.databaseUrl ?? (await startDatabase(config, log, shutdown));
  const outside = createOutsideMetrics();
  const guards = createGuards({
    onChange: (change) => {
      outside.guardChanged(change);
      tellGuard(log, change);
    },
  });
  const { pool, heldMs, checkMs, slowMs } = config.database;
  const database = connect(databaseUrl, {
    applicationName: "regent-server",
    guard: guards.get({ ...DATABASE_GUARD, breaker: config.breakers.postgres ?? DATABASE_BREAKER }),
    onNotice: (notice) => tellNotice(log, notice),
    onHeld: (held) => log.warn(held, "a unit of work holds its connection for too long"),
    onDone: outside.databaseDone,
    ...(pool === undefined ? {} : { connections: pool }),
    ...(heldMs === undefined ? {} : { heldMs }),
  });
  shutdown.add("database", () => database.close());
  await waitForDatabase(database, (err) => log.warn({ err }, "the database isn't there yet; trying again"));
  const monitor = createPoolMonitor({
    database,
    everyMs: checkMs ?? LOOK_EVERY_MS,
    ...(slowMs === undefined ? {} : { thresholds: { slowMs } }),
    onChange: (change) => log[change.state === "healthy" ? "info" : "warn"](change, "the database's pool changed its state"),
  });
  monitor.start();
  shutdown.add("database", () => monitor.stop());
  const migrations = await migrate(database, config.migrationsDir === null ? {} : { folder: config.migrationsDir });
  if (migrations.length > 0) log.info({ migrations }, "database migrated");
  const clock = createDatabaseClock(database);
  await clock.start();
  shutdown.add("database", () => clock.stop());
  const ids = { ulid: monotonicFactory() };
  const listener = createListener(database);
  shutdown.add("database", () => listener.close());
  const configurations = createPostgresConfigurationStore({ database, listener, ids });
  const access = createPostgresAccessStore({ database });
  const signer = await openSigningKey(configurations, masterKey);
  await applyFirstConfiguration(config, configurations, log);
  await ensureAdminToken({ home: config.home, access, clock });

  const ownLease = createPostgresLease({ database });
  if (config.databaseUrl === null) await releasePredecessor(ownLease, log);

  const { route53 } = config;
  const budget = createApiBudget({ monotonic: clock.monotonic, ratePerSecond: route53.ratePerSecond, burst: route53.burst });
  const route53Provider = createRoute53Provider({
    budget,
    guards,
    breakers: config.breakers,
    logger: log.child({ area: "route53" }),
    ...(route53.endpoint === null ? {} : { endpoint: route53.endpoint }),
  });
  shutdown.add("outside", () => route53Provider.close());
  const ports = { decisions: createPostgresDecisionStore({ database }), lease: ownLease, provider: route53Provider };
  const { decisions, lease, provider } = config.crashAt === null ? ports : withCrashPoint(ports, config.crashAt);
  /** For whatever is asked of addresses that a declaration names. */
  const outward = {
    guards,
    readSecret: createReadSecret({ env: config.secrets, folder: join(config.home, "secrets") }),
    allowLoopback: config.allowsNotifyLoopback,
  };
  let controlPlane: RunningControlPlane | null = null;
  const metrics = createMetrics(() => controlPlane?.readiness().isLeader ?? false);
  outside.register(metrics.registry, { guards: () => guards.views(clock.now()), pool: () => monitor.view(clock.now()) });
  controlPlane = createControlPlane({
    holder: `${hostname()}-${process.pid}-${ids.ulid().slice(-6)}`,
    clock,
    ids,
    log,
    metrics,
    evidence: createPostgresEvidenceStore({ database, listener }),
    decisions,
    deadLetters: createPostgresDeadLetters({ database }),
    pages: createPostgresPages({ database }),
    recordings: createPostgresRecordings({ database }),
    alerts: createPostgresAlertStore({ database }),
    maintenance: createPostgresMaintenanceStore({ database }),
    evacuations: createPostgresEvacuations({ database }),
    messenger: createMessenger(outward),
    hooks: createHookCaller(outward),
    roles: createPostgresRoleReader({ database }),
    configurations,
    lease,
    provider,
    resolver: createGuardedResolver(createUdpResolver(), guards, config.breakers.resolver),
    signer,
    nameServers: config.nameServers,
    resolvers: config.resolvers,
    databaseHealth: createDatabaseHealth({ database, pool: monitor.view, now: clock.now }),
    outside: createOutside({
      canaries: config.canaries,
      guards: () => guards.views(clock.now()),
      endpoint: route53.endpoint,
      timeoutMs: CANARY_TIMEOUT_MS,
    }),
  });
  await controlPlane.start();
  const running = controlPlane;
  shutdown.add("not-ready", running.retire);
  shutdown.add("leading", running.stop);
  let pressure: Pressure = "none";
  shutdown.add(
    "door",
    watchEventLoopLag((lagMs) => {
      pressure = toPressure(pressure, lagMs);
    }),
  );
  const onWaited = exportLanes(metrics.registry, () => lanes);
  const lanes = createLanes({ monotonic: clock.monotonic, pressure: () => pressure, onWaited });
  const app = createApp({
    controlPlane,
    lanes,
    access,
    clock,
    log,
    listen: { hostNames: config.allowedHosts, isBehindProxy: config.isBehindProxy },
    cookieSecure: config.isBehindProxy,
    breakers: () => guards.views(clock.now()),
    ...(config.staticDir === null ? {} : { staticDir: config.staticDir }),
  });
  const door = await startListener({ app, host: config.host, port: config.port });
  shutdown.add("door", door.refuse);
  shutdown.add("requests", () => door.close(DRAIN_MS));
  await publish(join(config.home, "server.json"), { url: door.url, pid: process.pid });
  return { url: door.url, configurationKey: signer.publicKey, controlPlane, stop: shutdown.run };
};

/** "Already exists, skipping": what is made only where it is missing says so at every start. */
const EXISTS_ALREADY: readonly string[] = ["42P06", "42P07"];

/** An open breaker is news for a person; that it is tried again isn't. */
const tellGuard = (log: Logger, change: GuardChange): void =>
  log[change.state === "open" && change.before === "closed" ? "warn" : change.state === "closed" ? "info" : "debug"](
    change,
    `the breaker is ${change.state}`,
  );

const tellNotice = (log: Logger, notice: { readonly code: string; readonly message: string }): void =>
  EXISTS_ALREADY.includes(notice.code) ? log.debug(notice, "database notice") : log.warn(notice, "database notice");

const startDatabase = async (config: Config, log: Logger, shutdown: Shutdown): Promise<string> => {
  const embedded = await startEmbeddedPostgres({
    dataDir: join(config.home, "postgres"),
    log: (line) => log.debug({ area: "postgres" }, line),
    onCrash: () => {
      // The supervisor starts both again; without its database this process can only wait.
      log.fatal("the embedded Postgres ended by itself; stopping");
      process.exitCode = 1;
      process.kill(process.pid, "SIGTERM");
    },
  });
  log.info({ pid: embedded.pid, takenOver: embedded.isTakenOver }, "embedded Postgres runs");
  shutdown.add("database-server", () => embedded.stop());
  return embedded.url;
};

/** The embedded database serves one server at a time: whoever held the lease before is dead, and needs no time to notice. */
const releasePredecessor = async (lease: Lease, log: Logger): Promise<void> => {
  const held = await lease.read();
  if (!held) return;
  await lease.release(held.holder, held.term);
  log.info({ holder: held.holder, term: held.term }, "released the lease of the server before");
};

/** The file is read at first start only; afterwards `plan` and `apply` change what is in force. */
const applyFirstConfiguration = async (config: Config, configurations: ConfigurationStore, log: Logger): Promise<void> => {
  if (config.configFile === null || (await configurations.read()) !== null) return;
  const text = await readFile(config.configFile, "utf8");
  const parsed = parseDeclaration(text, config.configFile);
  if (parsed.kind === "invalid") throw new ConfigError(toErrorLines(parsed).join("\n"));
  for (const warning of parsed.warnings) log.warn({ file: config.configFile }, warning);
  await configurations.apply({
    baseVersion: 0,
    declaration: parsed.declaration,
    text,
    author: "first start",
    lines: toDifference(null, parsed.declaration),
  });
};

/** Readers never see half a file. */
const publish = async (file: string, value: unknown): Promise<void> => {
  await writeFile(`${file}.new`, `${JSON.stringify(value)}\n`, { mode: 0o600 });
  await rename(`${file}.new`, file);
};

/** Runs as a process: environment in, one ready line out, ordered stop on a signal or when the supervisor's pipe closes. */
export const runServer = async (env: Readonly<Record<string, string | undefined>>): Promise<void> => {
  const config = readConfig(env);
  const log = pino(
    { level: config.logLevel, base: { part: "server" }, redact: ["authorization", "cookie", "*.password"] },
    pino.destination(2),
  );
  const startedServer = startServer(config, log);
  const shutDown = createEnding({
    log,
    stop: async () => (await startedServer).stop(),
    exit: (code) => process.exit(code),
    exitCode: () => Number(process.exitCode ?? 0),
  });
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => shutDown(signal));
  if (config.stopsWithStdin) process.stdin.on("close", () => shutDown(SUPERVISOR_GONE)).resume();
  const server = await startedServer.catch((error: unknown) => {
    log.fatal({ err: error }, "the server could not start");
    if (error instanceof Error) process.stderr.write(`${error.message}\n`);
    process.exit(1);
  });
  process.stdout.write(
    `${JSON.stringify({ ready: true, url: server.url, configurationKey: server.configurationKey, pid: process.pid })}\n`,
  );
};

const readConfig = (env: Readonly<Record<string, string | undefined>>): Config => {
  try {
    return loadConfig(env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`The environment has errors:\n${error.message}\n`);
    process.exit(2);
  }
};

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) await runServer(process.env);
