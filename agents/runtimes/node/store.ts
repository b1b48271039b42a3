/**
 * What survives a restart, in `spoolDir`: the boot number, the last configuration as it was signed, undelivered observations. Files are
 * replaced whole, so that a crash leaves the old or the new. A damaged file is left out and named, never fatal: probing matters more.
 */
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Observation, SignedConfiguration } from "@regent/contract";
import * as z from "zod";
import type { TimedObservation } from "../../core/probe-result.ts";

export interface Store {
  /** Larger at every start: the one before plus one, or the wall clock in ms if that is more, so that a lost disk does no harm. */
  readonly nextBoot: (wall: number) => Promise<number>;
  readonly loadConfiguration: () => Promise<SignedConfiguration | undefined>;
  readonly saveConfiguration: (signed: SignedConfiguration) => Promise<void>;
  /** `at` in wall time, ms. */
  readonly loadSpool: () => Promise<readonly TimedObservation[]>;
  readonly saveSpool: (entries: readonly TimedObservation[]) => Promise<void>;
}

const SpooledEntry = z.strictObject({ at: z.number(), isTransition: z.boolean(), observation: Observation }).transform(
  ({ at, isTransition, observation: { target, ageMs: _, ...result } }): TimedObservation => ({
    target,
    at,
    isTransition,
    result,
  }),
);
const SpoolFile = z.array(SpooledEntry).max(100_000);

export const createStore = (dir: string | undefined, onDamage: (file: string) => void): Store => {
  const read = async <T>(name: string, schema: z.ZodType<T>): Promise<T | undefined> => {
    if (dir === undefined) return undefined;
    try {
      return schema.parse(JSON.parse(await readFile(join(dir, name), "utf8")));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") onDamage(name);
      return undefined;
    }
  };
  const write = async (name: string, value: unknown): Promise<void> => {
    if (dir === undefined) return;
    try {
      await mkdir(dir, { recursive: true, mode: 0o700 });
      const path = join(dir, name);
      await writeFile(`${path}.new`, JSON.stringify(value), { mode: 0o600 });
      await rename(`${path}.new`, path);
    } catch {
      onDamage(name);
    }
  };
  return {
    nextBoot: async (wall) => {
      const before = await read("boot.json", z.int().min(1));
      const boot = Math.max((before ?? 0) + 1, wall);
      await write("boot.json", boot);
      return boot;
    },
    loadConfiguration: () => read("configuration.json", SignedConfiguration),
    saveConfiguration: (signed) => write("configuration.json", signed),
    loadSpool: async () => (await read("spool.json", SpoolFile)) ?? [],
    saveSpool: (entries) =>
      write(
        "spool.json",
        entries.map(({ at, isTransition, target, result }) => ({
          at,
          isTransition,
          observation: { target, ageMs: 0, ...result },
        })),
      ),
  };
};
