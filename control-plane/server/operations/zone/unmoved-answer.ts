/** What whoever asked is answered when no traffic moves. Pure. */
import type { MoveAnswer } from "@regent/contract";
import type { ServiceRecord } from "../../ports/decision-store.ts";

export const toUnmovedAnswer = (
  { traffic, written, revision }: Pick<ServiceRecord, "traffic" | "written" | "revision">,
  { dryRun, why }: Pick<MoveAnswer, "dryRun" | "why">,
): MoveAnswer => ({
  dryRun,
  allowed: false,
  why,
  changeId: null,
  revision,
  sharesBefore: traffic.shares,
  sharesAfter: traffic.shares,
  weightsBefore: written ?? {},
  weightsAfter: written ?? {},
  rules: [],
  batch: [],
});
