/** `regent maintenance`: windows as a person reads them. Pure. */
import type { MaintenanceAnswer, MaintenanceWindow } from "@regent/contract";
import type { Paint } from "./paint.ts";

export const toWindowLines = (windows: readonly MaintenanceWindow[], paint: Paint): string[] =>
  windows.length === 0 ? ["No maintenance is planned."] : windows.flatMap((window) => toLines(window, paint));

export const toPlanned = ({ dryRun, why, window, warnings }: MaintenanceAnswer, paint: Paint): string[] => [
  `${why}.`,
  ...(dryRun ? ["Nothing was planned: this was a dry run."] : toLines(window, paint)),
  ...warnings.map((warning) => `${paint.bold("warning")}: ${warning}`),
];

const STATES: Readonly<Record<MaintenanceWindow["state"], string>> = {
  planned: "planned",
  draining: "traffic leaves",
  "in-force": "in force",
};

const toLines = ({ id, state, regions, services, from, to, by, reason, repeats }: MaintenanceWindow, paint: Paint): string[] => [
  `${paint.bold(id)}  ${STATES[state]}  ${regions.join(", ")} of ${services === null ? "every service" : services.join(", ")}`,
  `  ${dayText(from)} to ${dayText(to)}${repeats === null ? "" : `, again at "${repeats.cron}" ${repeats.timeZone}`}`,
  `  ${by}: ${reason}`,
];

/** Windows lie days apart, so that the time of day alone says too little. */
const dayText = (at: number): string => `${new Date(at).toISOString().slice(0, 19).replace("T", " ")}Z`;
