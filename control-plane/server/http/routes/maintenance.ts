/** Maintenance windows: what stands, one more, one less. Those of the declaration are changed there. */
import {
  MaintenanceAnswer,
  MaintenanceEnded,
  MaintenanceEndRequest,
  MaintenanceId,
  MaintenanceList,
  MaintenanceRequest,
  Ulid,
} from "@regent/contract";
import * as z from "zod";
import { isInScope } from "../../access/roles.ts";
import type { ControlPlane } from "../../operations/control-plane.ts";
import { answer, type Mount, mountRoute } from "../mount-route.ts";

/** A declared entry's id comes here too, to be told where it is changed. */
const WindowPath = z.object({ id: z.union([Ulid, MaintenanceId]) });

export const mountMaintenance = (mount: Mount, { controlPlane }: { readonly controlPlane: ControlPlane }): void => {
  mountRoute(mount, "GET /v1/maintenance", {
    summary: "Maintenance windows in force or to come, declared and planned, the first to begin in front",
    answer: MaintenanceList,
    problems: [],
    handle: async (_, c) => {
      const { scope } = c.get("principal");
      const windows = await controlPlane.maintenance();
      return answer({
        windows: windows.flatMap((window) => {
          const services = window.services?.filter((service) => isInScope(scope, service)) ?? null;
          return services?.length === 0 ? [] : [{ ...window, services }];
        }),
      });
    },
  });
  mountRoute(mount, "POST /v1/maintenance", {
    summary: "Plan a maintenance window: traffic leaves these regions before it begins, and returns after its end",
    body: MaintenanceRequest,
    answer: MaintenanceAnswer,
    problems: ["not-found", "not-leader"],
    handle: async ({ body }, c) => {
      const result = await controlPlane.planMaintenance({ request: body, by: c.get("principal").name });
      return result.kind === "answered" ? answer(result.answer) : result;
    },
  });
  mountRoute(mount, "DELETE /v1/maintenance/{id}", {
    summary: "Take a planned window back, or end it early",
    params: WindowPath,
    body: MaintenanceEndRequest,
    answer: MaintenanceEnded,
    problems: ["not-found", "not-leader"],
    handle: async ({ params: { id }, body: { reason } }, c) => {
      const result = await controlPlane.endMaintenance({ id, by: c.get("principal").name, reason });
      return result.kind === "ended" ? answer({ why: result.why }) : result;
    },
  });
};
