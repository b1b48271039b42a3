/** What `regent offline` shows: what stands in DNS, what would be written, and what became of it. Pure. */
import type { Weights } from "@regent/contract";
import type { Observed, ServiceSpec } from "@regent/engine";
import { toBatchLines } from "@regent/engine/plan/batch.ts";
import { differencesFromDeclared, planOffline } from "@regent/engine/plan/offline.ts";
import { readLargestWeights } from "@regent/engine/plan/record-sets.ts";
import { toBatchLine } from "../format/move.ts";
import { weightsText } from "../format/numbers.ts";
import type { Paint } from "../format/paint.ts";
import { toTable } from "../format/table.ts";
import { type OfflineWrite, wishText } from "./draft-write.ts";
import type { Sent } from "./send-write.ts";

export const OFFLINE_NOTICE =
  "Offline: Route 53 itself is read and written. No control plane is asked and nothing is probed: whether a region can serve, you have to know.";

/** One service as DNS holds it. */
export interface OfflineView {
  readonly service: string;
  readonly name: string;
  readonly mode: "auto" | "frozen" | "none";
  readonly owner: string | null;
  readonly revision: number | null;
  readonly term: number | null;
  readonly ulid: string | null;
  readonly weights: Weights;
  /** Why the offline commands would not write it; null when they would. */
  readonly problem: string | null;
  readonly differences: readonly string[];
}

export const toOfflineView = (spec: ServiceSpec, observed: Observed): OfflineView => {
  const { epoch } = observed;
  const plan = planOffline(spec, observed, { kind: "freeze" });
  return {
    service: spec.id,
    name: spec.name,
    mode: epoch?.mode ?? "none",
    owner: epoch?.owner ?? null,
    revision: epoch?.revision ?? null,
    term: epoch?.term ?? null,
    ulid: epoch?.ulid ?? null,
    weights: readLargestWeights(plan.kind === "planned" ? plan.spec : spec, observed),
    problem: plan.kind === "refused" ? plan.why : null,
    differences: differencesFromDeclared(spec, observed),
  };
};

export const toOfflineViews = (views: readonly OfflineView[], paint: Paint): string[] => [
  OFFLINE_NOTICE,
  "",
  ...toTable([
    ["SERVICE", "IN DNS", "REVISION", "TERM", "WEIGHTS"].map(paint.dim),
    ...views.map(({ service, mode, revision, term, weights }) => [
      service,
      mode === "frozen" ? paint.warn("frozen") : mode,
      String(revision ?? "-"),
      String(term ?? "-"),
      weightsText(weights),
    ]),
  ]),
  ...views.flatMap(({ service, problem, differences }) => [
    ...(problem === null ? [] : [`${service}: ${problem}`]),
    ...(problem === null ? differences.map((line) => `${service}: ${line}`) : []),
  ]),
];

export const toOfflineWrite = ({ wish, plan, epoch, batch, warnings }: OfflineWrite, paint: Paint): string[] => [
  `${paint.bold(plan.spec.id)}: ${wishText(wish)}; revision ${plan.epoch.revision} -> ${epoch.revision} of term ${epoch.term}, frozen in DNS from then on`,
  `weights ${weightsText(plan.weightsBefore)} -> ${weightsText(plan.weightsAfter)}`,
  ...(plan.differences.length === 0
    ? []
    : [paint.bold("not as declared, and left so"), ...plan.differences.map((line) => ` ${line}`)]),
  paint.bold("batch"),
  ...toBatchLines(batch).map(toBatchLine),
  // Last, where the question follows.
  ...warnings.map((line) => paint.warn(`! ${line}`)),
];

/** One sentence, and what stands in DNS where it isn't what was asked for. */
export const toOfflineOutcome = ({ plan, epoch }: OfflineWrite, sent: Sent): string => {
  const { id } = plan.spec;
  switch (sent.kind) {
    case "done":
      return `${id}: written, revision ${epoch.revision} (${epoch.ulid}): ${sent.why}. Controllers that come back leave it so, frozen, until \`regent unfreeze ${id}\`.`;
    case "refused":
      return `${id}: not written: ${sent.why}.${nowText(plan.spec, sent.now)}`;
    case "unknown":
      return `${id}: it isn't known whether it was written: ${sent.why}.${nowText(plan.spec, sent.now)}`;
    case "not-sent":
      return `${id}: not sent: ${sent.why}.`;
  }
};

const nowText = (spec: ServiceSpec, now: Observed | null): string => {
  if (now === null) return "";
  const { epoch } = now;
  if (epoch === null) return ` Now there is no epoch record ${spec.epochName}.`;
  const { owner, term, revision, ulid, mode } = epoch;
  const weights = weightsText(readLargestWeights(spec, now));
  return ` Now DNS holds revision ${revision} of term ${term} (${owner}, ${ulid}), ${mode === "frozen" ? "frozen" : "not frozen"}, with ${weights}.`;
};
