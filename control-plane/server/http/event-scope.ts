/**
 * Which entries of history a token of some services sees: those of its services, and those of the control plane that are about everybody. What
 * is about several services at once is seen by whoever may see one of them. Pure.
 */
import type { HistoryEvent, HistoryKind } from "@regent/contract";
import * as z from "zod";
import { isInScope } from "../access/roles.ts";

/** Their own routes are closed to such a token. */
const CLOSED: ReadonlySet<HistoryKind> = new Set(["alert", "dead-letter"]);

const Named = z.object({
  /** Of an evacuation: services that it left behind. */
  left: z.array(z.string()).optional(),
  window: z.object({ services: z.array(z.string()).nullable() }).optional(),
});

export const isEventInScope = (
  scope: readonly string[] | null,
  { service, kind, detail }: Pick<HistoryEvent, "service" | "kind" | "detail">,
): boolean => {
  if (scope === null) return true;
  if (service !== null) return isInScope(scope, service);
  if (CLOSED.has(kind)) return false;
  const { left = [], window } = Named.safeParse(detail).data ?? {};
  const named = [...left, ...(window?.services ?? [])];
  return named.length === 0 || named.some((each) => isInScope(scope, each));
};
