/** What people had turned off before a recording begins, and still stood: it is asked for again at its beginning. Pure. */
import type { Declaration, HistoryEvent } from "@regent/contract";
import { type AskedLine, askedOf } from "./asked.ts";

const ENDS: Readonly<Record<string, string>> = { unfreeze: "freeze", undrain: "drain" };

/** `earlier`: oldest first. */
export const controlsAtFirst = (earlier: readonly HistoryEvent[], { services }: Declaration): readonly AskedLine[] => {
  const standing = new Map<string, AskedLine>();
  for (const line of askedOf(earlier, 0)) {
    const act = String(line.do);
    const where = JSON.stringify([line.service ?? null, line.region ?? null]);
    if (act === "freeze" || act === "drain") standing.set(`${act} ${where}`, line);
    const ended = ENDS[act];
    if (ended !== undefined) standing.delete(`${ended} ${where}`);
  }
  return [...standing.values()]
    .filter(({ service }) => service === undefined || services.some(({ id }) => id === service))
    .map(({ breakGlass: _skipped, ...line }) => ({ ...line, at: "0s" }));
};
