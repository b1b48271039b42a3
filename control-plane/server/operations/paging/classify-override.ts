/** What an operator's override means to people: one that stops automation asks for eyes until it is over, any other is told. Pure. */
import type { HistoryEvent } from "@regent/contract";
import * as z from "zod";
import type { PageEffect } from "./classify-entry.ts";

const OverrideDetail = z.object({
  step: z.enum(["made", "ended", "ran-out", "overruled"]),
  override: z.object({ id: z.string(), what: z.object({ kind: z.string() }) }),
});

const STOPPING: Readonly<Record<string, string>> = { freeze: "froze", pin: "pinned" };

/** A freeze by override is a freeze, and a pin stops automation as well: both stand open until they end. */
export const ofOverride = ({ service, actor, detail }: HistoryEvent): readonly PageEffect[] => {
  const parsed = OverrideDetail.safeParse(detail);
  if (!parsed.success || service === null) return [];
  const { step, override } = parsed.data;
  const base = { cause: `service:${service}`, services: [service] };
  const stopped = STOPPING[override.what.kind];
  if (stopped !== undefined) {
    const parts = [`${service} override ${override.id}`];
    return step === "made"
      ? [{ ...base, step: "opens", severity: "warning", title: `${actor.name} ${stopped} ${service} by an override`, parts }]
      : [{ ...base, cause: "", step: "closes", severity: "info", title: "", parts }];
  }
  const title = {
    made: `${actor.name} made an override of ${service}`,
    ended: `${actor.name} ended an override of ${service}`,
    "ran-out": `an override of ${service} ran out`,
    overruled: `DNS was made to contradict an override of ${service}`,
  }[step];
  return [{ ...base, step: "tells", severity: "info", title, parts: [] }];
};
