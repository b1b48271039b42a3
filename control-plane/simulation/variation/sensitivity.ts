/**
 * Which defaults of `standard` anything depends on: each is halved, doubled or switched as if the profile said so, and rehearsals that are met as they
 * are run again. One that isn't met any more holds the default; a default that none holds could be changed by mistake, and nobody would know.
 */
import { checkAll } from "../rehearsal/check.ts";
import { type ReadConfig, readRehearsal } from "../rehearsal/read-rehearsal.ts";
import { runRehearsal } from "../rehearsal/run-rehearsal.ts";
import { type Variation, varyDefault } from "./defaults.ts";
import type { Listed, SensitivityList } from "./sensitivity-list.ts";

/** One rehearsal file, not read yet: another configuration is another reading. */
export interface RehearsalText {
  /** As it is told: `budget`, `budget.twin`. */
  readonly name: string;
  readonly fileName: string;
  readonly text: string;
  readonly readConfig: ReadConfig;
}

export type Outcome =
  /** It is met with the default changed, too. */
  | "met"
  | "failed"
  /** Nothing of it has this default: it says its own, or has another profile. */
  | "untouched"
  /** The changed default is refused, as contradicting others. */
  | "refused";

export const tryVariation = async (
  { text, fileName, readConfig }: RehearsalText,
  variation: Variation,
): Promise<{ readonly outcome: Outcome; readonly why: string }> => {
  let isTouched = false;
  const vary = varyDefault(variation);
  const read = await readRehearsal(text, fileName, readConfig, (written) => {
    const varied = vary(written);
    isTouched ||= varied !== written;
    return varied;
  });
  if (!isTouched) return { outcome: "untouched", why: "" };
  if (read.kind === "invalid") return { outcome: "refused", why: read.lines[0] ?? "" };
  const { told } = await runRehearsal(read.rehearsal);
  const missed = checkAll(read.rehearsal.expect, told, read.rehearsal.stepMs).find(({ isMet }) => !isMet);
  return missed === undefined ? { outcome: "met", why: "" } : { outcome: "failed", why: `${missed.expected}; got ${missed.got}` };
};

export interface Tried {
  readonly variation: Variation;
  /** Rehearsals that aren't met with it. */
  readonly fails: readonly string[];
  /** Rehearsals that had the default, and were run. */
  readonly ran: number;
  /** Why a configuration with it is refused; null where it isn't. */
  readonly refused: string | null;
}

export const tryAll = async (rehearsals: readonly RehearsalText[], variation: Variation): Promise<Tried> => {
  const fails: string[] = [];
  let ran = 0;
  let refused: string | null = null;
  for (const rehearsal of rehearsals) {
    const { outcome, why } = await tryVariation(rehearsal, variation);
    if (outcome === "untouched") continue;
    if (outcome === "refused") refused ??= why;
    else ran += 1;
    if (outcome === "failed") fails.push(rehearsal.name);
  }
  return { variation, fails, ran, refused };
};

export interface Verdict {
  readonly tried: Tried;
  readonly listed: Listed;
  readonly isAsListed: boolean;
  /** In a sentence. */
  readonly says: string;
}

/** With `all` every rehearsal is run; else the one that is listed as holding it is enough, and the others are run where it doesn't. */
export const judgeVariation = async (
  rehearsals: readonly RehearsalText[],
  variation: Variation,
  { list, all }: { readonly list: SensitivityList; readonly all: boolean },
): Promise<Verdict> => {
  const listed = list.of(variation);
  const holder = listed.kind === "held" && !all ? rehearsals.filter(({ name }) => name === listed.by) : [];
  const first = holder.length > 0 ? await tryAll(holder, variation) : null;
  const tried = first !== null && first.fails.length > 0 ? first : await tryAll(rehearsals, variation);
  return { tried, listed, ...toVerdict(tried, listed) };
};

const toVerdict = ({ fails, refused, ran }: Tried, listed: Listed): Pick<Verdict, "isAsListed" | "says"> => {
  const failing = fails.join(", ");
  switch (listed.kind) {
    case "held":
      if (fails.includes(listed.by)) return { isAsListed: true, says: `fails ${failing}` };
      return { isAsListed: false, says: `listed as held by ${listed.by}, and fails ${failing === "" ? "nothing" : failing}` };
    case "insensitive":
      if (fails.length === 0) return { isAsListed: true, says: `insensitive: ${listed.why}` };
      return { isAsListed: false, says: `listed as insensitive, and fails ${failing}` };
    case "unlisted": {
      const nothing = refused === null ? `nothing of ${ran} rehearsals` : `nothing: ${refused}`;
      return { isAsListed: fails.length > 0, says: `fails ${failing === "" ? nothing : failing}` };
    }
  }
};
