/**
 * The control plane put together: intake by any replica; judging, deciding and writing by the leader; views for everybody. Implements
 * operations/control-plane.ts over ports, so that the same thing runs on Postgres and Route 53, and on memory twins.
 */
import { withPrunedOverrides } from "../operations/control/set-override.ts";
import type { ControlPlane } from "../operations/control-plane.ts";
import { createEvidenceCache } from "../operations/evidence/evidence-cache.ts";
import { createKeepDeadLetter } from "../operations/memory/keep-dead-letter.ts";
import { createLedger } from "../operations/memory/ledger.ts";
import { isHeardOf } from "../operations/verdict/await-reports.ts";
import { createJudgeServices } from "../operations/verdict/judge-services.ts";
import { createAlerting } from "./alerting.ts";
import { answerOperators } from "./answer-operators.ts";
import { answerReaders } from "./answer-readers.ts";
import { createAsLeader } from "./as-leader.ts";
import { startBackground } from "./background.ts";
import { createClockWatch } from "./clock-watch.ts";
import { createConfigurationKeeper } from "./configuration-keeper.ts";
import type { ControlPlaneDeps } from "./control-plane-deps.ts";
import { createEvacuating } from "./evacuating.ts";
import { createFollowing } from "./following.ts";
import { createIntake } from "./intake.ts";
import { createLeadership } from "./leadership.ts";
import { createLiveEvents } from "./live-events.ts";
import { createMaintenanceWatch } from "./maintenance-watch.ts";
import { createModeWatch } from "./mode-watch.ts";
import { createPaging } from "./paging.ts";
import { withReach } from "./reach.ts";
import { createReconcileLoop } from "./reconcile-loop.ts";
import { createRestoredHold } from "./restored-hold.ts";
import { registerState, stateIn } from "./state-metrics.ts";
import { createStateful } from "./stateful.ts";
import { createTelling } from "./telling.ts";
import { createTerms } from "./terms.ts";
import { createWriting } from "./writing.ts";
import { createZoneRounds } from "./zone-rounds.ts";

export interface RunningControlPlane extends ControlPlane {
  readonly start: () => Promise<void>;
  /** Not ready from now on, so that balancers and agents go elsewhere; everything still works. */
  readonly retire: () => void;
  /** Begins nothing more, lets the batch under way end or leaves it to the outbox, and only then gives the lease back. */
  readonly stop: () => Promise<void>;
}

