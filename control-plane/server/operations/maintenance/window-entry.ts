/** Entries of history about one maintenance window. */
import type { Actor, Instant } from "@regent/contract";
import * as z from "zod";
import type { Ids } from "../../ports/clock.ts";
import type { HistoryEntry } from "../../ports/decision-store.ts";
import type { StoredWindow } from "../../ports/maintenance-store.ts";
import { keyOf, momentText } from "./known-windows.ts";

export const WindowDetail = z.object({
  step: z.enum(["planned", "begins", "ends", "taken-back"]),
  key: z.string(),
  window: z.object({
    id: z.string(),
    from: z.number(),
    to: z.number(),
    regions: z.array(z.string()),
    services: z.array(z.string()).nullable(),
    by: z.string(),
    reason: z.string(),
  }),
});
export type WindowDetail = z.infer<typeof WindowDetail>;

export type ToldWindow = Pick<StoredWindow, "id" | "from" | "to" | "regions" | "services" | "by" | "reason">;

export interface EntryInput {
  readonly ids: Ids;
  readonly at: Instant;
  readonly step: WindowDetail["step"];
  readonly window: ToldWindow;
  readonly actor: Actor;
  readonly why: string;
}

export const toWindowEntry = ({ ids, at, step, window, actor, why }: EntryInput): HistoryEntry => {
  const { id, from, to, regions, services, by, reason } = window;
  const told = { id, from, to, regions: [...regions], services: services === null ? null : [...services], by, reason };
  return {
    id: ids.ulid(),
    at,
    // Whoever may see one service sees what is about that one alone.
    service: services?.length === 1 ? (services[0] ?? null) : null,
    kind: "maintenance",
    actor,
    why,
    page: false,
    detail: { step, key: keyOf(window), window: told } satisfies WindowDetail,
  };
};

export const windowText = ({ regions, services, from, to }: ToldWindow): string =>
  `${regions.join(", ")} of ${services === null ? "every service" : services.join(", ")}, ${momentText(from)} to ${momentText(to)}`;
