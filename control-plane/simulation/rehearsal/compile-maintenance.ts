/** Maintenance windows of a rehearsal, against its configuration. Pure. Called by compile.ts. */
import { MAINTENANCE_MINUTES_MAX } from "@regent/contract";
import { findStrangers, toList } from "./names.ts";
import type { MaintenanceLine } from "./rehearsal.ts";
import { idsOf, type Scope, toMoment } from "./scope.ts";
import type { WrittenMaintenance } from "./shape.ts";
import { toMs } from "./time.ts";

export const compileMaintenance = (written: readonly WrittenMaintenance[], scope: Scope): readonly MaintenanceLine[] =>
  written.flatMap((line, index): readonly MaintenanceLine[] => {
    const { declaration, find } = scope;
    const path = ["maintenance", index];
    const fromMs = toMoment(line.from, [...path, "from"], scope);
    // It may outlast the rehearsal.
    const toMsAt = toMs(line.to);
    const strangers = [
      ...findStrangers(line.regions, idsOf(declaration.regions), "region").map((message) => ["regions", message] as const),
      ...findStrangers(line.services, idsOf(declaration.services), "service").map((message) => ["services", message] as const),
    ];
    for (const [key, message] of strangers) find([...path, key], message);
    if (fromMs >= toMsAt) find(path, "it ends before it begins");
    if (toMsAt - fromMs > MAINTENANCE_MINUTES_MAX * 60_000)
      find(path, `it lasts longer than ${MAINTENANCE_MINUTES_MAX / 1_440} days`);
    const services = line.services === undefined ? null : toList(line.services);
    return [{ fromMs, toMs: toMsAt, by: line.as, reason: line.reason, regions: toList(line.regions), services }];
  });
