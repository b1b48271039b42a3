/** Entry of a region's own process. Configured by the JSON file in REGENT_REGION_CONFIG; prints one JSON line when ready. */
import { listenOnLoopback } from "../control-door.ts";
import { readConfigFile, runProcess, sayReady } from "../process-life.ts";
import { startRegion } from "./region.ts";
import { RegionConfig, type RegionReady, readToken } from "./region-config.ts";
import { createRegionControl } from "./region-control.ts";

await runProcess(async () => {
  const config = await readConfigFile("REGENT_REGION_CONFIG", RegionConfig);
  const token = await readToken(config.tokenFile);
  const region = await startRegion(config);
  const control = await listenOnLoopback(createRegionControl(region, token), config.controlPort).catch(async (error: unknown) => {
    await region.close();
    throw error;
  });
  const { api, database } = region.state();
  const ready: RegionReady = {
    ready: true,
    region: config.region,
    apiPort: api.port,
    databasePort: database.port,
    controlPort: control.port,
    pid: process.pid,
  };
  sayReady(ready);
  return {
    close: async () => {
      await control.close();
      await region.close();
    },
  };
});
