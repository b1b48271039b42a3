/** Starts all region processes of a sandbox that supervises its regions itself. */
import { randomBytes } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { type SpawnedRegion, spawnRegion } from "./spawn-region.ts";

/** Ports of 127.0.0.1 on which a region really listens. */
export interface RegionPorts {
  readonly id: string;
  readonly apiPort: number;
  readonly databasePort: number;
  readonly controlPort: number;
}

export interface SpawnedRegions {
  readonly regions: readonly RegionPorts[];
  readonly close: () => Promise<void>;
}

/** All at once. Rejects when one can't start; the others are stopped then. */
export const spawnRegions = async (options: {
  readonly dataDir: string;
  readonly tokenFile: string;
  readonly regions: readonly (RegionPorts & { readonly probePassword?: string | undefined })[];
}): Promise<SpawnedRegions> => {
  const folder = join(options.dataDir, "regions");
  await mkdir(folder, { recursive: true, mode: process.getuid?.() === 0 ? 0o711 : 0o700 });
  const attempts = await Promise.allSettled(
    options.regions.map(({ id, probePassword, apiPort, databasePort, controlPort }) =>
      spawnRegion(join(folder, `${id}.json`), {
        region: id,
        dataDir: join(folder, id),
        tokenFile: options.tokenFile,
        probePassword: probePassword ?? randomBytes(18).toString("base64url"),
        apiPort,
        databasePort,
        controlPort,
      }),
    ),
  );
  const spawned: SpawnedRegion[] = attempts.flatMap((attempt) => (attempt.status === "fulfilled" ? [attempt.value] : []));
  const close = async (): Promise<void> => {
    await Promise.all(spawned.map((region) => region.stop()));
  };
  const failed = attempts.find((attempt) => attempt.status === "rejected");
  if (failed !== undefined) {
    await close();
    throw failed.reason;
  }
  const regions = spawned.map(({ ready: { region, apiPort, databasePort, controlPort } }) => ({
    id: region,
    apiPort,
    databasePort,
    controlPort,
  }));
  return { regions, close };
};
