/** An operator's wish as one batch, built and checked by the functions that the server builds its own with. Sends nothing. */
import type { Epoch, Observed, ServiceBatch, ServiceSpec } from "@regent/engine";
import { checkBatch } from "@regent/engine/invariants.ts";
import { type OfflinePlanned, type OfflineWish, planOffline } from "@regent/engine/plan/offline.ts";
import { buildOfflineBatch, renderOffline, targetWarnings } from "@regent/engine/plan/offline-batch.ts";
import { toEpoch } from "@regent/server/operations/zone/write-ahead.ts";

export interface OfflineWrite {
  readonly wish: OfflineWish;
  readonly plan: OfflinePlanned;
  /** The record that will stand in DNS. */
  readonly epoch: Epoch;
  readonly batch: ServiceBatch;
  /** Why Route 53 may not answer the region that is to serve, whatever its weight; a sentence each. */
  readonly warnings: readonly string[];
  /** Kept by AWS beside the change: the epoch record has no room for a reason. */
  readonly comment: string;
}

export type Drafted =
  | { readonly kind: "drafted"; readonly write: OfflineWrite }
  | { readonly kind: "standing" | "refused"; readonly why: string };

export interface Asked {
  readonly wish: OfflineWish;
  readonly reason: string;
  readonly ulid: string;
}

export const draftWrite = (spec: ServiceSpec, observed: Observed, { wish, reason, ulid }: Asked): Drafted => {
  const plan = planOffline(spec, observed, wish);
  if (plan.kind !== "planned") return plan;
  const mark = { revision: plan.epoch.revision + 1, term: plan.epoch.term, ulid };
  const epoch = toEpoch(plan.spec, mark, "frozen", renderOffline(plan, observed));
  const batch = buildOfflineBatch(plan, observed, epoch);
  const violations = checkBatch({ spec: plan.spec, batch });
  if (violations.length > 0) return { kind: "refused", why: `The batch breaks an invariant: ${violations.join(" ")}` };
  return {
    kind: "drafted",
    write: { wish, plan, epoch, batch, warnings: targetWarnings(wish, batch), comment: toComment(spec, wish, reason) },
  };
};

export const wishText = (wish: OfflineWish): string => (wish.kind === "failover" ? `failover to ${wish.to}` : "freeze");

const COMMENT_CHARACTERS_MAX = 250;

const toComment = ({ id }: ServiceSpec, wish: OfflineWish, reason: string): string =>
  `regent offline ${id}: ${wishText(wish)}: ${reason}`.slice(0, COMMENT_CHARACTERS_MAX);
