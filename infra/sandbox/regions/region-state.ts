/** What a region says of itself on its control port. */
import * as z from "zod";
import { ApiFault, DatabaseFault, SandboxRegionId } from "../faults.ts";

export const RegionState = z.object({
  region: SandboxRegionId,
  /** The faults that hold now: at most one of the API and one of the database. `dead` shows as its two halves. */
  faults: z.array(z.union([ApiFault, DatabaseFault])),
  api: z.object({ port: z.int(), isListening: z.boolean() }),
  database: z.object({ port: z.int(), isRunning: z.boolean(), pid: z.int().optional() }),
  /** The region's half of a pair, where it has one. */
  pair: z.object({ port: z.int(), isRunning: z.boolean(), pid: z.int().optional() }).optional(),
  pid: z.int(),
});
export type RegionState = z.infer<typeof RegionState>;

export const RegionMend = z.strictObject({ part: z.enum(["api", "database"]).optional() });
export type RegionMend = z.infer<typeof RegionMend>;
