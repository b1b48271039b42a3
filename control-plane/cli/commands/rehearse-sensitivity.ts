/** rehearse --sensitivity: which defaults of `standard` rehearsals hold. Loaded only when asked for. */
import { readdir, readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { readYaml } from "@regent/server/configuration/yaml-source.ts";
import { WrittenRehearsal } from "@regent/simulation/rehearsal/shape.ts";
import { variationsOfStandard } from "@regent/simulation/variation/defaults.ts";
import { judgeVariation, type RehearsalText, type Verdict } from "@regent/simulation/variation/sensitivity.ts";
import {
  EMPTY_LIST,
  readSensitivityList,
  SENSITIVITY_FILE,
  type SensitivityList,
} from "@regent/simulation/variation/sensitivity-list.ts";
import { CommandFailure, EXIT } from "../exit-codes.ts";
import type { Paint } from "../format/paint.ts";
import { besideFile, readAll, rehearse } from "./rehearse-run.ts";

/** The shipped rehearsals of a clone; as far from the bundle as from here. */
export const SHIPPED_REHEARSALS = fileURLToPath(new URL("../../../docs/rehearsals", import.meta.url));

export interface Folder {
  readonly rehearsals: readonly RehearsalText[];
  readonly list: SensitivityList;
}

/** Rehearsals with expectations, all of them met as they are: one that isn't would hold every default. */
export const openFolder = async (folder: string): Promise<Folder> => {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    throw new CommandFailure(EXIT.usage, `${folder} can't be read: ${error.code ?? error.message}`);
  });
  const rehearsals: RehearsalText[] = [];
  for (const name of names.filter((one) => /\.ya?ml$/.test(one) && one !== SENSITIVITY_FILE).sort()) {
    const fileName = join(folder, name);
    const text = await readFile(fileName, "utf8");
    if (isRehearsal(text))
      rehearsals.push({ name: basename(name).replace(/\.ya?ml$/, ""), fileName, text, readConfig: besideFile(fileName) });
  }
  if (rehearsals.length === 0) throw new CommandFailure(EXIT.usage, `${folder} holds no rehearsals`);
  return { rehearsals, list: await readList(join(folder, SENSITIVITY_FILE)) };
};

/** A folder holds configurations, too. */
const isRehearsal = (text: string): boolean => {
  const source = readYaml(text);
  return source.kind === "read" && WrittenRehearsal.pick({ rehearsal: true }).loose().safeParse(source.value).success;
};

const readList = async (fileName: string): Promise<SensitivityList> => {
  const text = await readFile(fileName, "utf8").catch(() => null);
  if (text === null) return EMPTY_LIST;
  const read = readSensitivityList(text, fileName);
  if (read.kind === "list") return read.list;
  throw new CommandFailure(EXIT.usage, read.lines.join("\n"));
};

export const needMet = async ({ rehearsals }: Folder): Promise<void> => {
  const read = await readAll(rehearsals.map(({ fileName }) => fileName));
  for (const rehearsal of read) {
    const { checked } = await rehearse(rehearsal);
    if (checked.some(({ isMet }) => !isMet))
      throw new CommandFailure(
        EXIT.refused,
        `${rehearsal.fileName} isn't met as it is: mend it first (regent test ${rehearsal.fileName})`,
      );
  }
};

/** One after the other, told as they come: all of them take minutes. */
export async function* judgeDefaults({ rehearsals, list }: Folder, all: boolean): AsyncGenerator<Verdict> {
  for (const variation of variationsOfStandard()) yield await judgeVariation(rehearsals, variation, { list, all });
}

export const toVerdictLine = ({ tried: { variation }, isAsListed, says }: Verdict, paint: Paint): string => {
  const { default: name, turn, from, to } = variation;
  const values = turn === "switched" ? "" : ` (${String(from)} → ${String(to)})`;
  return `${isAsListed ? paint.good("✓") : paint.bad("✖")} ${name} ${turn}${values}: ${says}`;
};

export const toVerdictJson = ({ tried, listed, isAsListed }: Verdict): object => ({
  ...tried.variation,
  fails: tried.fails,
  rehearsalsRun: tried.ran,
  refused: tried.refused,
  insensitive: listed.kind === "insensitive" ? listed.why : null,
  isAsListed,
});
