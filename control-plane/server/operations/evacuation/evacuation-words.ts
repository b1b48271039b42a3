/** What is told of an evacuation, in history and in refusals. Pure. */
import type { Actor, EvacuatedService, Evacuation, Instant } from "@regent/contract";
import type { HistoryEntry } from "../../ports/decision-store.ts";

type State = EvacuatedService["state"];

/** Services named in a sentence; the count says how many there are. */
const NAMED_MAX = 10;
/** Of each kind in an entry's detail. */
const LISTED_MAX = 200;

const wordByState: Readonly<Record<State, string>> = {
  moved: "moved",
  moving: "moving",
  waiting: "not moved",
  nothing: "had nothing to move",
  refused: "refused",
  failed: "failed",
};

export const of = ({ services }: Pick<Evacuation, "services">, ...states: readonly State[]): readonly string[] =>
  services.filter(({ state }) => states.includes(state)).map(({ service }) => service);

/** `197 moved, 2 refused, 1 had nothing to move`. */
export const countsText = (evacuation: Pick<Evacuation, "services">): string => {
  const parts = (["moved", "moving", "waiting", "refused", "failed", "nothing"] as const).flatMap((state) => {
    const { length } = of(evacuation, state);
    return length === 0 ? [] : [`${length} ${wordByState[state]}`];
  });
  return parts.length === 0 ? "no service was drained there" : parts.join(", ");
};

const nounOf = ({ direction, region }: Pick<Evacuation, "direction" | "region">): string =>
  direction === "evacuate" ? `the evacuation of ${region}` : `the return to ${region}`;

export const begunText = (evacuation: Evacuation): string => {
  const { by, reason, region, direction, services, breakGlass } = evacuation;
  const skipped = breakGlass.length === 0 ? "" : `, skipping ${breakGlass.join(", ")}`;
  const verb = direction === "evacuate" ? "evacuates" : "returns to";
  return `${by} ${verb} ${region}, ${of(evacuation, "waiting").length} of ${services.length} services to move${skipped}: ${reason}`;
};

export const endedText = (evacuation: Evacuation): string =>
  `${nounOf(evacuation)} is done: ${countsText(evacuation)}${leftText(of(evacuation, "refused", "failed"))}`;

export const stoppedText = (evacuation: Evacuation, { by, reason }: { readonly by: string; readonly reason: string }): string =>
  `${by} stopped ${nounOf(evacuation)}: ${reason}; ${countsText(evacuation)}; what moved stays where it is`;

/** Why a second one has to wait. */
export const runningText = ({ id, by, reason, region, direction, ...evacuation }: Evacuation): string =>
  `${by} ${direction === "evacuate" ? "is evacuating" : "is returning to"} ${region} (${reason}): ${countsText(evacuation)}; stop it first, or wait: regent region stop ${id}`;

const leftText = (services: readonly string[]): string => {
  if (services.length === 0) return "";
  const more = services.length > NAMED_MAX ? ` and ${services.length - NAMED_MAX} more` : "";
  return `; look at ${services.slice(0, NAMED_MAX).join(", ")}${more}`;
};

export const toEntry = (
  evacuation: Evacuation,
  told: {
    readonly id: string;
    readonly at: Instant;
    readonly actor: Actor;
    readonly step: "begun" | "ended" | "stopped";
    readonly why: string;
  },
): HistoryEntry => {
  const left = of(evacuation, "refused", "failed");
  const { id, region, direction } = evacuation;
  const counts = Object.fromEntries(
    (Object.keys(wordByState) as State[]).map((state) => [state, of(evacuation, state).length] as const),
  );
  return {
    id: told.id,
    at: told.at,
    service: null,
    kind: "evacuation",
    actor: told.actor,
    why: told.why,
    page: told.step === "ended" && left.length > 0,
    detail: { step: told.step, evacuation: id, region, direction, counts, left: left.slice(0, LISTED_MAX) },
  };
};
