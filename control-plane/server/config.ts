/** The environment, read once, all problems told together, frozen. Nothing else in this package reads process.env. */

import { isIP } from "node:net";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import * as z from "zod";
import { CRASH_POINTS, type CrashOrder, type CrashPoint } from "./crash-points.ts";

const flag = z
  .enum(["0", "1", "true", "false"])
  .default("0")
  .transform((value) => value === "1" || value === "true");

const isHostPort = (text: string): boolean =>
  /^(\[[0-9a-fA-F:]+\]|[^\s:]+):\d{1,5}$/.test(text) && splitAddress(text).port <= 65_535;

const isAddressPort = (text: string): boolean => {
  const { host, port } = splitAddress(text);
  return isHostPort(text) && isIP(host) !== 0 && port > 0;
};

/** A list of `ip:port`, as text; every wrong part is named. */
const Addresses = z.string().superRefine((text, context) => {
  for (const part of list(text))
    if (!isAddressPort(part)) context.addIssue({ code: "custom", message: `"${part}" is not an "ip:port"` });
});

/** A list of `host:port`, as text. */
const HostPorts = z.string().superRefine((text, context) => {
  for (const part of list(text))
    if (!isHostPort(part) || splitAddress(part).port === 0)
      context.addIssue({ code: "custom", message: `"${part}" is not a "host:port"` });
});

const NameServers = z.string().superRefine((text, context) => {
  for (const [zone, servers] of zonesOf(text)) {
    if (zone === "" || list(servers).length === 0)
      context.addIssue({ code: "custom", message: `"${zone === "" ? servers : zone}" is not "zone=ip:port,ip:port"` });
    else
      for (const part of list(servers))
        if (!isAddressPort(part)) context.addIssue({ code: "custom", message: `"${part}" of zone ${zone} is not an "ip:port"` });
  }
});

/** `failures/successes/open ms` of a breaker. `openMsMax`: longer would keep what waits for it from acting. */
const breaker = (openMsMax: number) =>
  z
    .string()
    .regex(/^\d{1,3}\/\d{1,3}\/\d{1,6}$/, 'failures, successes and open milliseconds, such as "3/2/1000"')
    .transform((text) => {
      const [failures = 0, successes = 0, openMs = 0] = text.split("/").map(Number);
      return { failures, successes, openMs };
    })
    .refine(
      ({ failures, successes, openMs }) =>
        failures >= 1 && failures <= 100 && successes >= 1 && successes <= 10 && openMs >= 50 && openMs <= openMsMax,
      `1 to 100 failures, 1 to 10 successes, 50 to ${openMsMax} ms`,
    )
    .optional();

/** A failover waits for the change and the reads before it, and reports for the database: so long at most after it is back. */
const URGENT_OPEN_MS_MAX = 5_000;
/** S3.1's upper end: what only watches may be left in peace for two minutes. */
const OPEN_MS_MAX = 120_000;

const pool = z
  .string()
  .regex(/^\d{1,3}\/\d{1,3}$/, 'least and most connections, such as "2/10"')
  .transform((text) => {
    const [min = 0, max = 0] = text.split("/").map(Number);
    return { min, max };
  })
  .refine(({ min, max }) => min >= 1 && min <= max && max <= 200, "at least 1, the first not above the second, 200 at most")
  .optional();

/** Of its 60 connections some are kept for its owner, for decisions, notifications and migrations. */
const EMBEDDED_POOL_MAX = 48;

const milliseconds = (least: number, most: number) =>
  z
    .string()
    .regex(/^\d{1,7}$/, "whole milliseconds")
    .transform(Number)
    .refine((ms) => ms >= least && ms <= most, `${least} to ${most} ms`)
    .optional();

