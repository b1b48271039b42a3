/** What a region process is told at its start: a JSON file named by REGENT_REGION_CONFIG. Written by whoever supervises it. */
import { readFile } from "node:fs/promises";
import * as z from "zod";
import { SandboxRegionId } from "../faults.ts";

const Port = z.int().min(0).max(65_535);

/** Role that probes use, database they connect to. */
export const PROBE_ROLE = "regent_probe";
export const REGION_DATABASE = "postgres";

export const RegionConfig = z.strictObject({
  region: SandboxRegionId,
  /** Absolute folder of this region alone; its Postgres cluster and its own secrets live there. */
  dataDir: z.string().startsWith("/").max(1_000),
  /** Ports of 127.0.0.1; 0 chooses a free one, shown in the ready line. */
  apiPort: Port.default(0),
  databasePort: Port.default(0),
  controlPort: Port.default(0),
  /** File that holds the bearer token of the control port. */
  tokenFile: z.string().startsWith("/").max(1_000),
  /** Password of the role `regent_probe`; set again at every start. */
  probePassword: z
    .string()
    .min(8)
    .max(200)
    .regex(/^[\x21-\x7e]+$/, "printable ASCII without spaces"),
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
