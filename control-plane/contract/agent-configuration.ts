/** What an agent is told to probe. Signed by the control plane; an agent refuses an unsigned or a lower version. */
import * as z from "zod";
import { Address, AgentId, Instant, NetworkId, RegionId, TargetId } from "./ids.ts";

const Milliseconds = z.int().min(10).max(3_600_000);

export const Slow = z.enum(["degrade", "fail"]);

const latency = {
  /** Above this the score falls, ms. */
  latencyWarnMs: z.int().min(1).max(600_000).optional(),
  /** p90 over 60 s above this is `degraded` with reason `latency`, or `fail` with `onSlow: fail`, ms. */
  latencyCritMs: z.int().min(1).max(600_000).optional(),
  onSlow: Slow.default("degrade"),
};

export const HttpProbe = z.strictObject({
  kind: z.literal("http"),
  address: Address,
  tls: z.boolean().default(false),
  /** Host header and server name; the address when absent. */
  host: z.string().max(253).optional(),
  path: z
    .string()
    .regex(/^\/[\x21-\x7e]{0,1000}$/, "a path that starts with /")
    .default("/"),
  /** Accepted status codes, as `200` or `200-399`. */
  codes: z
    .array(z.string().regex(/^[1-5][0-9]{2}(?:-[1-5][0-9]{2})?$/, '"200" or "200-399"'))
    .min(1)
    .max(10)
    .default(["200-399"]),
  bodyContains: z.string().min(1).max(500).optional(),
  headers: z.record(z.string().max(100), z.string().max(500)).optional(),
  /** A response header that names the region, and the value expected: another one is `wrong_region`. */
  regionHeader: z.strictObject({ name: z.string().min(1).max(100), value: z.string().min(1).max(200) }).optional(),
  ...latency,
});

export const TcpProbe = z.strictObject({ kind: z.literal("tcp"), address: Address, ...latency });

export const PostgresProbe = z.strictObject({
  kind: z.literal("postgres"),
  address: Address,
  database: z.string().min(1).max(63).default("postgres"),
  /** Name of a secret that only the agent holds: `{user, password, hosts}`. Without one, only "is it accepting?" is asked. */
  secret: z
    .string()
    .regex(/^[a-z0-9-]{1,64}$/, "secret: 1 to 64 of a-z, 0-9 and -")
    .optional(),
  tls: z.enum(["verify-full", "off"]).default("verify-full"),
  /** `writable`: a standby or a read-only server fails. `any`: role is only reported. */
  role: z.enum(["writable", "standby", "any"]).default("any"),
  /** A standby further behind than this fails with `db_lag`, seconds. */
  lagMaxSeconds: z.int().min(1).max(86_400).optional(),
  ...latency,
});

export const ProbeSpec = z.discriminatedUnion("kind", [HttpProbe, TcpProbe, PostgresProbe]);
export type ProbeSpec = z.infer<typeof ProbeSpec>;
export type HttpProbe = z.infer<typeof HttpProbe>;
export type TcpProbe = z.infer<typeof TcpProbe>;
export type PostgresProbe = z.infer<typeof PostgresProbe>;

/** How often to probe and how many results in a row decide. Same words as the engine's streak. */
export const Cadence = z.strictObject({
  intervalMs: Milliseconds,
  /** Interval while the streak is falling or rising, ms. */
  recheckMs: Milliseconds,
  timeoutMs: Milliseconds,
  fall: z.int().min(1).max(100),
  clear: z.int().min(1).max(100),
  rise: z.int().min(1).max(100),
});
export type Cadence = z.infer<typeof Cadence>;

export const Assignment = z.strictObject({ target: TargetId, cadence: Cadence, probe: ProbeSpec });
export type Assignment = z.infer<typeof Assignment>;

export const AgentConfiguration = z.strictObject({
  v: z.literal(1),
  agent: AgentId,
  region: RegionId,
  network: NetworkId,
  aud: z.string().min(1).max(200),
  version: z.int().min(1).max(Number.MAX_SAFE_INTEGER),
  issuedAt: Instant,
  reportIntervalMs: z.int().min(100).max(600_000),
  /** Addresses whose failure together means that the agent's own network is broken, not its targets. */
  canaries: z.array(Address).max(4),
  assignments: z.array(Assignment).max(2_000),
});
export type AgentConfiguration = z.infer<typeof AgentConfiguration>;

/** `payload` is the exact JSON text of an AgentConfiguration; `signature` is Ed25519 over `"regent-configuration." + payload`. */
export const SignedConfiguration = z.strictObject({
  keyId: z.string().min(1).max(64),
  payload: z.string().min(2).max(2_000_000),
  signature: z.base64().max(200),
});
export type SignedConfiguration = z.infer<typeof SignedConfiguration>;
