/** The environment, read once, all problems told together, frozen. Nothing else in this package reads process.env. */

import { isIP } from "node:net";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import * as z from "zod";

const HostPort = z.string().regex(/^(\[[0-9a-fA-F:]+\]|[^\s:]+):\d{1,5}$/, 'an address such as "127.0.0.1:7420"');
const flag = z
  .enum(["0", "1", "true", "false"])
  .default("0")
  .transform((value) => value === "1" || value === "true");

const Environment = z.object({
  REGENT_HOME: z.string().min(1).optional(),
  REGENT_CONFIG: z.string().min(1).optional(),
  REGENT_LISTEN: HostPort.default("127.0.0.1:7420"),
  REGENT_ALLOWED_HOSTS: z.string().default(""),
  REGENT_BEHIND_PROXY: flag,
  DATABASE_URL: z.url({ protocol: /^postgres(ql)?$/ }).optional(),
  REGENT_NAME_SERVERS: z.string().default(""),
  REGENT_RESOLVERS: z.string().default(""),
  REGENT_ROUTE53_RATE: z
    .string()
    .regex(/^\d+(\.\d+)?\/\d+$/, 'calls a second and burst, such as "5/10"')
    .default("5/10"),
  REGENT_MASTER_KEY: z
    .string()
    .regex(/^[A-Za-z0-9+/]{43}=$/, "32 bytes in base64")
    .optional(),
  REGENT_STATIC_DIR: z.string().optional(),
  REGENT_STOP_WITH_STDIN: flag,
  REGENT_MIGRATIONS_DIR: z.string().optional(),
  AWS_ENDPOINT_URL_ROUTE_53: z.url().optional(),
  LOG_LEVEL: z.enum(["trace", "debug", "info", "warn", "error", "fatal", "silent"]).default("info"),
});

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
  readonly route53: { readonly ratePerSecond: number; readonly burst: number; readonly endpoint: string | null };
  readonly masterKey: string | null;
  readonly staticDir: string | null;
  readonly migrationsDir: string | null;
  readonly stopsWithStdin: boolean;
  readonly logLevel: string;
}

export class ConfigError extends Error {
  override readonly name = "ConfigError";
}

/** Throws ConfigError with every problem, one a line. */
export const loadConfig = (env: Readonly<Record<string, string | undefined>>): Config => {
  const parsed = Environment.safeParse(Object.fromEntries(Object.entries(env).filter(([, value]) => value !== "")));
  if (!parsed.success)
    throw new ConfigError(parsed.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`).join("\n"));
  const e = parsed.data;
  const { host, port } = splitAddress(e.REGENT_LISTEN);
  if (!isLoopback(host) && !e.REGENT_BEHIND_PROXY)
    throw new ConfigError(
      `REGENT_LISTEN: ${host} is reachable from elsewhere, and this server speaks plain HTTP. Put a TLS proxy in front and set REGENT_BEHIND_PROXY=1, or listen on 127.0.0.1.`,
    );
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
    resolvers: addresses("REGENT_RESOLVERS", e.REGENT_RESOLVERS),
    route53: { ratePerSecond: rate ?? 5, burst: burst ?? 10, endpoint: e.AWS_ENDPOINT_URL_ROUTE_53 ?? null },
    masterKey: e.REGENT_MASTER_KEY ?? null,
    staticDir: e.REGENT_STATIC_DIR ?? null,
    migrationsDir: e.REGENT_MIGRATIONS_DIR ?? null,
    stopsWithStdin: e.REGENT_STOP_WITH_STDIN,
    logLevel: e.LOG_LEVEL,
  });
};

const list = (text: string): string[] =>
  text
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "");

const addresses = (what: string, text: string): string[] => {
  const parts = list(text);
  const wrong = parts.find((part) => !HostPort.safeParse(part).success || isIP(splitAddress(part).host) === 0);
  if (wrong !== undefined) throw new ConfigError(`${what}: "${wrong}" is not an "ip:port"`);
  return parts;
};

/** `zone=ip:port,ip:port;zone=…` */
const toServers = (text: string): Record<string, readonly string[]> =>
  Object.fromEntries(
    text
      .split(";")
      .filter((part) => part.trim() !== "")
      .map((part) => {
        const [zone = "", servers = ""] = part.split("=");
        return [zone.trim(), addresses("REGENT_NAME_SERVERS", servers)];
      }),
  );

const splitAddress = (address: string): { host: string; port: number } => {
  const at = address.lastIndexOf(":");
  return { host: address.slice(0, at).replace(/^\[|\]$/g, ""), port: Number(address.slice(at + 1)) };
};

const isLoopback = (host: string): boolean => host === "localhost" || host === "::1" || /^127\./.test(host);
