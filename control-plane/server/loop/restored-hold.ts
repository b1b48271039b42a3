/** The database is older than DNS: automation is held until a person confirms, and DNS is taken as it stands. */
import type { Logger } from "pino";
import { holdAutomation } from "../operations/control/set-freeze.ts";
import type { NotHere } from "../operations/control-plane.ts";
import type { Ledger } from "../operations/memory/ledger.ts";
import type { Clock, Ids } from "../ports/clock.ts";
import type { AsLeader } from "./as-leader.ts";

export interface RestoredHoldDeps extends AsLeader {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Logger;
  readonly ledger: Ledger;
  /** Everything that DNS holds, remembered as it stands; why not, when a zone could not be read. */
  readonly takeStock: () => Promise<string | null>;
}

export interface RestoredHold {
  /** Told once. */
  readonly begin: (why: string) => Promise<void>;
  /** Before a person ends it; null when it may end, or when nothing is held. */
  readonly whatKeepsIt: () => Promise<
    { readonly kind: "dns-away"; readonly why: string } | Extract<NotHere, { kind: "not-leader" }> | null
  >;
}

export const createRestoredHold = (deps: RestoredHoldDeps): RestoredHold => {
  const { log, ledger, takeStock, whileLeading } = deps;
  const isHeld = (): boolean => ledger.freeze()?.cause === "restored";
  let isBeginning = false;
  return {
    begin: async (why) => {
      // Every service of the zone says so, and one hold is for all of them.
      if (isBeginning || !deps.isLeading() || isHeld()) return;
      isBeginning = true;
      log.error({ why }, "the database is older than DNS");
      try {
        if ((await whileLeading(() => holdAutomation(deps, why))) === "not-leader") return;
      } catch (error) {
        log.warn({ err: error }, "automation not held yet; the next look does it");
        return;
      } finally {
        isBeginning = false;
      }
      const unread = await takeStock();
      if (unread !== null) log.warn({ why: unread }, "zones not read; ending the hold reads them again");
    },
    whatKeepsIt: async () => {
      if (!isHeld()) return null;
      // What isn't taken over while everything is held would look like another installation's a moment later, and hold everything again.
      const unread = await whileLeading(takeStock);
      if (unread === "not-leader") return { kind: "not-leader" };
      return unread === null ? null : { kind: "dns-away", why: unread };
    },
  };
};
