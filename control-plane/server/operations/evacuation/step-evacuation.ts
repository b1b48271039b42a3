/**
 * What an evacuation does next, and what became of what it did: from its own memory, the ledger's, and nothing else, so that the next leader goes on
 * where the last one stood. A service whose drain stands already is not asked again. Pure.
 */
import type { Change, EvacuatedService, Evacuation, Instant } from "@regent/contract";
import { EVACUATION_SERVICE_MS_MAX, EVACUATION_STEP_MS_MAX, EVACUATION_STEP_SERVICES } from "../../limits.ts";
import type { ServiceRecord } from "../../ports/decision-store.ts";
import { isUnderWay } from "../transfer/begin-transfer.ts";
import type { ManyMoves } from "../zone/request-moves.ts";
import { type AskedEach, drainOf, isServing, KEPT, moveOf } from "./ask-services.ts";
import { apart, isOwnDrain } from "./draft-evacuation.ts";

export interface Remembered {
  readonly recordOf: (service: string) => ServiceRecord;
  readonly change: (id: string) => Change | null;
  readonly lastChange: (service: string) => Change | null;
  readonly now: Instant;
}

/** Those to ask now, in their order; none while the step before isn't accepted. */
export const nextServices = ({ services }: Evacuation, now: Instant, isDue: (service: string) => boolean): readonly string[] => {
  const isStepOpen = services.some(
    ({ state, changeId, at }) => state === "moving" && changeId !== null && now - (at ?? 0) < EVACUATION_STEP_MS_MAX,
  );
  if (isStepOpen) return [];
  return services
    .filter(({ state, service }) => state === "waiting" && isDue(service))
    .slice(0, EVACUATION_STEP_SERVICES)
    .map(({ service }) => service);
};

/** A standing decision of a person isn't made twice, and not over another's. */
export const leaveAlone =
  (evacuation: Evacuation, isWanted: () => boolean): ManyMoves["leaveAlone"] =>
  (record) => {
    if (!isWanted()) return "stopped";
    const drain = drainOf(record, evacuation.region);
    const stands = evacuation.direction === "evacuate" ? drain !== undefined : !drain || drain.at > evacuation.at;
    return stands ? "stands" : null;
  };

/** What an answer makes of a service; null where it goes on waiting. */
export const afterAsking = (
  evacuation: Evacuation,
  service: string,
  asked: AskedEach,
  known: Remembered,
): EvacuatedService | null => {
  switch (asked.kind) {
    case "stopped":
    case "later":
      return null;
    case "answered": {
      const state = asked.state === "kept" || asked.state === "led" ? "moving" : asked.state;
      // Its traffic followed the role of its data, and now the drain stands too.
      if (state === "nothing" && hasFollowed(evacuation, service))
        return { service, state: "moved", changeId: null, why: null, at: known.now };
      return { service, state, changeId: asked.changeId, why: asked.why, at: known.now };
    }
    case "stands":
      return whatStands(evacuation, service, known);
  }
};

const hasFollowed = ({ services }: Evacuation, service: string): boolean =>
  services.some((each) => each.service === service && each.state === "waiting" && each.at !== null);

/** It was done before anybody could write down here that it was, or by somebody else. */
const whatStands = (evacuation: Evacuation, service: string, known: Remembered): EvacuatedService => {
  const drain = drainOf(known.recordOf(service), evacuation.region);
  const isOwn = evacuation.direction === "return" ? !drain : drain !== undefined && isOwnDrain(drain, evacuation);
  const last = known.lastChange(service);
  const change = last && isOwn && isChangeOf(last, evacuation) ? last : null;
  if (change) return { service, state: "moving", changeId: change.id, why: change.why, at: known.now };
  if (drain && isOwn && !isEmpty(known.recordOf(service), evacuation.region))
    return { service, state: "moving", changeId: null, why: KEPT, at: known.now };
  const why = drain && !isOwn ? apart(drain) : "nothing to change: it stands already";
  return { service, state: "nothing", changeId: null, why, at: known.now };
};

const isChangeOf = ({ kind, actor, times }: Change, { by, at, ...evacuation }: Evacuation): boolean =>
  kind === moveOf(evacuation).kind && actor.name === by && times.decided >= at;

/** Those of the moving ones that moved, or can't any more. */
export const followMoving = (evacuation: Evacuation, known: Remembered): readonly EvacuatedService[] =>
  evacuation.services.flatMap((each) => {
    if (each.state !== "moving") return [];
    const state = stateOf(evacuation, each, known);
    return state === null ? [] : [{ ...each, ...state, at: known.now }];
  });

const stateOf = (
  evacuation: Evacuation,
  { service, changeId, why, at }: EvacuatedService,
  known: Remembered,
): Pick<EvacuatedService, "state"> | Pick<EvacuatedService, "state" | "why"> | null => {
  const { region, direction } = evacuation;
  const record = known.recordOf(service);
  const change = changeId === null ? null : known.change(changeId);
  if (change?.times.accepted !== undefined) return { state: "moved" };
  // The change may have been lost, and the standing decision made another one.
  const drain = drainOf(record, region);
  const isDone =
    direction === "evacuate" ? drain !== undefined && isEmpty(record, region) : isNewer(known.lastChange(service), change);
  if (isDone) return { state: "moved" };
  if (direction === "evacuate" && !drain && changeId === null && why !== KEPT) return afterRole(evacuation, record, at);
  if (direction === "evacuate" && !drain) return { state: "failed", why: "its drain was taken back before it was accepted" };
  const sinceMs = known.now - (at ?? 0);
  // Nobody is fit, and it may be so for days: the decision stands, and this doesn't wait for it.
  if (changeId === null) return sinceMs < EVACUATION_STEP_MS_MAX ? null : { state: "failed" };
  if (sinceMs < EVACUATION_SERVICE_MS_MAX) return null;
  const minutes = EVACUATION_SERVICE_MS_MAX / 60_000;
  return { state: "failed", why: `not accepted within ${minutes} minutes; the decision stands, and is written when it can be` };
};

/** The writable role is led away first; then the drain is asked for again, and its traffic follows or has followed. */
const afterRole = (
  { region, at }: Evacuation,
  { transfer }: ServiceRecord,
  since: Instant | null,
): Pick<EvacuatedService, "state"> | Pick<EvacuatedService, "state" | "why"> | null => {
  if (isUnderWay(transfer) && transfer.from === region) return null;
  const isStopped = transfer?.phase === "stopped" && transfer.startedAt >= at && transfer.phaseAt >= (since ?? 0);
  return isStopped ? { state: "failed", why: transfer.why } : { state: "waiting" };
};

const isEmpty = ({ written }: ServiceRecord, region: string): boolean => written !== null && !isServing(written, region);

const isNewer = (last: Change | null, change: Change | null): boolean =>
  last !== null && last.id !== change?.id && last.times.accepted !== undefined && last.revision > (change?.revision ?? 0);

/** Its services as they are from now on. */
export const withServices = <T extends Evacuation>(evacuation: T, changed: readonly EvacuatedService[]): T => {
  const byService = new Map(changed.map((each) => [each.service, each]));
  return { ...evacuation, services: evacuation.services.map((each) => byService.get(each.service) ?? each) };
};

export const hasState = ({ services }: Evacuation, state: EvacuatedService["state"]): boolean =>
  services.some((each) => each.state === state);
