/** The region's own control port: what holds, break, mend, rebuild. Called by the sandbox's control alone. */
import type { Hono } from "hono";
import { createControlDoor, readBody } from "../control-door.ts";
import { RegionProcessFault } from "../faults.ts";
import type { Region } from "./region.ts";
import { RegionMend } from "./region-state.ts";

export const createRegionControl = (region: Region, token: string): Hono => {
  const app = createControlDoor({ token, owner: "the home" });
  app.get("/v1/region", (context) => context.json(region.state()));
  app.post("/v1/region/break", async (context) => {
    const body = await readBody(context, RegionProcessFault);
    return body.kind === "refused" ? body.response : context.json(await region.break(body.value));
  });
  app.post("/v1/region/mend", async (context) => {
    const body = await readBody(context, RegionMend);
    return body.kind === "refused" ? body.response : context.json(await region.mend(body.value.part));
  });
  app.post("/v1/region/rebuild-standby", async (context) => context.json(await region.rebuildStandby()));
  return app;
};
