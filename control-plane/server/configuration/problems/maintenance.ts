/** Maintenance windows that name what isn't declared, never come, never end, or say both once and again. Pure. */
import { type Declaration, MAINTENANCE_MINUTES_MAX, type MaintenanceDeclaration } from "@regent/contract";
import { findCronFault, toSchedule } from "../maintenance/schedule.ts";
import { suggestDeclared } from "../nearest.ts";
import type { ConfigurationProblem, Path } from "../problem-path.ts";
import { findDuplicates } from "./duplicates.ts";

export const findMaintenanceProblems = ({ maintenance = [], regions, services }: Declaration): ConfigurationProblem[] => {
  const known = { regions: regions.map(({ id }) => id), services: services.map(({ id }) => id) };
  return [
    ...findDuplicates(
      maintenance.map(({ id }, at) => ({ key: id, path: ["maintenance", at, "id"] })),
      (id) => `maintenance "${id}"`,
    ),
    ...maintenance.flatMap((entry, at) => {
      const path = ["maintenance", at];
      return [
        ...findUnknown("region", entry.regions, { known: known.regions, path: [...path, "regions"], restsOn: [["regions"]] }),
        ...findUnknown("service", entry.services ?? [], {
          known: known.services,
          path: [...path, "services"],
          restsOn: [["services"]],
        }),
        ...findTimeProblems(entry, path),
      ];
    }),
  ];
};

const findUnknown = (
  what: string,
  named: readonly string[],
  { known, path, restsOn }: { readonly known: readonly string[]; readonly path: Path; readonly restsOn: readonly Path[] },
): ConfigurationProblem[] =>
  named.flatMap((id, at) =>
    known.includes(id)
      ? []
      : [{ path: [...path, at], message: `unknown ${what} "${id}"`, suggestion: suggestDeclared(id, known), restsOn }],
  );

const findTimeProblems = (entry: MaintenanceDeclaration, path: Path): ConfigurationProblem[] => {
  const schedule = toSchedule(entry);
  if (schedule === null)
    return [
      {
        path,
        message: `maintenance "${entry.id}" says ${givenText(entry)}`,
        suggestion: "either `from` and `to`, or `cron`, `minutes` and `timeZone`",
        // One that is wrong in itself was told.
        restsOn: ["from", "to", "cron", "minutes", "timeZone"].map((key) => [...path, key]),
      },
    ];
  if (schedule.kind === "cron") {
    const fault = findCronFault(schedule);
    return fault === null ? [] : [{ path: [...path, fault.about], message: fault.why }];
  }
  const minutes = (schedule.to - schedule.from) / 60_000;
  if (minutes <= 0) return [{ path: [...path, "to"], message: "it ends before it begins", restsOn: [[...path, "from"]] }];
  if (minutes <= MAINTENANCE_MINUTES_MAX) return [];
  return [
    {
      path: [...path, "to"],
      message: `it lasts ${Math.round(minutes / 1_440)} days, at most ${MAINTENANCE_MINUTES_MAX / 1_440} are allowed`,
      suggestion: "drain the region, or take it out of the declaration",
      restsOn: [[...path, "from"]],
    },
  ];
};

const givenText = ({ from, to, cron, minutes, timeZone }: MaintenanceDeclaration): string => {
  const given = Object.entries({ from, to, cron, minutes, timeZone }).flatMap(([key, value]) =>
    value === undefined ? [] : [key],
  );
  return given.length === 0 ? "not when it is" : given.join(", ");
};
