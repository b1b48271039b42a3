/** What a person looks at: overview, one service and why, history, one change. A scoped token sees its services only. */
import { Change, Explanation, HistoryKind, HistoryPage, Overview, ServiceId, ServiceState, Ulid } from "@regent/contract";
import * as z from "zod";
import { isInScope } from "../../access/roles.ts";
import { HISTORY_PAGE_MAX } from "../../limits.ts";
import type { ControlPlane } from "../../operations/control-plane.ts";
import { isEventInScope } from "../event-scope.ts";
import { answer, type Mount, mountRoute } from "../mount-route.ts";

const ServicePath = z.object({ service: ServiceId });

/** Several kinds are separated by commas. */
const Kinds = z
  .string()
  .max(200)
  .transform((kinds) => kinds.split(","))
  .pipe(z.array(HistoryKind).min(1).max(HistoryKind.options.length));

const HISTORY_PAGE_DEFAULT = 50;

const HistoryQuery = z.strictObject({
  service: ServiceId.optional(),
  kind: Kinds.optional(),
  limit: z.coerce.number().int().min(1).max(HISTORY_PAGE_MAX).default(HISTORY_PAGE_DEFAULT),
  cursor: z.string().min(1).max(500).optional(),
});

export const mountViews = (mount: Mount, { controlPlane }: { controlPlane: ControlPlane }): void => {
  mountOverview(mount, controlPlane);
  mountServices(mount, controlPlane);
  mountHistory(mount, controlPlane);
};

const mountOverview = (mount: Mount, controlPlane: ControlPlane): void => {
  mountRoute(mount, "GET /v1/overview", {
    summary: "Every service and agent, now",
    answer: Overview,
    problems: [],
    handle: async (_, c) => {
      const { scope } = c.get("principal");
      const overview = await controlPlane.overview();
      return answer({ ...overview, services: overview.services.filter(({ id }) => isInScope(scope, id)) });
    },
  });
};

const mountServices = (mount: Mount, controlPlane: ControlPlane): void => {
  mountRoute(mount, "GET /v1/services/{service}", {
    summary: "One service, now",
    params: ServicePath,
    answer: ServiceState,
    problems: ["not-found"],
    handle: async ({ params }) => {
      const service = await controlPlane.service(params.service);
      return service ? answer(service) : { kind: "not-found", what: `service ${params.service}` };
    },
  });
  mountRoute(mount, "GET /v1/services/{service}/explanation", {
    summary: "Why a service is as it is: votes, rules, last changes, next look",
    params: ServicePath,
    answer: Explanation,
    problems: ["not-found"],
    handle: async ({ params }) => {
      const explanation = await controlPlane.explain(params.service);
      return explanation ? answer(explanation) : { kind: "not-found", what: `service ${params.service}` };
    },
  });
};

const mountHistory = (mount: Mount, controlPlane: ControlPlane): void => {
  mountRoute(mount, "GET /v1/history", {
    summary: "What happened, newest first; `next` is the cursor of the following page",
    query: HistoryQuery,
    answer: HistoryPage,
    problems: ["invalid-request"],
    handle: async ({ query: { service, kind, limit, cursor } }, c) => {
      const { name, scope } = c.get("principal");
      if (service !== undefined && !isInScope(scope, service))
        return { kind: "forbidden", why: `${name} doesn't reach ${service}` };
      const page = await controlPlane.history({
        limit,
        ...(service === undefined ? {} : { service }),
        ...(kind === undefined ? {} : { kinds: kind }),
        ...(cursor === undefined ? {} : { cursor }),
      });
      // A page may be shorter than the limit for a scoped token; the cursor still leads on.
      const events = page.events.filter((event) => isEventInScope(scope, event));
      return answer({ events, next: page.next });
    },
  });
  mountRoute(mount, "GET /v1/changes/{id}", {
    summary: "One change with its evidence and clocks",
    params: z.object({ id: Ulid }),
    answer: Change,
    problems: ["not-found"],
    handle: async ({ params }, c) => {
      const change = await controlPlane.change(params.id);
      const isSeen = change !== null && isInScope(c.get("principal").scope, change.service);
      return isSeen ? answer(change) : { kind: "not-found", what: `change ${params.id}` };
    },
  });
};
