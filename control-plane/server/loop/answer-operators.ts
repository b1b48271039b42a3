/** What operators may ask the running control plane to do. Only who leads does it, but for what the database alone decides. */
import type { ServiceSpec } from "@regent/engine";
import type { Logger } from "pino";
import { type ApprovalOrder, serviceOf } from "../operations/approval/find-approval.ts";
import { refuseApproval } from "../operations/approval/refuse-approval.ts";
import { applyConfiguration } from "../operations/control/change-configuration.ts";
import { freezeRegion } from "../operations/control/freeze-region.ts";
import { setFreeze } from "../operations/control/set-freeze.ts";
import { endOverride, setOverride } from "../operations/control/set-override.ts";
import type { ControlPlane, NotHere } from "../operations/control-plane.ts";
import { dropDeadLetter, type LetterOrder, retryDeadLetter } from "../operations/dead-letters/retry-dead-letter.ts";
import type { Ledger } from "../operations/memory/ledger.ts";
import { testNotifier } from "../operations/paging/test-notifier.ts";
import type { ZoneWriter } from "../operations/zone/write-zone.ts";
import type { Clock, Ids } from "../ports/clock.ts";
import type { ConfigurationStore } from "../ports/configuration-store.ts";
import type { DeadLetters } from "../ports/dead-letters.ts";
import type { DecisionStore } from "../ports/decision-store.ts";
import type { EvidenceStore } from "../ports/evidence-store.ts";
import type { Messenger } from "../ports/notifier.ts";
import type { Alerting } from "./alerting.ts";
import type { AsLeader } from "./as-leader.ts";
import type { ConfigurationKeeper } from "./configuration-keeper.ts";
import type { Evacuating } from "./evacuating.ts";
import type { MaintenanceWatch } from "./maintenance-watch.ts";
import type { Paging } from "./paging.ts";
import type { RestoredHold } from "./restored-hold.ts";
import type { Stateful } from "./stateful.ts";

export interface OperatorParts extends AsLeader {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Logger;
  readonly evidence: EvidenceStore;
  readonly decisions: DecisionStore;
  readonly deadLetters: DeadLetters;
  readonly configurations: ConfigurationStore;
  readonly messenger: Messenger;
  readonly ledger: Ledger;
  readonly keeper: ConfigurationKeeper;
  readonly specs: () => ReadonlyMap<string, ServiceSpec>;
  readonly writerOf: (zoneId: string) => ZoneWriter;
  readonly hold: RestoredHold;
  readonly maintenance: MaintenanceWatch;
  readonly evacuating: Evacuating;
  readonly stateful: Stateful;
  readonly paging: Paging;
  readonly alerting: Alerting;
  readonly wake: (services?: Iterable<string>) => void;
}

export type OperatorAnswers = Pick<
  ControlPlane,
  | "move"
  | "own"
  | "approve"
  | "refuse"
  | "setOverride"
  | "endOverride"
  | "setFreeze"
  | "freezeRegion"
  | "planMaintenance"
  | "endMaintenance"
  | "evacuate"
  | "stopEvacuation"
  | "stopTransfer"
  | "retryDeadLetter"
  | "dropDeadLetter"
  | "acknowledgeIncident"
  | "changeAlertRule"
  | "testNotifier"
  | "applyConfiguration"
>;

