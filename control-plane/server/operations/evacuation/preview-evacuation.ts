/** What an evacuation would do now, service by service, with the answers of all rules. Moves nothing, and nothing is remembered of it. */
import type { EvacuatedService, Evacuation, EvacuationPreview } from "@regent/contract";
import { type AskDeps, type AskedEach, askServices } from "./ask-services.ts";

export const previewEvacuation = async (deps: AskDeps, evacuation: Evacuation): Promise<readonly EvacuationPreview[]> => {
  const services = evacuation.services.filter(({ state }) => state === "waiting").map(({ service }) => service);
  const asked = await askServices(deps, { evacuation, services, dryRun: true, leaveAlone: () => null });
  return evacuation.services.map((each) => toPreview(each, asked.get(each.service)));
};

const toPreview = ({ service, why }: EvacuatedService, asked: AskedEach | undefined): EvacuationPreview => {
  if (asked?.kind === "later") return { service, state: "waiting", why: asked.why, answer: null };
  if (asked?.kind !== "answered") return { service, state: "nothing", why: why ?? "", answer: null };
  const { batch: _batch, ...answer } = asked.answer ?? { batch: [] };
  return {
    service,
    state: stateByAsked[asked.state],
    why: asked.why,
    answer: "rules" in answer ? answer : null,
  };
};

/** What leads a role first can't be said to move before the role is there. */
const stateByAsked = {
  moving: "moved",
  led: "waiting",
  kept: "failed",
  nothing: "nothing",
  refused: "refused",
  failed: "failed",
} as const;