export const createControlPlane = (deps: ControlPlaneDeps): RunningControlPlane => {
  const { clock, ids, log, metrics } = deps;
  const stopped = new AbortController();
  const stops: (() => Promise<void>)[] = [];
  let isRetiring = false;
  let leadingSince = 0;

  // What the parts ask of each other. Any of them may be made after those that ask, so it is looked up when asked.
  const isLeading = (): boolean => leadership.isLeading();
  const mayAct = (): boolean => isLeading() && !stopped.signal.aborted;
  const onFenced = (term: number): void => void leadership.stepDown(term);
  const wake = (services?: Iterable<string>): void => loop.wake(services);
  const wakeIfLeading = (): void => {
    if (isLeading()) wake();
  };
  const declaration = () => keeper.inForce()?.declaration ?? null;
  const onTold = (): void => {
    emit();
    paging.wake();
  };

  const { emit, subscribe } = createLiveEvents(deps);
  const keeper = createConfigurationKeeper({
    ...deps,
    onNew: ({ specs: services }) => {
      writing.keepOnly(services);
      wakeIfLeading();
      emit();
    },
  });
  const { specs, need: inForce } = keeper;
  const ledger = createLedger({
    store: deps.decisions,
    holder: deps.holder,
    specs,
    onCommitted: (services) => {
      emit(services);
      paging.wake();
      evacuating.wake();
    },
  });
  const cache = createEvidenceCache(deps.evidence, () => inForce().declaration, keeper.reportMs, clock.now);
  const provider = withReach({
    provider: deps.provider,
    monotonic: clock.monotonic,
    term: () => (isLeading() ? leadership.term() : 0),
    giveUp: (why) => void leadership.giveUp(why),
  });
  const keepDeadLetter = createKeepDeadLetter({ clock, ids, log, letters: deps.deadLetters, onKept: metrics.deadLetterKept });
  /** What most parts are given. */
  const common = {
    ...deps,
    provider,
    keeper,
    specs,
    ledger,
    cache,
    keepDeadLetter,
    configurationVersion: () => inForce().version,
    declaration,
    leadingSince: () => leadingSince,
    agentsReleasedAt: cache.releasedAt,
    isLeading,
    onFenced,
    wake,
    emit,
    signal: stopped.signal,
  };

  const paging = createPaging({ ...common, term: () => ledger.term() });
  const alerting = createAlerting({
    ...common,
    store: deps.alerts,
    metrics: metrics.source,
    term: () => ledger.term(),
    isLeading: mayAct,
    onTold,
  });
  const maintenance = createMaintenanceWatch({
    ...common,
    declared: declaration,
    onNew: () => {
      wakeIfLeading();
      emit();
    },
  });
  const telling = createTelling(common);
  const stateful = createStateful({ ...common, isLeading: mayAct });
  const writing = createWriting({
    ...common,
    zonesDeclared: () => inForce().declaration.zones,
    verdictsOf: (service) => loop.verdictsOf(service),
    databasesOf: stateful.see,
    mayWrite: () => mayAct() && modes.mayWrite(),
    onDnsTerm: (term) => leadership.sawTerm(term),
    onRestored: (why) => void hold.begin(why),
    onStranded: (service) => zones.lookSoon(service),
  });
  const { writerOf } = writing;
  const zones = createZoneRounds({ ...common, writerOf });
  const judge = createJudgeServices({ ...common, maintenance: maintenance.look, onSuspects: telling.noteSuspects });
  const loop = createReconcileLoop({
    ...common,
    judge: withPrunedOverrides({ ledger, ids }, judge),
    writerOf,
    stateful,
    onLooked: (measured) => {
      metrics.looked(measured);
      if (measured.decided > 0) paging.looked();
    },
  });
  const { asLeader, whileLeading } = createAsLeader(common);
  const hold = createRestoredHold({ ...common, asLeader, whileLeading, takeStock: zones.takeStock });
  const evacuating = createEvacuating({
    ...common,
    isLeading: mayAct,
    isHeard: (service) => {
      const spec = specs().get(service);
      return !spec || isHeardOf(spec, loop.verdictsOf(service), { leadingSince, now: clock.now() });
    },
    askZone: (zoneId, many) => whileLeading(() => writerOf(zoneId).moveMany(many)),
    onTold,
    onAsked: wake,
  });
  const clockWatch = createClockWatch({
    ...common,
    onStep: (step) => {
      metrics.clockJumped(step);
      // What was heard ahead of the new time is not heard; what is remembered moves along before anything is decided by it.
      cache.clear();
      stateful.forget();
      if (leadership.term() !== 0) leadership.startOver("the database's clock jumped");
      else void intake.refreshSoon("");
      emit();
    },
  });
  const following = createFollowing(common);
  const modes = createModeWatch({
    ...common,
    facts: () => ({
      isLeading: isLeading(),
      isLed: following.leaderNow() !== null,
      frozen: ledger.freeze()?.reason ?? null,
    }),
    onIsolated: () => leadership.stepDown(),
    onChange: () => {
      // What was held back is looked at as soon as it may be done.
      wakeIfLeading();
      emit();
    },
  });
  const intake = createIntake({ ...common, inForce: keeper.inForce, noteWrite: modes.noteWrite });
  const parts = {
    ...common,
    paging,
    alerting,
    maintenance,
    telling,
    stateful,
    writing,
    writerOf,
    zones,
    loop,
    asLeader,
    whileLeading,
    hold,
    evacuating,
    clockWatch,
    following,
    modes,
    isRetiring: () => isRetiring,
    onBegun: (at: number) => {
      leadingSince = at;
    },
  };
  const leadership = createLeadership({ ...deps, ...createTerms(parts), mayLead: modes.mayLead });
  metrics.watchMode(() => modes.view().mode);
  registerState(metrics.registry, {
    ...stateIn(ledger, cache, specs),
    declaration,
    pagesWaitSince: paging.waitSince,
    now: clock.now,
  });

  return {
    ...answerReaders(parts),
    ...answerOperators(parts),
    ingestReport: intake.take,
    subscribe,
    databaseHealth: deps.databaseHealth,
    metrics: metrics.text,
    countRefusal: metrics.refused,
    start: async () => {
      await keeper.read();
      stops.push(
        await deps.configurations.onApplied(
          () => void keeper.read().catch((error: unknown) => log.warn({ err: error }, "configuration not read")),
        ),
      );
      stops.push(await deps.evidence.onChanged((agent) => void intake.refreshSoon(agent)));
      leadership.start();
      stops.push(...startBackground(parts));
    },
    retire: () => {
      isRetiring = true;
      emit();
    },
    stop: async () => {
      isRetiring = true;
      stopped.abort();
      await loop.stop();
      await writing.idle();
      await paging.end();
      await leadership.stop();
      // Leadership may have been gained between the two.
      await loop.stop();
      for (const stop of stops) await stop();
    },
  };
};