export const answerOperators = (parts: OperatorParts): OperatorAnswers => {
  const { ledger, specs, writerOf, asLeader, isLeading, wake, maintenance, evacuating, stateful, paging, keeper } = parts;

  /** For a declared service, which is looked at afterwards: a dry run reads DNS too, and may have found what somebody has to do something about. */
  const onService = async <R>(service: string, work: (spec: ServiceSpec) => Promise<R>): Promise<R | NotHere> => {
    const spec = specs().get(service);
    if (!spec) return { kind: "not-found", what: `service ${service}` };
    return asLeader(async () => {
      const result = await work(spec);
      wake([service]);
      return result;
    });
  };

  /** Who leads asks it of the zone that the service is in; what nobody asked is nobody's. */
  const onApproval = async <R>(order: ApprovalOrder, work: (spec: ServiceSpec) => Promise<R>): Promise<R | NotHere> => {
    if (!isLeading()) return { kind: "not-leader" };
    const service = serviceOf([...specs().keys()].map(ledger.record), order) ?? "";
    return specs().has(service) ? onService(service, work) : { kind: "not-found", what: `approval ${order.id}` };
  };

  const onLetter = (work: typeof retryDeadLetter) => (order: LetterOrder) =>
    asLeader(() =>
      work({ ...parts, letters: parts.deadLetters, inForce: keeper.inForce, sendPageAgain: paging.book.sendAgain }, order),
    );

  return {
    move: async (order) => {
      const { move: wish } = order.request;
      const region = "region" in wish ? wish.region : wish.kind === "failover" ? wish.to : null;
      const spec = specs().get(order.service);
      if (spec && region !== null && !spec.endpoints.some((endpoint) => endpoint.region === region))
        return { kind: "not-found", what: `region ${region} of ${order.service}` };
      return onService(order.service, ({ zoneId }) => writerOf(zoneId).move(order));
    },
    own: (order) => onService(order.service, ({ zoneId }) => writerOf(zoneId).own(order)),
    approve: (order) => onApproval(order, ({ zoneId }) => writerOf(zoneId).approve(order)),
    refuse: (order) => onApproval(order, () => refuseApproval(parts, order)),
    setOverride: (order) =>
      onService(order.service, (spec) =>
        setOverride({ ...parts, move: ({ zoneId }, wish) => writerOf(zoneId).move(wish) }, spec, order),
      ),
    endOverride: (end) => onService(end.service, () => endOverride(parts, end)),
    setFreeze: async (order) => {
      if (!isLeading()) return { kind: "not-leader" };
      const kept = !order.isFrozen && order.scope.kind === "global" ? await parts.hold.whatKeepsIt() : null;
      if (kept !== null) return kept;
      return asLeader(async () => {
        const result = await setFreeze(parts, order);
        if (result.kind === "set" && result.isNew) wake(order.scope.kind === "global" ? undefined : [order.scope.service]);
        return result;
      });
    },
    freezeRegion: (order) =>
      asLeader(async () => {
        const result = await freezeRegion(parts, order);
        if ("changed" in result) wake(result.changed);
        return result;
      }),
    planMaintenance: (order) => asLeader(() => maintenance.plan(order)),
    endMaintenance: (order) => asLeader(() => maintenance.end(order)),
    evacuate: (order) => asLeader(() => evacuating.begin(order)),
    stopEvacuation: (order) => asLeader(() => evacuating.stop(order)),
    stopTransfer: (order) => asLeader(() => stateful.stop(order)),
    retryDeadLetter: onLetter(retryDeadLetter),
    dropDeadLetter: onLetter(dropDeadLetter),
    acknowledgeIncident: async (order) => {
      if (!isLeading()) return { kind: "not-leader" };
      const result = await paging.book.acknowledge(order);
      paging.wake();
      if (result.kind === "fenced") return { kind: "not-leader" };
      return result.kind === "gone" ? { kind: "not-found", what: `open incident ${order.id}` } : result;
    },
    changeAlertRule: parts.alerting.change,
    testNotifier: async (order) => {
      const { owner, notify } = keeper.need().declaration;
      const answer = await testNotifier({ ...parts, owner, notify }, order);
      return answer ? { kind: "tried", answer } : { kind: "not-found", what: `notifier ${order.id}` };
    },
    applyConfiguration: async (order) => {
      const result = await applyConfiguration(parts.configurations, order);
      // It is applied, whatever keeps us from reading it now: the poll does.
      if (result.kind === "applied" && result.answer.changed)
        await keeper.read().catch((error: unknown) => parts.log.warn({ err: error }, "configuration not read yet"));
      return result;
    },
  };
};
