/** What a region process is told at its start: a JSON file named by REGENT_REGION_CONFIG. Written by whoever supervises it. */
import { readFile } from "node:fs/promises";
import * as z from "zod";
import { SandboxRegionId } from "../faults.ts";

const Port = z.int().min(0).max(65_535);

/** Role that probes use, database they connect to. */
export const PROBE_ROLE = "regent_probe";
export const REGION_DATABASE = "postgres";
/** Role that a hook fences and promotes with; only a pair has it. */
export const HOOK_ROLE = "regent_hook";
/** Folder of a region's half of a pair, beside its own database's. */
export const PAIR_FOLDER = "pair";

const Path = z.string().startsWith("/").max(1_000);
const Password = z
  .string()
  .min(8)
  .max(200)
  .regex(/^[\x21-\x7e]+$/, "printable ASCII without spaces");
/** What stands in a connection string as it is. */
const PlainPassword = z.string().regex(/^[A-Za-z0-9_-]{16,200}$/, "16-200 letters, digits, dashes and underscores");

/** One half of a pair of databases in two regions, of which one streams to the other. */
const Pair = z.strictObject({
  /** What it is made as; afterwards its files say what it is. */
  initially: z.enum(["primary", "standby"]),
  port: Port,
  /** The other region's data folder, which a standby is copied from. */
  otherDataDir: Path,
  /** Port of the link to the other half: what replication goes over. */
  otherPort: z.int().min(1).max(65_535),
  /** The same for both halves, as a copy has the roles of what it was copied from. */
  ownerPassword: PlainPassword,
  hookPassword: PlainPassword,
});
export type PairConfig = z.infer<typeof Pair>;

export const RegionConfig = z.strictObject({
  region: SandboxRegionId,
  /** Absolute folder of this region alone; its Postgres cluster and its own secrets live there. */
  dataDir: Path,
  /** Ports of 127.0.0.1; 0 chooses a free one, shown in the ready line. */
  apiPort: Port.default(0),
  databasePort: Port.default(0),
  controlPort: Port.default(0),
  /** File that holds the bearer token of the control port. */
  tokenFile: Path,
  /** Password of the role `regent_probe`; set again at every start. */
  probePassword: Password,
  /** Only of a region that has one half of a pair. */
  pair: Pair.optional(),
  /** Shown by the deep health answer. */
  version: z.string().max(100).default("sandbox"),
});
export type RegionConfig = z.infer<typeof RegionConfig>;
/** As a supervisor may write it: fields with a default may be left out. */
export type RegionConfigFile = z.input<typeof RegionConfig>;

/** The one JSON line a region process prints on stdout when API, database and control are all up. */
export const RegionReady = z.object({
  ready: z.literal(true),
  region: SandboxRegionId,
  apiPort: Port,
  databasePort: Port,
  controlPort: Port,
  pid: z.int(),
});
export type RegionReady = z.infer<typeof RegionReady>;

/** Reads a token file; the token is trimmed, as editors leave a line end. Throws when the file is missing or the token too short. */
export const readToken = async (path: string): Promise<string> => {
  const token = (await readFile(path, "utf8")).trim();
  if (token.length < 16) throw new Error(`The token in ${path} is shorter than 16 characters.`);
  return token;
};
