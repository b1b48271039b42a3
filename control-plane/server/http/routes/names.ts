/** Adopting and releasing names. With `dryRun` the answer shows the exact batch and nothing is sent. */
import { AdoptRequest, MoveAnswer, type ProblemSlug, ReleaseRequest, ServiceId } from "@regent/contract";
import * as z from "zod";
import type { ControlPlane } from "../../operations/control-plane.ts";
import type { OwnOrder } from "../../operations/zone/own-name.ts";
import type { HttpContext } from "../env.ts";
import { type Mount, mountRoute } from "../mount-route.ts";
import { toOutcome } from "./moves.ts";

const ServicePath = z.object({ service: ServiceId });

const PROBLEMS: readonly ProblemSlug[] = ["not-found", "stale-revision", "name-taken", "not-leader", "dns-away"];

export const mountNames = (mount: Mount, { controlPlane }: { readonly controlPlane: ControlPlane }): void => {
  const base = { params: ServicePath, answer: MoveAnswer, problems: PROBLEMS };
  mountRoute(mount, "POST /v1/services/{service}/adopt", {
    ...base,
    summary: "Make the records that stand at the service's name ours, with the traffic that they have",
    body: AdoptRequest,
    handle: async ({ params, body }, c) =>
      toOutcome(await controlPlane.own({ ...toOrder(c, params.service, body), verb: "adopt", takeover: body.takeover ?? null })),
  });
  mountRoute(mount, "POST /v1/services/{service}/release", {
    ...base,
    summary: "Give the service's name up; its records stay as they are",
    body: ReleaseRequest,
    handle: async ({ params, body }, c) =>
      toOutcome(await controlPlane.own({ ...toOrder(c, params.service, body), verb: "release", takeover: null })),
  });
};

const toOrder = (
  c: HttpContext,
  service: string,
  { reason, dryRun, expectedRevision }: ReleaseRequest,
): Omit<OwnOrder, "verb" | "takeover"> => ({
  service,
  by: c.get("principal").name,
  reason,
  dryRun,
  expectedRevision: expectedRevision ?? null,
});
