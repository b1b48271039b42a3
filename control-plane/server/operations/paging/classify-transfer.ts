/** What a transfer of the writable role means to people: its beginning and end are told, and what nobody leads on by itself opens an incident. Pure. */
import type { HistoryEvent } from "@regent/contract";
import * as z from "zod";
import { type PageEffect, sidePart } from "./classify-entry.ts";

const TransferDetail = z.object({
  step: z.enum(["begun", "goes-on", "stopped", "done", "doubled", "settled"]),
  transfer: z.object({ from: z.string(), to: z.string(), phase: z.string().optional() }),
});

export const ofTransfer = ({ service, page, detail }: HistoryEvent): readonly PageEffect[] => {
  const parsed = TransferDetail.safeParse(detail);
  if (!parsed.success || service === null) return [];
  const { step, transfer } = parsed.data;
  const way = `the writable role of ${service} from ${transfer.from} to ${transfer.to}`;
  const base = { cause: `service:${service}`, services: [service] };
  const tells = (severity: PageEffect["severity"], title: string): PageEffect => ({
    ...base,
    step: "tells",
    severity,
    title,
    parts: [],
  });
  const parts = [sidePart(service, "role")];
  const closes: PageEffect = { cause: "", step: "closes", severity: "info", title: "", parts, services: [service] };
  const opens = (severity: PageEffect["severity"], title: string): PageEffect => ({
    ...base,
    step: "opens",
    severity,
    title,
    parts,
  });
  switch (step) {
    case "begun":
      return [tells("warning", `Regent leads ${way}`)];
    case "goes-on":
      if (!page) return [];
      // Nothing can be written where the users are.
      if (transfer.phase === "switch")
        return [opens("critical", `the writable role of ${service} has moved to ${transfer.to}, and the traffic hasn't`)];
      return [opens("warning", `somebody must look while Regent leads ${way}`)];
    case "stopped":
      return page ? [opens("critical", `leading ${way} stopped`)] : [closes, tells("info", `leading ${way} is given up`)];
    case "done":
      return [closes, tells("info", `${way} is there, and the traffic too`)];
    case "doubled":
      return [opens("critical", `two databases of ${service} can be written to`)];
    case "settled":
      return [closes];
  }
};
