/** What people are told of: incidents looked at and acknowledged, and the ways to tell tried. An incident may be of any service. */
import {
  AcknowledgeRequest,
  Incident,
  IncidentPage,
  NotifierId,
  NotifierTestAnswer,
  NotifierTestRequest,
  Ulid,
} from "@regent/contract";
import * as z from "zod";
import { INCIDENTS_PAGE_MAX } from "../../limits.ts";
import type { ControlPlane } from "../../operations/control-plane.ts";
import { answer, type Mount, mountRoute } from "../mount-route.ts";

const PAGE_DEFAULT = 50;

const IncidentsQuery = z.strictObject({
  limit: z.coerce.number().int().min(1).max(INCIDENTS_PAGE_MAX).default(PAGE_DEFAULT),
  cursor: Ulid.optional(),
  state: z.enum(["open", "closed"]).optional(),
});

export const mountIncidents = (mount: Mount, { controlPlane }: { controlPlane: ControlPlane }): void => {
  mountRoute(mount, "GET /v1/incidents", {
    summary: "What people were told of, newest first",
    query: IncidentsQuery,
    answer: IncidentPage,
    problems: ["invalid-request"],
    handle: async ({ query: { limit, cursor, state } }) =>
      answer(
        await controlPlane.incidents({
          limit,
          ...(cursor === undefined ? {} : { cursor }),
          ...(state === undefined ? {} : { state }),
        }),
      ),
  });
  mountRoute(mount, "POST /v1/incidents/{id}/acknowledge", {
    summary: "Somebody looks after it: it is not told again",
    params: z.object({ id: Ulid }),
    body: AcknowledgeRequest,
    answer: Incident,
    problems: ["not-found", "not-leader"],
    handle: async ({ params: { id }, body: { reason } }, c) => {
      const result = await controlPlane.acknowledgeIncident({ id, by: c.get("principal").name, reason });
      return result.kind === "acknowledged" ? answer(result.incident) : result;
    },
  });
  mountRoute(mount, "POST /v1/notifiers/{id}/test", {
    summary: "Tell one notifier something harmless, and whether it was taken",
    params: z.object({ id: NotifierId }),
    body: NotifierTestRequest,
    answer: NotifierTestAnswer,
    problems: ["not-found", "not-leader"],
    handle: async ({ params: { id }, body: { reason } }, c) => {
      const result = await controlPlane.testNotifier({ id, by: c.get("principal").name, reason });
      return result.kind === "tried" ? answer(result.answer) : result;
    },
  });
};
