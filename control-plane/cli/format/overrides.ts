/** Overrides as a person reads them: what stands, whose word it is, and how long it counts. Pure. */
import type { Override } from "@regent/contract";
import { durationText, sharesText } from "./numbers.ts";
import type { Paint } from "./paint.ts";
import { toTable } from "./table.ts";

export interface ListedOverride {
  readonly service: string;
  readonly override: Override;
}

export const toOverrideLines = (listed: readonly ListedOverride[], at: number, paint: Paint): string[] => {
  if (listed.length === 0) return ["No override stands."];
  const header = ["service", "what", "by", "left", "skips", "id", "reason"].map(paint.dim);
  const rows = listed.map(({ service, override }) => [
    service,
    overrideText(override),
    override.by,
    durationText(Math.max(0, override.until - at)),
    override.breakGlass.join(",") || "-",
    override.id,
    override.reason,
  ]);
  return toTable([header, ...rows]);
};

/** For the line below a service in `regent status`. */
export const toOverrideMark = (override: Override, at: number): string =>
  `! ${overrideText(override)} by ${override.by}, ${durationText(Math.max(0, override.until - at))} left: ${override.reason}`;

export const overrideText = ({ what }: Pick<Override, "what">): string => {
  switch (what.kind) {
    case "on":
    case "off":
      return `${what.region} ${what.kind}`;
    case "pin":
      return `pinned at ${sharesText({ default: what.shares })}`;
    case "freeze":
      return "frozen";
  }
};
