/**
 * Tells history, and so pages, that a vantage lost its vote, and that it has it again. History itself remembers what was told last, whoever led
 * then.
 */
import * as z from "zod";
import type { Ids } from "../../ports/clock.ts";
import type { DecisionStore } from "../../ports/decision-store.ts";
import { AUTOMATION } from "../memory/actors.ts";
import type { Ledger } from "../memory/ledger.ts";

export interface TellSuspectsDeps {
  readonly decisions: Pick<DecisionStore, "readHistory">;
  readonly ledger: Ledger;
  readonly ids: Ids;
  readonly now: () => number;
}

const SuspectDetail = z.object({ vantage: z.string(), isSuspect: z.boolean() });

/** Made anew for each term; asked at each look with who is suspect then, `region/network`. What only one look sees is told to nobody. */
export const createTellSuspects = ({ decisions, ledger, ids, now }: TellSuspectsDeps) => {
  let told: ReadonlySet<string> | null = null;
  let seenBefore: ReadonlySet<string> = new Set();
  const toEntry = (vantage: string, isSuspect: boolean) => {
    const why = isSuspect
      ? `${vantage} has no vote any more: it fails half or more of its targets, of at least 2 services, and nobody confirms it. Its own network is the likelier fault`
      : `${vantage} has its vote again`;
    const detail = { vantage, isSuspect };
    return {
      id: ids.ulid(),
      at: now(),
      service: null,
      kind: "vantage" as const,
      actor: AUTOMATION,
      why,
      page: isSuspect,
      detail,
    };
  };

  return async (suspects: ReadonlySet<string>): Promise<void> => {
    const known = told ?? (await readTold(decisions));
    told = known;
    const differing = new Set([...suspects, ...known].filter((vantage) => suspects.has(vantage) !== known.has(vantage)));
    const due = [...differing].filter((vantage) => seenBefore.has(vantage));
    seenBefore = differing;
    if (due.length === 0) return;
    await ledger.commit((draft) => {
      for (const vantage of due) draft.tell(toEntry(vantage, suspects.has(vantage)));
    });
    const kept = [...known].filter((vantage) => !due.includes(vantage));
    told = new Set([...kept, ...due.filter((vantage) => suspects.has(vantage))]);
  };
};

/** More vantages than an installation has agents. */
const TOLD_READ_MAX = 500;

const readTold = async (decisions: Pick<DecisionStore, "readHistory">): Promise<Set<string>> => {
  const { events } = await decisions.readHistory({ kinds: ["vantage"], limit: TOLD_READ_MAX });
  const newest = new Map<string, boolean>();
  for (const { detail } of events) {
    const parsed = SuspectDetail.safeParse(detail);
    if (parsed.success && !newest.has(parsed.data.vantage)) newest.set(parsed.data.vantage, parsed.data.isSuspect);
  }
  return new Set([...newest].flatMap(([vantage, isSuspect]) => (isSuspect ? [vantage] : [])));
};
