/** A decision that lacks nothing but a person's word becomes an approval that waits: remembered, told once, and paged. */
import type { Instant } from "@regent/contract";
import type { Decision, ServiceSpec } from "@regent/engine";
import type { Clock, Ids } from "../../ports/clock.ts";
import type { HistoryEntry } from "../../ports/decision-store.ts";
import { AUTOMATION } from "../memory/actors.ts";
import type { Draft } from "../memory/ledger.ts";
import { awaitedUntil } from "../verdict/await-reports.ts";
import { type Reviewed, reviewApproval, type Told } from "./review-approval.ts";

export interface AskDeps {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly leadingSince: () => Instant;
}

/** Into the commit that is being built; null when nothing changed, or when it is too early to say. */
export const askApproval = (deps: AskDeps, draft: Draft, spec: ServiceSpec, decision: Decision): Reviewed | null => {
  const now = deps.clock.now();
  if (!isHeard(spec, { leadingSince: deps.leadingSince(), now })) return null;
  const reviewed = reviewApproval({ spec, approval: draft.record(spec.id).approval, decision, now }, deps.ids.ulid);
  if (!reviewed) return null;
  draft.update(spec.id, (record) => ({ ...record, approval: reviewed.approval }));
  for (const told of reviewed.told) draft.tell(toEntry(deps.ids.ulid(), now, told));
  return reviewed;
};

/** A new leader hasn't heard everybody yet: what waits would seem to rest on other evidence, and nobody is got up for what nobody has said. */
export const isHeard = (spec: ServiceSpec, { leadingSince, now }: { leadingSince: Instant; now: Instant }): boolean =>
  now >= awaitedUntil(spec, leadingSince);

export const toEntry = (id: string, at: Instant, { approval, why, page }: Told, actor = AUTOMATION): HistoryEntry => ({
  id,
  at,
  service: approval.service,
  kind: "approval",
  actor,
  why,
  page,
  detail: { approval },
});