const Environment = z.object({
  REGENT_HOME: z.string().min(1).optional(),
  REGENT_CONFIG: z.string().min(1).optional(),
  REGENT_LISTEN: z.string().refine(isHostPort, 'an address such as "127.0.0.1:7420"').default("127.0.0.1:7420"),
  REGENT_ALLOWED_HOSTS: z.string().default(""),
  REGENT_BEHIND_PROXY: flag,
  DATABASE_URL: z.url({ protocol: /^postgres(ql)?$/ }).optional(),
  REGENT_NAME_SERVERS: NameServers.default(""),
  REGENT_RESOLVERS: Addresses.default(""),
  REGENT_CANARIES: HostPorts.default(""),
  REGENT_ROUTE53_RATE: z
    .string()
    .regex(/^(?!0+(\.0+)?\/)\d{1,6}(\.\d{1,6})?\/0*[1-9]\d{0,5}$/, 'calls a second and burst, both above 0, such as "5/10"')
    .default("5/10"),
  REGENT_BREAKER_ROUTE53_CHANGE: breaker(URGENT_OPEN_MS_MAX),
  REGENT_BREAKER_ROUTE53_READ: breaker(URGENT_OPEN_MS_MAX),
  REGENT_BREAKER_ROUTE53_POLL: breaker(OPEN_MS_MAX),
  REGENT_BREAKER_POSTGRES: breaker(URGENT_OPEN_MS_MAX),
  REGENT_BREAKER_RESOLVER: breaker(OPEN_MS_MAX),
  REGENT_DATABASE_POOL: pool,
  REGENT_DATABASE_CHECK_MS: milliseconds(100, 600_000),
  REGENT_DATABASE_SLOW_MS: milliseconds(1, 60_000),
  // A unit of work is given up after 15 s: then there is nothing left to tell.
  REGENT_DATABASE_HELD_MS: milliseconds(10, 14_000),
  REGENT_MASTER_KEY: z
    .string()
    .regex(/^[A-Za-z0-9+/]{43}=$/, "32 bytes in base64")
    .optional(),
  // Receivers on this machine: for laptops and tests.
  REGENT_NOTIFY_LOOPBACK: flag,
  REGENT_STATIC_DIR: z.string().optional(),
  REGENT_STOP_WITH_STDIN: flag,
  REGENT_MIGRATIONS_DIR: z.string().optional(),
  REGENT_CRASH_AT: z
    .string()
    .regex(
      new RegExp(`^(${CRASH_POINTS.join("|")})(:[1-9]\\d{0,3})?(:pause)?$`),
      `one of ${CRASH_POINTS.join(", ")}, then perhaps ":" and which time, then perhaps ":pause"`,
    )
    .optional(),
  AWS_ENDPOINT_URL_ROUTE_53: z.url().optional(),
  LOG_LEVEL: z.enum(["trace", "debug", "info", "warn", "error", "fatal", "silent"]).default("info"),
});

export interface BreakerSetting {
  readonly failures: number;
  readonly successes: number;
  readonly openMs: number;
}

/** What is undefined has the default of who uses it. */
export interface Config {
  readonly home: string;
  readonly configFile: string | null;
  readonly host: string;
  readonly port: number;
  readonly allowedHosts: readonly string[];
  readonly isBehindProxy: boolean;
  readonly databaseUrl: string | null;
  readonly nameServers: Readonly<Record<string, readonly string[]>>;
  readonly resolvers: readonly string[];
  readonly canaries: readonly string[];
  readonly route53: { readonly ratePerSecond: number; readonly burst: number; readonly endpoint: string | null };
  readonly breakers: Readonly<Record<"change" | "read" | "poll" | "postgres" | "resolver", BreakerSetting | undefined>>;
  readonly database: {
    readonly pool: { readonly min: number; readonly max: number } | undefined;
    readonly checkMs: number | undefined;
    readonly slowMs: number | undefined;
    readonly heldMs: number | undefined;
  };
  readonly masterKey: string | null;
  /** Of notifiers: what begins with REGENT_SECRET_. Never logged. */
  readonly secrets: Readonly<Record<string, string>>;
  readonly allowsNotifyLoopback: boolean;
  readonly staticDir: string | null;
  readonly migrationsDir: string | null;
  readonly stopsWithStdin: boolean;
  /** For tests: this process ends or stops itself there. */
  readonly crashAt: CrashOrder | null;
  readonly logLevel: string;
}

export class ConfigError extends Error {
  override readonly name = "ConfigError";
}

