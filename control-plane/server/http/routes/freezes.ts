/** Automation off and on again: for everything, for a service, for one region of a service or of all of them. */
import { FreezeRequest, RegionId, ServiceId } from "@regent/contract";
import * as z from "zod";
import type { ControlPlane, FreezeScope } from "../../operations/control-plane.ts";
import type { HttpContext } from "../env.ts";
import { answer, type Mount, mountRoute, type Outcome } from "../mount-route.ts";
import { FreezeAnswer } from "../wire.ts";
import { toForbidden } from "./evacuations.ts";

const ServicePath = z.object({ service: ServiceId });
const RegionPath = z.object({ service: ServiceId, region: RegionId });

export const mountFreezes = (mount: Mount, { controlPlane }: { controlPlane: ControlPlane }): void => {
  const base = { body: FreezeRequest, answer: FreezeAnswer, problems: ["not-found", "not-leader", "dns-away"] as const };
  for (const isFrozen of [true, false]) {
    const verb = isFrozen ? "freeze" : "unfreeze";
    const told = isFrozen ? "Automation off" : "Automation on again";
    const set = async (c: HttpContext, scope: FreezeScope, { reason }: FreezeRequest): Promise<Outcome<FreezeAnswer>> => {
      const result = await controlPlane.setFreeze({ scope, isFrozen, by: c.get("principal").name, reason });
      return result.kind === "set" ? answer({ why: result.why }) : result;
    };
    mountRoute(mount, `POST /v1/${verb}`, {
      ...base,
      summary: `${told} for every service`,
      handle: ({ body }, c) => set(c, { kind: "global" }, body),
    });
    mountRoute(mount, `POST /v1/services/{service}/${verb}`, {
      ...base,
      params: ServicePath,
      summary: `${told} for a service`,
      handle: ({ params, body }, c) => set(c, { kind: "service", ...params }, body),
    });
    mountRoute(mount, `POST /v1/services/{service}/regions/{region}/${verb}`, {
      ...base,
      params: RegionPath,
      summary: `${told} for one region of a service`,
      handle: ({ params, body }, c) => set(c, { kind: "region", ...params }, body),
    });
    mountRoute(mount, `POST /v1/regions/{region}/${verb}`, {
      ...base,
      params: z.object({ region: RegionId }),
      summary: `${told} for a region at every service`,
      handle: async ({ params: { region }, body: { reason } }, c) => {
        const { name, scope } = c.get("principal");
        const result = await controlPlane.freezeRegion({ region, isFrozen, by: name, reason, scope });
        if (result.kind === "set") return answer({ why: result.why });
        return result.kind === "beyond-scope" ? toForbidden(c, result.services) : result;
      },
    });
  }
};
