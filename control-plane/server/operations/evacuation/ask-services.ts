/**
 * Asks one move for several services, zone by zone, each zone in one turn. Tells what became of each in an evacuation's words. The same for what is
 * done and for a dry run.
 */
import type { EvacuatedService, Evacuation, MoveAnswer, Weights } from "@regent/contract";
import type { OperatorMove, ServiceSpec } from "@regent/engine";
import type { ServiceRecord } from "../../ports/decision-store.ts";
import type { MoveOrder } from "../zone/request-move.ts";
import type { EachMove, ManyMoved, ManyMoves } from "../zone/request-moves.ts";

export type AskZone = (zoneId: string, many: ManyMoves) => Promise<ManyMoved | { readonly kind: "too-many" } | "not-leader">;

export interface AskDeps {
  readonly specs: () => ReadonlyMap<string, ServiceSpec>;
  readonly askZone: AskZone;
}

type Asked = Pick<Evacuation, "direction" | "region" | "by" | "reason" | "breakGlass">;

export interface AskOrder extends Pick<ManyMoves, "leaveAlone"> {
  readonly evacuation: Asked;
  readonly services: readonly string[];
  readonly dryRun: boolean;
}

/** `later`: nothing was done, and asking again is right. `stands`: somebody's decision is there already. */
export type AskedEach =
  | { readonly kind: "stands" | "stopped" }
  | { readonly kind: "later"; readonly why: string }
  | {
      readonly kind: "answered";
      /** `kept`: the drain stands, and the traffic stays until somebody is fit to take it. `led`: it follows the writable role of its data. */
      readonly state: Exclude<EvacuatedService["state"], "waiting" | "moved"> | "kept" | "led";
      readonly changeId: string | null;
      readonly why: string;
      readonly answer: MoveAnswer | null;
    };

export const moveOf = ({ direction, region }: Pick<Asked, "direction" | "region">): OperatorMove => ({
  kind: direction === "evacuate" ? "drain" : "undrain",
  region,
});

export const askServices = async (deps: AskDeps, order: AskOrder): Promise<ReadonlyMap<string, AskedEach>> => {
  const zones = new Map<string, MoveOrder[]>();
  const answers = new Map<string, AskedEach>();
  for (const service of order.services) {
    const spec = deps.specs().get(service);
    if (!spec?.endpoints.some(({ region }) => region === order.evacuation.region)) answers.set(service, GONE);
    else zones.set(spec.zoneId, [...(zones.get(spec.zoneId) ?? []), toOrder(service, order)]);
  }
  await Promise.all(
    [...zones].map(async ([zoneId, orders]) => {
      const asked = await deps.askZone(zoneId, { orders, leaveAlone: order.leaveAlone });
      for (const { service } of orders) answers.set(service, toAsked(asked, service, order));
    }),
  );
  return answers;
};

const toOrder = (service: string, { evacuation, dryRun }: AskOrder): MoveOrder => ({
  service,
  request: { move: moveOf(evacuation), by: evacuation.by, reason: evacuation.reason, breakGlass: evacuation.breakGlass },
  dryRun,
  expectedRevision: null,
});

const settledAs = (
  state: "moving" | "kept" | "led" | "nothing" | "refused" | "failed",
  why: string,
  answer: MoveAnswer | null = null,
): AskedEach => ({
  kind: "answered",
  state,
  changeId: answer?.changeId ?? null,
  why,
  answer,
});
const later = (why: string): AskedEach => ({ kind: "later", why });

const GONE = settledAs("nothing", "it isn't declared there any more");

const toAsked = (asked: Awaited<ReturnType<AskZone>>, service: string, order: AskOrder): AskedEach => {
  if (asked === "not-leader") return later("another process leads now");
  if ("kind" in asked) return later("too many changes of its zone are waiting");
  const each = asked.get(service);
  return each ? toEach(each, order) : GONE;
};

const toEach = (each: EachMove, order: AskOrder): AskedEach => {
  switch (each.kind) {
    case "stands":
    case "stopped":
      return { kind: each.kind };
    case "answered":
      return ofAnswer(each.answer, order);
    case "refused-by-rule":
      return settledAs("refused", each.answer.why, each.answer);
    case "name-taken":
    case "override-stands":
      return settledAs("refused", each.why);
    case "broken-invariant":
      return settledAs("failed", "the batch would have broken an invariant of ours, and nothing was sent");
    case "undecided":
      return settledAs("failed", "it could not be decided, which is a bug of ours; its traffic stays");
    case "dns-away":
      return later(`DNS could not be read: ${each.why}`);
    case "change-in-flight":
    case "stale-revision":
      return later("its first write is under way");
    case "too-many":
      return later("too many changes of its zone are waiting");
  }
};

/** A dry run says of a refusal too what would be written. A drain may stand without a move: nobody fit could take the traffic. */
const ofAnswer = (answer: MoveAnswer, { dryRun, evacuation }: AskOrder): AskedEach => {
  if (answer.changeId !== null || (dryRun && answer.allowed)) return settledAs("moving", answer.why, answer);
  if (dryRun && answer.batch.length > 0) return settledAs(isRoleFirst(answer) ? "led" : "refused", answer.why, answer);
  // Of a stateful service: the writable role goes first.
  if (!dryRun && answer.allowed) return settledAs("led", answer.why, answer);
  const isKept = evacuation.direction === "evacuate" && isServing(answer.weightsAfter, evacuation.region);
  return isKept ? settledAs("kept", KEPT, answer) : settledAs("nothing", answer.why, answer);
};

/** Nothing but the place of the data stands in the way, and it is led elsewhere first. */
const isRoleFirst = ({ rules }: MoveAnswer): boolean => {
  const standing = rules.filter(({ answer, skipped }) => answer !== "allow" && answer !== "clamp" && !skipped);
  return standing.length === 1 && standing.every(({ rule, answer }) => rule === "A7" && answer === "defer");
};

/** Somebody still gets answers of it. */
export const isServing = (weights: Weights, region: string): boolean =>
  Object.values(weights).some((each) => (each[region] ?? 0) > 0);

export const KEPT = "its traffic stays, as no other region is fit to take it; the drain stands, and it leaves as soon as one is";

/** Who has drained the region at this service, if anybody. */
export const drainOf = ({ controls }: ServiceRecord, region: string) => controls.drained[region];
