/** What a Node agent is started with: one JSON file, named by REGENT_AGENT_CONFIG. Read once; all problems are reported together. */
import { readFile } from "node:fs/promises";
import { Address, AgentId, NetworkId, RegionId } from "@regent/contract";
import * as z from "zod";

const PublicKey = z.base64().refine((text) => atob(text).length === 32, "the base64 of a raw 32-byte Ed25519 public key");

export const NodeAgentConfig = z.strictObject({
  agent: AgentId,
  region: RegionId,
  network: NetworkId,
  /** Base URLs, in order of preference. One is used at a time. Any replica will do. */
  controlPlanes: z
    .array(z.url({ protocol: /^https?$/ }))
    .min(1)
    .max(10),
  /** The owner that the control plane writes DNS as; `<owner>/v1/reports` is taken too. */
  aud: z.string().min(1).max(200),
  /** PKCS8 PEM or the base64 of a 32-byte seed; a file that others can read is refused. */
  privateKeyFile: z.string().min(1),
  /** Raw public keys, base64, of those who may configure this agent; two while the key rotates. */
  configurationKeys: z.array(PublicKey).min(1).max(2),
  /** Boot counter, last configuration and undelivered observations. Without one, a restart waits for the control plane. */
  spoolDir: z.string().min(1).optional(),
  /** JSON object: name to `{user, password, hosts}`. */
  secretsFile: z.string().min(1).optional(),
  /** PEM file of certificate authorities that probes trust besides the well-known ones. */
  caFile: z.string().min(1).optional(),
  allowLoopback: z.boolean().default(false),
  allowPrivate: z.boolean().default(true),
  /** Declared address to the one to dial instead. The latter is guarded as any other. */
  connectTo: z.record(Address, Address).default({}),
  /** Serves /metrics, /livez and /readyz on 127.0.0.1; 0 takes a free port. */
  httpPort: z.int().min(0).max(65_535).optional(),
});
export type NodeAgentConfig = z.infer<typeof NodeAgentConfig>;
/** As written in the file: what has a default may be absent. */
export type NodeAgentConfigInput = z.input<typeof NodeAgentConfig>;

export const SecretsFile = z.record(
  z.string().regex(/^[a-z0-9-]{1,64}$/),
  z.strictObject({
    user: z.string().min(1).max(63),
    password: z.string().min(1).max(1_000),
    hosts: z.array(z.string().min(1).max(300)).min(1).max(50),
  }),
);

/** Throws with every problem of the file in one message; values are not quoted. */
export const loadConfig = async (path: string): Promise<NodeAgentConfig> =>
  parseFile(NodeAgentConfig, path, await readFile(path, "utf8"));

export const parseFile = <T>(schema: z.ZodType<T>, path: string, text: string): T => {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new Error(`${path} is not JSON`);
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(({ path: where, message }) => `${where.join(".") || "file"}: ${message}`);
  throw new Error(`${path} has ${problems.length} problem(s): ${problems.join("; ")}`);
};
