/** Who leads, as seen from here, and what who doesn't lead reads of what the leader writes. */
import type { Overview } from "@regent/contract";
import type { ServiceSpec } from "@regent/engine";
import type { EvidenceCache } from "../operations/evidence/evidence-cache.ts";
import type { Ledger } from "../operations/memory/ledger.ts";
import type { Clock } from "../ports/clock.ts";
import type { Lease, LeaseView } from "../ports/lease.ts";
import type { ConfigurationKeeper } from "./configuration-keeper.ts";

export interface FollowingDeps {
  readonly holder: string;
  readonly clock: Clock;
  readonly lease: Lease;
  readonly ledger: Ledger;
  readonly cache: EvidenceCache;
  readonly keeper: ConfigurationKeeper;
  readonly specs: () => ReadonlyMap<string, ServiceSpec>;
  readonly isLeading: () => boolean;
}

export interface Following {
  readonly leaderNow: () => Overview["leader"];
  readonly round: () => Promise<void>;
}

export const createFollowing = ({ holder, clock, lease, ledger, cache, keeper, specs, isLeading }: FollowingDeps): Following => {
  let seen: LeaseView | null = null;
  return {
    /** As last read, and only as long as that lease runs: with the database away, nobody is known to lead. */
    leaderNow: () => {
      if (isLeading()) return { holder, term: ledger.term(), self: true };
      if (!seen || seen.expiresAt <= clock.now()) return null;
      return { holder: seen.holder, term: seen.term, self: seen.holder === holder };
    },
    round: async () => {
      seen = await lease.read();
      if (isLeading()) return;
      await keeper.read();
      if (!keeper.inForce()) return;
      await ledger.load(specs());
      await cache.refresh();
    },
  };
};
