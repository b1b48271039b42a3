/**
 * `sensitivity.yaml` beside rehearsals: for each default of `standard` and each way to change it, the rehearsal that holds it, or why none can. Kept by
 * hand, and compared with what comes out.
 */
import { readYaml } from "@regent/server/configuration/yaml-source.ts";
import * as z from "zod";
import { type Turn, type Variation, variationsOfStandard } from "./defaults.ts";

const Line = z.strictObject({
  /** A rehearsal beside this file, without `.yaml`. */
  heldBy: z.string().min(1).max(200).optional(),
  /** Why no rehearsal can hold it. */
  insensitive: z.string().min(10).max(400).optional(),
});

const List = z.strictObject({
  sensitivity: z.literal(1),
  defaults: z.record(z.string().max(100), z.partialRecord(z.enum(["halved", "doubled", "switched"]), Line)),
});

export type Listed =
  | { readonly kind: "held"; readonly by: string }
  | { readonly kind: "insensitive"; readonly why: string }
  | { readonly kind: "unlisted" };

export interface SensitivityList {
  readonly of: (variation: Pick<Variation, "default" | "turn">) => Listed;
}

export const SENSITIVITY_FILE = "sensitivity.yaml";

export const EMPTY_LIST: SensitivityList = { of: () => ({ kind: "unlisted" }) };

export type ReadList =
  | { readonly kind: "list"; readonly list: SensitivityList }
  | { readonly kind: "invalid"; readonly lines: readonly string[] };

/** Unknown defaults and turns are told: a line about nothing would hide a typing error. */
export const readSensitivityList = (text: string, fileName: string): ReadList => {
  const source = readYaml(text);
  if (source.kind === "unreadable") return invalid(source.errors.map(({ line, message }) => `${fileName}:${line} ${message}`));
  const parsed = List.safeParse(source.value);
  if (!parsed.success)
    return invalid(parsed.error.issues.map(({ path, message }) => `${fileName} ${path.join(".")}: ${message}`));
  const { defaults } = parsed.data;
  const variations = variationsOfStandard();
  const lines: string[] = [];
  for (const [name, turns] of Object.entries(defaults))
    for (const [turn, line] of Object.entries(turns)) {
      if (!variations.some((one) => one.default === name && one.turn === turn))
        lines.push(`${fileName} defaults.${name}.${turn}: no default is changed so`);
      if ((line?.heldBy === undefined) === (line?.insensitive === undefined))
        lines.push(`${fileName} defaults.${name}.${turn}: heldBy or insensitive, one of the two`);
    }
  if (lines.length > 0) return invalid(lines);
  const of = ({ default: name, turn }: { readonly default: string; readonly turn: Turn }): Listed => {
    const line = Object.hasOwn(defaults, name) ? defaults[name]?.[turn] : undefined;
    if (line?.heldBy !== undefined) return { kind: "held", by: line.heldBy };
    return line?.insensitive === undefined ? { kind: "unlisted" } : { kind: "insensitive", why: line.insensitive };
  };
  return { kind: "list", list: { of } };
};

const invalid = (lines: readonly string[]): ReadList => ({ kind: "invalid", lines });
