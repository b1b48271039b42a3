/**
 * Which services an evacuation or a return is of, in which order, and which drains are whose. A drain that a person made apart from any evacuation
 * is that person's standing decision: an evacuation leaves it as it is, and a return doesn't take it back. Pure.
 */
import type { EvacuatedService, Evacuation } from "@regent/contract";
import type { Control, ServiceSpec } from "@regent/engine";
import type { ServiceRecord } from "../../ports/decision-store.ts";

export interface DraftInput {
  readonly specs: ReadonlyMap<string, ServiceSpec>;
  readonly recordOf: (service: string) => ServiceRecord;
  readonly region: string;
  /** Earlier ones of this region, newest first. */
  readonly earlier: readonly Evacuation[];
}

/** By priority, then by id; all that wait, or have nothing to be done with. A return leaves out what isn't drained. */
export const draftServices = (direction: Evacuation["direction"], input: DraftInput): readonly EvacuatedService[] =>
  servicesOf(input.specs, input.region).flatMap(({ id }) => {
    const drain = input.recordOf(id).controls.drained[input.region];
    if (direction === "evacuate") return [drain ? nothing(id, apart(drain)) : waiting(id)];
    if (!drain) return [];
    return [isOfEvacuation(id, drain, input.earlier) ? waiting(id) : nothing(id, `${apart(drain)}: undrain it by itself`)];
  });

/** Those that have the region as an endpoint. */
export const servicesOf = (specs: ReadonlyMap<string, ServiceSpec>, region: string): readonly ServiceSpec[] =>
  [...specs.values()]
    .filter(({ endpoints }) => endpoints.some((endpoint) => endpoint.region === region))
    .sort((a, b) => a.priority - b.priority || (a.id < b.id ? -1 : 1));

/**
 * Whether one of them asked for this drain: not by its time, as the database's clock may have been set back since. One that was stopped may have asked for
 * more than it could write down.
 */
const isOfEvacuation = (service: string, drain: Control, evacuations: readonly Evacuation[]): boolean =>
  evacuations.some(
    (each) =>
      each.direction === "evacuate" &&
      isOwnDrain(drain, each) &&
      each.services.some(({ service: known, state, at }) => known === service && (at !== null || state === "waiting")),
  );

export const isOwnDrain = ({ by, reason }: Control, evacuation: Pick<Evacuation, "by" | "reason">): boolean =>
  by === evacuation.by && reason === evacuation.reason;

export const apart = ({ by, reason }: Control): string => `it was drained before by ${by} (${reason}), and stays so`;

const waiting = (service: string): EvacuatedService => ({ service, state: "waiting", changeId: null, why: null, at: null });
const nothing = (service: string, why: string): EvacuatedService => ({ ...waiting(service), state: "nothing", why });