/** Throws ConfigError with every problem, one a line. */
export const loadConfig = (env: Readonly<Record<string, string | undefined>>): Config => {
  const parsed = Environment.safeParse(Object.fromEntries(Object.entries(env).filter(([, value]) => value !== "")));
  const problems = problemsOf(env, parsed.error?.issues ?? []);
  if (!parsed.success || problems.length > 0) throw new ConfigError(problems.join("\n"));
  const e = parsed.data;
  const { host, port } = splitAddress(e.REGENT_LISTEN);
  const [rate, burst] = e.REGENT_ROUTE53_RATE.split("/").map(Number);
  return Object.freeze({
    home: resolve(e.REGENT_HOME ?? join(homedir(), ".regent")),
    configFile: e.REGENT_CONFIG ?? null,
    host,
    port,
    allowedHosts: list(e.REGENT_ALLOWED_HOSTS),
    isBehindProxy: e.REGENT_BEHIND_PROXY,
    databaseUrl: e.DATABASE_URL ?? null,
    nameServers: toServers(e.REGENT_NAME_SERVERS),
    resolvers: list(e.REGENT_RESOLVERS),
    canaries: list(e.REGENT_CANARIES),
    route53: { ratePerSecond: rate ?? 5, burst: burst ?? 10, endpoint: e.AWS_ENDPOINT_URL_ROUTE_53 ?? null },
    breakers: {
      change: e.REGENT_BREAKER_ROUTE53_CHANGE,
      read: e.REGENT_BREAKER_ROUTE53_READ,
      poll: e.REGENT_BREAKER_ROUTE53_POLL,
      postgres: e.REGENT_BREAKER_POSTGRES,
      resolver: e.REGENT_BREAKER_RESOLVER,
    },
    database: {
      pool: e.REGENT_DATABASE_POOL,
      checkMs: e.REGENT_DATABASE_CHECK_MS,
      slowMs: e.REGENT_DATABASE_SLOW_MS,
      heldMs: e.REGENT_DATABASE_HELD_MS,
    },
    masterKey: e.REGENT_MASTER_KEY ?? null,
    secrets: secretsOf(env),
    allowsNotifyLoopback: e.REGENT_NOTIFY_LOOPBACK,
    staticDir: e.REGENT_STATIC_DIR ?? null,
    migrationsDir: e.REGENT_MIGRATIONS_DIR ?? null,
    stopsWithStdin: e.REGENT_STOP_WITH_STDIN,
    crashAt: e.REGENT_CRASH_AT === undefined ? null : toCrashOrder(e.REGENT_CRASH_AT),
    logLevel: e.LOG_LEVEL,
  });
};

const problemsOf = (env: Readonly<Record<string, string | undefined>>, issues: readonly z.core.$ZodIssue[]): string[] => {
  const { host } = splitAddress(env.REGENT_LISTEN || "127.0.0.1:7420");
  const isOpen =
    isHostPort(env.REGENT_LISTEN || "127.0.0.1:7420") &&
    !isLoopback(host) &&
    !flag.safeParse(env.REGENT_BEHIND_PROXY || "0").data;
  const asked = pool.safeParse(env.REGENT_DATABASE_POOL || undefined).data?.max ?? 0;
  const isTooMany = !env.DATABASE_URL && asked > EMBEDDED_POOL_MAX;
  return [
    ...(isTooMany
      ? [`REGENT_DATABASE_POOL: the embedded Postgres has room for ${EMBEDDED_POOL_MAX}; set DATABASE_URL for more`]
      : []),
    ...issues.map(({ path, message }) => `${path.join(".")}: ${message}`),
    ...(isOpen
      ? [
          `REGENT_LISTEN: ${host} is reachable from elsewhere, and this server speaks plain HTTP. Put a TLS proxy in front and set REGENT_BEHIND_PROXY=1, or listen on 127.0.0.1.`,
        ]
      : []),
  ];
};

const secretsOf = (env: Readonly<Record<string, string | undefined>>): Readonly<Record<string, string>> =>
  Object.freeze(
    Object.fromEntries(
      Object.entries(env).flatMap(([name, value]) => (name.startsWith("REGENT_SECRET_") && value ? [[name, value]] : [])),
    ),
  );

const list = (text: string): string[] =>
  text
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "");

/** `zone=ip:port,ip:port;zone=…` */
const toServers = (text: string): Record<string, readonly string[]> =>
  Object.fromEntries(zonesOf(text).map(([zone, servers]) => [zone.toLowerCase().replace(/\.$/, ""), list(servers)]));

const zonesOf = (text: string): (readonly [string, string])[] =>
  text
    .split(";")
    .map((part) => part.trim())
    .filter((part) => part !== "")
    .map((part) => {
      const at = part.indexOf("=");
      return at < 0 ? ["", part] : [part.slice(0, at).trim(), part.slice(at + 1)];
    });

/** `<point>`, `<point>:<n-th time>`, `<point>:pause` or all three; checked by the schema. */
const toCrashOrder = (text: string): CrashOrder => {
  const [point, ...more] = text.split(":");
  return {
    point: point as CrashPoint,
    nth: Number(more.find((part) => part !== "pause") ?? 1),
    how: more.includes("pause") ? "pause" : "kill",
  };
};

const splitAddress = (address: string): { host: string; port: number } => {
  const at = address.lastIndexOf(":");
  return { host: address.slice(0, at).replace(/^\[|\]$/g, ""), port: Number(address.slice(at + 1)) };
};

/** A name such as `127.example.com` is anybody's; only the address itself stays in this machine. */
const isLoopback = (host: string): boolean =>
  host === "localhost" || host === "::1" || (isIP(host) === 4 && host.startsWith("127."));
