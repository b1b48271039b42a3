/** What an entry of an evacuation means to people. Pure. It opens no incident: nothing of Regent's would ever close it again. */
import type { HistoryEvent, Severity } from "@regent/contract";
import * as z from "zod";
import type { PageEffect } from "./classify-entry.ts";

const EvacuationDetail = z.object({
  step: z.enum(["begun", "ended", "stopped"]),
  region: z.string(),
  direction: z.enum(["evacuate", "return"]),
  left: z.array(z.string()),
});

/** What a person does is good to know; what it left behind is for somebody to look at. */
export const ofEvacuation = ({ actor, detail }: HistoryEvent): readonly PageEffect[] => {
  const parsed = EvacuationDetail.safeParse(detail);
  if (!parsed.success) return [];
  const { step, region, direction, left } = parsed.data;
  const what = direction === "evacuate" ? `the evacuation of ${region}` : `the return to ${region}`;
  const tells = (severity: Severity, title: string, services: readonly string[] = []): readonly PageEffect[] => [
    { cause: `region:${region}`, step: "tells", severity, title, parts: [], services },
  ];
  switch (step) {
    case "begun":
      return tells("info", `${actor.name} began ${what}`);
    case "stopped":
      return tells("info", `${actor.name} stopped ${what}`);
    case "ended":
      return left.length === 0 ? tells("info", `${what} is done`) : tells("warning", `${what} left services behind`, left);
  }
};
