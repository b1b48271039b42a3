/**
 * A region left, or returned to, across services. Whoever may not act on one of them is refused as a whole: half an evacuation is worse than a person
 * who may.
 */
import {
  Evacuation,
  EvacuationAnswer,
  EvacuationPage,
  EvacuationRequest,
  RegionId,
  StopEvacuationRequest,
  Ulid,
} from "@regent/contract";
import * as z from "zod";
import { isInScope } from "../../access/roles.ts";
import { EVACUATIONS_PAGE_MAX } from "../../limits.ts";
import type { ControlPlane, NotHere } from "../../operations/control-plane.ts";
import type { EvacuationResult } from "../../operations/evacuation/orders.ts";
import type { HttpContext } from "../env.ts";
import { answer, type Mount, mountRoute, type Outcome } from "../mount-route.ts";
import type { Failure } from "../problems.ts";

const PAGE_DEFAULT = 10;

const EvacuationsQuery = z.strictObject({
  limit: z.coerce.number().int().min(1).max(EVACUATIONS_PAGE_MAX).default(PAGE_DEFAULT),
  cursor: Ulid.optional(),
  region: RegionId.optional(),
});
const EvacuationPath = z.object({ id: Ulid });

export const mountEvacuations = (mount: Mount, { controlPlane }: { readonly controlPlane: ControlPlane }): void => {
  const ask = async (
    c: HttpContext,
    { region, direction }: Pick<Evacuation, "region" | "direction">,
    asked: EvacuationRequest,
  ): Promise<Outcome<EvacuationAnswer>> => {
    const { name, scope } = c.get("principal");
    return toOutcome(c, await controlPlane.evacuate({ region, direction, by: name, scope, ...asked }));
  };
  const base = {
    params: z.object({ region: RegionId }),
    body: EvacuationRequest,
    answer: EvacuationAnswer,
    problems: ["not-found", "evacuation-running", "not-leader"] as const,
  };
  mountRoute(mount, "POST /v1/regions/{region}/evacuate", {
    ...base,
    summary: "Take a region out of the answers of every service, in order of priority",
    handle: ({ params: { region }, body }, c) => ask(c, { region, direction: "evacuate" }, body),
  });
  mountRoute(mount, "POST /v1/regions/{region}/return", {
    ...base,
    summary: "Let a region take traffic again at every service that an evacuation took it from",
    handle: ({ params: { region }, body }, c) => ask(c, { region, direction: "return" }, body),
  });
  mountRoute(mount, "GET /v1/evacuations", {
    summary: "Regions that were left, or returned to, newest first",
    query: EvacuationsQuery,
    answer: EvacuationPage,
    problems: ["invalid-request"],
    handle: async ({ query: { limit, cursor, region } }, c) => {
      const known = await controlPlane.evacuations({
        limit,
        ...(cursor === undefined ? {} : { cursor }),
        ...(region === undefined ? {} : { region }),
      });
      const next = known.length < limit ? null : (known.at(-1)?.id ?? null);
      return answer({ evacuations: known.flatMap((each) => visiblePart(c, each) ?? []), next });
    },
  });
  mountRoute(mount, "GET /v1/evacuations/{id}", {
    summary: "One of them, with what became of each service",
    params: EvacuationPath,
    answer: Evacuation,
    problems: ["not-found"],
    handle: async ({ params: { id } }, c) => {
      const known = await controlPlane.evacuation(id);
      const visible = known && visiblePart(c, known);
      return visible ? answer(visible) : { kind: "not-found", what: `evacuation ${id}` };
    },
  });
  mountRoute(mount, "POST /v1/evacuations/{id}/stop", {
    summary: "Move no more: what moved stays where it is",
    params: EvacuationPath,
    body: StopEvacuationRequest,
    answer: Evacuation,
    problems: ["not-found", "not-leader"],
    handle: async ({ params: { id }, body: { reason } }, c) => {
      const { name, scope } = c.get("principal");
      const result = await controlPlane.stopEvacuation({ id, by: name, reason, scope });
      if (result.kind === "stopped") return answer(toPlain(result.evacuation));
      return result.kind === "beyond-scope" ? toForbidden(c, result.services) : result;
    },
  });
};

const toOutcome = (c: HttpContext, result: EvacuationResult | NotHere): Outcome<EvacuationAnswer> => {
  switch (result.kind) {
    case "begun":
      return answer({ dryRun: false, evacuation: toPlain(result.evacuation), preview: [] });
    case "previewed":
      return answer({ dryRun: true, evacuation: null, preview: [...result.preview] });
    case "beyond-scope":
      return toForbidden(c, result.services);
    case "evacuation-running":
    case "not-found":
    case "not-leader":
      return result;
  }
};

/** What is kept of it knows more than is told. */
const toPlain = (evacuation: Evacuation): Evacuation => Evacuation.parse(evacuation);

/** The services in the scope of whoever looks; null when none is. */
const visiblePart = (c: HttpContext, evacuation: Evacuation): Evacuation | null => {
  const { scope } = c.get("principal");
  const services = evacuation.services.filter(({ service }) => isInScope(scope, service));
  return scope !== null && services.length === 0 ? null : toPlain({ ...evacuation, services });
};

const NAMED_MAX = 20;

export const toForbidden = (c: HttpContext, services: readonly string[]): Failure => {
  const named = services.slice(0, NAMED_MAX).join(", ");
  const more = services.length > NAMED_MAX ? ` and ${services.length - NAMED_MAX} more` : "";
  return {
    kind: "forbidden",
    why: `${c.get("principal").name} may not act on ${named}${more}, and all of it or nothing is done`,
  };
};
