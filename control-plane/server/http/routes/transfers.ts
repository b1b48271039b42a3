/** The writable role: who may write now, where it is being led, and ending that. */
import { RegionId, RoleAnswer, ServiceId, TransferList, TransferState, TransferStopRequest } from "@regent/contract";
import * as z from "zod";
import { isInScope } from "../../access/roles.ts";
import type { ControlPlane } from "../../operations/control-plane.ts";
import { answer, type Mount, mountRoute } from "../mount-route.ts";

const ServicePath = z.object({ service: ServiceId });
const RoleQuery = z.strictObject({ region: RegionId.optional() });

export const mountTransfers = (mount: Mount, { controlPlane }: { readonly controlPlane: ControlPlane }): void => {
  mountRoute(mount, "GET /v1/services/{service}/role", {
    summary: "Who may write, read from the database now; to be believed for `validForMs` from the moment of asking",
    params: ServicePath,
    query: RoleQuery,
    answer: RoleAnswer,
    problems: ["not-found", "invalid-request"],
    handle: async ({ params: { service }, query: { region } }) => {
      const result = await controlPlane.role(service, region);
      if (result.kind !== "read") return result;
      // An answer that is kept on the way is older than it says.
      return { ...answer(result.answer), headers: { "cache-control": "no-store" } };
    },
  });
  mountRoute(mount, "GET /v1/transfers", {
    summary: "Each service's last transfer of the writable role, those under way in front",
    answer: TransferList,
    problems: [],
    handle: async (_, c) => {
      const { scope } = c.get("principal");
      return answer({ transfers: (await controlPlane.transfers()).filter(({ service }) => isInScope(scope, service)) });
    },
  });
  mountRoute(mount, "POST /v1/services/{service}/transfer/stop", {
    summary: "End leading the role elsewhere: traffic stays, and whoever was asked may have acted",
    params: ServicePath,
    body: TransferStopRequest,
    answer: TransferState,
    problems: ["not-found", "not-leader"],
    handle: async ({ params: { service }, body: { reason } }, c) => {
      const result = await controlPlane.stopTransfer({ service, by: c.get("principal").name, reason });
      return result.kind === "stopped" ? answer(result.transfer) : result;
    },
  });
};
