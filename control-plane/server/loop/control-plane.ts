/**
 * The control plane put together: intake by any replica; judging, deciding and writing by the leader; views for everybody. Implements
 * operations/control-plane.ts over ports, so that the same thing runs on Postgres and Route 53, and on memory twins.
 */
import { setInterval as every } from "node:timers/promises";
import type { LiveEvent, Overview } from "@regent/contract";
import type { ServiceSpec } from "@regent/engine";
import { rankOf } from "@regent/engine/plan/order.ts";
import type { Logger } from "pino";
import {
  AGGREGATES_KEPT_MS,
  ALERT_ROUND_MS,
  DEAD_LETTERS_LOOK_MS,
  DRIFT_SCAN_MS,
  EVACUATION_POLL_MS,
  MODE_ROUND_MS,
  PAGE_POLL_MS,
  POLL_MS,
  RECORDING_TURNS_MAX,
  RETENTION_EVERY_MS,
  SUSPECTS_LOOK_MS,
  TRANSITIONS_KEPT_MS,
} from "../limits.ts";
import { type ApprovalOrder, serviceOf } from "../operations/approval/find-approval.ts";
import { listApprovals } from "../operations/approval/list-approvals.ts";
import { refuseApproval } from "../operations/approval/refuse-approval.ts";
import type { ConfigurationSigner } from "../operations/configuration/configuration-in-force.ts";
import { applyConfiguration, planConfiguration } from "../operations/control/change-configuration.ts";
import { freezeRegion } from "../operations/control/freeze-region.ts";
import { holdAutomation, setFreeze } from "../operations/control/set-freeze.ts";
import {
  endOverride,
  type OverrideEnd,
  type OverrideOrder,
  setOverride,
  withPrunedOverrides,
} from "../operations/control/set-override.ts";
import type { ControlPlane, DatabaseHealth, FreezeOrder, NotHere, Readiness } from "../operations/control-plane.ts";
import { dropDeadLetter, type LetterOrder, retryDeadLetter } from "../operations/dead-letters/retry-dead-letter.ts";
import { createTellDeadLetters } from "../operations/dead-letters/tell-dead-letters.ts";
import { createEvidenceCache } from "../operations/evidence/evidence-cache.ts";
import { createIngestReport } from "../operations/evidence/ingest-report.ts";
import { createNoteTwin } from "../operations/evidence/note-twin.ts";
import { AUTOMATION } from "../operations/memory/actors.ts";
import { boundsAt, createKeepDeadLetter } from "../operations/memory/keep-dead-letter.ts";
import { createLedger, LeadershipLost } from "../operations/memory/ledger.ts";
import type { ModeRound } from "../operations/modes.ts";
import { toIncident } from "../operations/paging/follow-history.ts";
import { testNotifier } from "../operations/paging/test-notifier.ts";
import { toExplanation, toOverview, toServiceState, type ViewSources } from "../operations/read-overview.ts";
import { isHeardOf } from "../operations/verdict/await-reports.ts";
import { createJudgeServices } from "../operations/verdict/judge-services.ts";
import { createTellSuspects } from "../operations/verdict/tell-suspects.ts";
import { shareProgress } from "../operations/verification/share-progress.ts";
import { createVerifyChange } from "../operations/verification/verify-change.ts";
import { createDeliver } from "../operations/zone/deliver-batches.ts";
import type { OwnOrder } from "../operations/zone/own-name.ts";
import { createZoneReader } from "../operations/zone/read-zone.ts";
import type { MoveOrder } from "../operations/zone/request-move.ts";
import { createZoneWriter, type ZoneWriter } from "../operations/zone/write-zone.ts";
import type { AlertStore } from "../ports/alert-store.ts";
import { type Clock, type Ids, surelyPast } from "../ports/clock.ts";
import type { ConfigurationStore } from "../ports/configuration-store.ts";
import { DatabaseAway } from "../ports/database-away.ts";
import type { DeadLetters } from "../ports/dead-letters.ts";
import type { DecisionStore } from "../ports/decision-store.ts";
import type { DnsProvider } from "../ports/dns-provider.ts";
import type { Evacuations } from "../ports/evacuations.ts";
import type { EvidenceStore } from "../ports/evidence-store.ts";
import type { HookCaller } from "../ports/hook-caller.ts";
import type { Lease, LeaseView } from "../ports/lease.ts";
import type { MaintenanceStore } from "../ports/maintenance-store.ts";
import type { Messenger } from "../ports/notifier.ts";
import type { Pages } from "../ports/pages.ts";
import type { Recordings } from "../ports/recordings.ts";
import type { Resolver } from "../ports/resolver.ts";
import type { RoleReader } from "../ports/role-reader.ts";
import { createAlerting } from "./alerting.ts";
import { createClockWatch } from "./clock-watch.ts";
import { createConfigurationKeeper } from "./configuration-keeper.ts";
import { createEvacuating } from "./evacuating.ts";
import { createFollowChanges } from "./follow-changes.ts";
import { createLeadership } from "./leadership.ts";
import { createMaintenanceWatch } from "./maintenance-watch.ts";
import type { Metrics } from "./metrics.ts";
import { createModeWatch } from "./mode-watch.ts";
import { createPaging } from "./paging.ts";
import { withReach } from "./reach.ts";
import { createReconcileLoop } from "./reconcile-loop.ts";
import { createSeenWatch, SEEN_PERIOD_MS } from "./seen-watch.ts";
import { createServerBook } from "./server-book.ts";
import { registerState } from "./state-metrics.ts";
import { createStateful } from "./stateful.ts";

export interface ControlPlaneDeps {
  readonly holder: string;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly evidence: EvidenceStore;
  readonly decisions: DecisionStore;
  readonly deadLetters: DeadLetters;
  readonly pages: Pages;
  readonly recordings: Recordings;
  readonly alerts: AlertStore;
  readonly maintenance: MaintenanceStore;
  readonly evacuations: Evacuations;
  readonly messenger: Messenger;
  readonly hooks: HookCaller;
  readonly roles: RoleReader;
  readonly configurations: ConfigurationStore;
  readonly lease: Lease;
  readonly provider: DnsProvider;
  readonly resolver: Resolver;
  readonly signer: ConfigurationSigner;
  /** Zone name -> `ip:port` of its authoritative servers, where they aren't those of its delegation. */
  readonly nameServers: Readonly<Record<string, readonly string[]>>;
  readonly resolvers: readonly string[];
  readonly databaseHealth: () => Promise<DatabaseHealth>;
  /** Whether anything outside answers this process. */
  readonly outside: () => Promise<ModeRound["outside"]>;
}

export interface RunningControlPlane extends ControlPlane {
  readonly start: () => Promise<void>;
  /** Not ready from now on, so that balancers and agents go elsewhere; everything still works. */
  readonly retire: () => void;
  /** Begins nothing more, lets the batch under way end or leaves it to the outbox, and only then gives the lease back. */
  readonly stop: () => Promise<void>;
}

export const createControlPlane = (deps: ControlPlaneDeps): RunningControlPlane => {
  const { clock, ids, log, metrics } = deps;
  const provider = withReach({
    provider: deps.provider,
    monotonic: clock.monotonic,
    term: () => (leadership.isLeading() ? leadership.term() : 0),
    giveUp: (why) => void leadership.giveUp(why),
  });
  const stopped = new AbortController();
  const listeners = new Set<(event: LiveEvent) => void>();
  const writers = new Map<string, ZoneWriter>();
  const stops: (() => Promise<void>)[] = [];
  let isRetiring = false;

  const keeper = createConfigurationKeeper({
    configurations: deps.configurations,
    signer: deps.signer,
    log,
    onNew: ({ specs: services }) => {
      seen.keepOnly(services);
      if (leadership.isLeading()) loop.wake();
      emit("overview", []);
    },
  });
  const { specs, need: inForce } = keeper;

  const emit = (kind: LiveEvent["kind"], services: readonly string[]): void => {
    const at = clock.now();
    for (const service of services.length > 0 ? services : [null])
      for (const listener of listeners) tell(listener, { kind, at, service });
  };
  /** Who listens can't undo a commit by throwing. */
  const tell = (listener: (event: LiveEvent) => void, event: LiveEvent): void => {
    try {
      listener(event);
    } catch (error) {
      log.warn({ err: error }, "a listener failed");
    }
  };

  const ledger = createLedger({
    store: deps.decisions,
    holder: deps.holder,
    specs,
    onCommitted: (services) => {
      emit("overview", services);
      paging.wake();
      evacuating.wake();
    },
  });
  let leadingSince = 0;
  const cache = createEvidenceCache(deps.evidence, () => inForce().declaration, keeper.reportMs, clock.now);
  const reader = createZoneReader({ provider, ledger, clock, ids, specs, onRestored: (why) => void holdRestored(why) });
  const serversOf = createServerBook({ ...deps, zones: () => inForce().declaration.zones });
  const seen = createSeenWatch({ resolver: deps.resolver, provider, ledger, now: clock.now, serversOf });

  const keepDeadLetter = createKeepDeadLetter({
    clock,
    ids,
    log,
    letters: deps.deadLetters,
    onKept: metrics.deadLetterKept,
  });
  const paging = createPaging({
    ...deps,
    term: () => ledger.term(),
    isLeading: () => leadership.isLeading(),
    declaration: () => keeper.inForce()?.declaration ?? null,
    keepDeadLetter,
    signal: stopped.signal,
  });
  const maintenance = createMaintenanceWatch({
    ...deps,
    ledger,
    declared: () => keeper.inForce()?.declaration ?? null,
    isLeading: () => leadership.isLeading(),
    onNew: () => {
      if (leadership.isLeading()) loop.wake();
      emit("overview", []);
    },
  });
  const alerting = createAlerting({
    ...deps,
    store: deps.alerts,
    metrics: metrics.source,
    term: () => ledger.term(),
    isLeading: () => leadership.isLeading() && !stopped.signal.aborted,
    declaration: () => keeper.inForce()?.declaration ?? null,
    onTold: () => {
      emit("overview", []);
      paging.wake();
    },
  });
  const verify = createVerifyChange({
    clock,
    provider: { readChange: shareProgress(provider, clock.monotonic) },
    resolver: deps.resolver,
    ledger,
    log,
    specs,
    serversOf,
    resolvers: deps.resolvers,
    onStranded: (service) => lookAtZoneSoon(service),
    keepDeadLetter,
  });
  /** A batch is lost with all its services: its zone is read once, not once for each of them, and after those whose traffic suffers now. */
  const stranded = new Set<string>();
  const lookAtZoneSoon = (service: string): void => {
    if (stranded.size === 0) setTimeout(() => void lookAtStranded(), STRANDED_SOON_MS).unref();
    stranded.add(service);
  };
  const lookAtStranded = async (): Promise<void> => {
    const services = new Set(stranded);
    stranded.clear();
    if (!leadership.isLeading()) return;
    const lost = new Map([...specs()].filter(([id]) => services.has(id)));
    const turn = { lane: "read", rank: rankOf({ kind: "revert", actor: AUTOMATION }, 1) } as const;
    await Promise.all([...groupByZone(lost)].map(([zoneId, ids]) => writerOf(zoneId).scan(ids, turn))).catch((error: unknown) =>
      log.warn({ err: error, services: [...services] }, "zone not read; the drift scan reads it again"),
    );
    loop.wake(services);
  };
  const changes = createFollowChanges({ verify, sweep: seen.sweep, signal: stopped.signal, log });
  const onAccepted = (changeId: string): void => {
    const change = ledger.change(changeId);
    if (change) metrics.changeAccepted(change, change.times.accepted ?? clock.now());
    changes.follow(changeId);
    const spec = change ? specs().get(change.service) : undefined;
    // What is said of the service now is no longer what was about to be done.
    if (change && leadership.isLeading()) loop.wake([change.service]);
    if (spec) changes.seeSoon(spec);
  };

  const mayWrite = (): boolean => leadership.isLeading() && modes.mayWrite() && !stopped.signal.aborted;
  const deliver = createDeliver({
    clock,
    provider,
    ledger,
    reader,
    log,
    priorityOf: (service) => specs().get(service)?.priority ?? PRIORITY_UNKNOWN,
    mayWrite,
    onAccepted,
    onMeasured: metrics.routed,
    signal: stopped.signal,
  });
  const writerOf = (zoneId: string): ZoneWriter => {
    const known = writers.get(zoneId);
    if (known) return known;
    const writer = createZoneWriter({
      zoneId,
      clock,
      ids,
      ledger,
      reader,
      deliver,
      log,
      specs,
      configurationVersion: () => inForce().version,
      verdictsOf: (service) => loop.verdictsOf(service),
      leadingSince: () => leadingSince,
      agentsReleasedAt: cache.releasedAt,
      databasesOf: (...asked) => stateful.see(...asked),
      mayWrite,
      onAccepted,
      onDnsTerm: (term) => leadership.sawTerm(term),
    });
    writers.set(zoneId, writer);
    return writer;
  };

  const loadAll = async (): Promise<void> => {
    await ledger.load(specs());
    cache.clear();
    await cache.refresh();
    await maintenance.read();
  };

  /** As the last look of this term saw it. */
  let suspects: ReadonlySet<string> | null = null;
  const onSuspects = (seen: ReadonlySet<string>): void => {
    suspects = seen;
  };

  const stateful = createStateful({
    ...deps,
    ledger,
    cache,
    specs,
    declaration: () => keeper.inForce()?.declaration ?? null,
    isLeading: () => leadership.isLeading() && !stopped.signal.aborted,
    wake: (services) => loop.wake(services),
    onFenced: (term) => void leadership.stepDown(term),
  });

  const loop = createReconcileLoop({
    clock,
    ids,
    ledger,
    cache,
    log,
    specs,
    configurationVersion: () => inForce().version,
    judge: withPrunedOverrides(
      { ledger, ids },
      createJudgeServices({
        ledger,
        cache,
        ids,
        specs,
        maintenance: maintenance.look,
        onSuspects,
        leadingSince: () => leadingSince,
      }),
    ),
    writerOf,
    isLeading: () => leadership.isLeading(),
    leadingSince: () => leadingSince,
    agentsReleasedAt: cache.releasedAt,
    stateful,
    onFenced: (term) => void leadership.stepDown(term),
    onLooked: (measured) => {
      metrics.looked(measured);
      if (measured.decided > 0) paging.looked();
    },
  });

  const evacuating = createEvacuating({
    ...deps,
    ledger,
    specs,
    isLeading: () => leadership.isLeading() && !stopped.signal.aborted,
    isHeard: (service) => {
      const spec = specs().get(service);
      return !spec || isHeardOf(spec, loop.verdictsOf(service), { leadingSince, now: clock.now() });
    },
    askZone: (zoneId, many) => whileLeading(() => writerOf(zoneId).moveMany(many)),
    onTold: () => {
      emit("overview", []);
      paging.wake();
    },
    onAsked: (services) => loop.wake(services),
    onFenced: (term) => void leadership.stepDown(term),
  });

  const leadership = createLeadership({
    holder: deps.holder,
    lease: deps.lease,
    clock,
    log,
    onGained: async (term) => {
      await loop.stop();
      ledger.lead(term);
      leadingSince = clock.now();
      suspects = null;
      tellSuspects = createTellSuspects({ ...deps, ledger, now: clock.now });
      tellDeadLetters = createTellDeadLetters({ ...deps, letters: deps.deadLetters, ledger, now: clock.now });
      maintenance.gained();
      stateful.forget();
      await loadAll();
      await clockWatch.settle();
      loop.start();
      paging.gained();
      alerting.gained();
      await evacuating.gained();
      changes.followUnseen(ledger.changes());
      // What the leader before us wrote down may have been taken back since. An emergency goes first.
      setTimeout(() => void scanSafely(), SCAN_AFTER_GAIN_MS).unref();
      emit("overview", []);
    },
    onLost: () => {
      void loop.stop();
      loop.forget();
      evacuating.lost();
      emit("overview", []);
    },
    mayLead: () => modes.mayLead(),
  });

  const clockWatch = createClockWatch({
    clock,
    ids,
    log,
    ledger,
    specs,
    onStep: (step) => {
      metrics.clockJumped(step);
      // What was heard ahead of the new time is not heard; what is remembered moves along before anything is decided by it.
      cache.clear();
      stateful.forget();
      if (leadership.term() !== 0) leadership.startOver("the database's clock jumped");
      else void refreshSoon("");
      emit("overview", []);
    },
  });

  const modes = createModeWatch({
    clock,
    ids,
    log,
    ledger,
    facts: () => ({
      isLeading: leadership.isLeading(),
      isLed: leaderNow() !== null,
      frozen: ledger.freeze()?.reason ?? null,
    }),
    databaseHealth: deps.databaseHealth,
    outside: deps.outside,
    onIsolated: () => leadership.stepDown(),
    onChange: () => {
      // What was held back is looked at as soon as it may be done.
      if (leadership.isLeading()) loop.wake();
      emit("overview", []);
    },
  });
  metrics.watchMode(() => modes.view().mode);

  const ingest = createIngestReport({
    clock,
    evidence: deps.evidence,
    log,
    inForce: keeper.inForce,
    keepDeadLetter,
    noteTwin: createNoteTwin({ letters: deps.deadLetters, keepDeadLetter }),
    onTaken: ({ agent, changed, hasTransition }) => {
      metrics.reportTaken(agent.agent);
      cache
        .take(agent, changed)
        .then((services) => {
          if (services.size === 0) return;
          if (leadership.isLeading()) loop.wake(services);
          if (hasTransition) emit("overview", [...services]);
        })
        .catch((error: unknown) => log.warn({ err: error }, "evidence not taken over; the poll reads it again"));
    },
  });

  const sources = (): ViewSources => ({
    ledger,
    cache,
    applied: inForce(),
    verdictsOf: loop.verdictsOf,
    decisionOf: loop.decisionOf,
    nextLookAt: loop.nextLookAt,
    seenOf: seen.seenOf,
    term: leaderNow()?.term ?? ledger.term(),
    now: clock.now(),
  });
  let leaseSeen: LeaseView | null = null;
  /** As last read, and only as long as that lease runs: with the database away, nobody is known to lead. */
  const leaderNow = (): Overview["leader"] => {
    if (leadership.isLeading()) return { holder: deps.holder, term: ledger.term(), self: true };
    if (!leaseSeen || leaseSeen.expiresAt <= clock.now()) return null;
    return { holder: leaseSeen.holder, term: leaseSeen.term, self: leaseSeen.holder === deps.holder };
  };
  const mode = (): Overview["mode"] => modes.view().mode;

  /** Who doesn't lead reads what the leader writes. */
  const pollAsFollower = async (): Promise<void> => {
    leaseSeen = await deps.lease.read();
    if (leadership.isLeading()) return;
    await keeper.read();
    if (!keeper.inForce()) return;
    await ledger.load(specs());
    await cache.refresh();
  };

  /** Notifications that come while evidence is read are read together afterwards: a dead region means one read, not one per agent. */
  const changedAgents = new Set<string>();
  let isRefreshing = false;
  const refreshSoon = async (agent: string): Promise<void> => {
    changedAgents.add(agent);
    if (isRefreshing) return;
    isRefreshing = true;
    try {
      while (changedAgents.size > 0 && !stopped.signal.aborted) {
        const agents = [...changedAgents];
        changedAgents.clear();
        const services = await cache.refresh(agents.includes("") ? undefined : agents);
        if (leadership.isLeading() && services.size > 0) loop.wake(services);
      }
    } catch (error) {
      log.warn({ err: error }, "evidence not read; the poll reads it again");
    } finally {
      isRefreshing = false;
    }
  };

  const scanAll = async (): Promise<void> => {
    if (!leadership.isLeading()) return;
    for (const [zoneId, services] of groupByZone(specs())) {
      const before = services.map((service) => ledger.record(service));
      await writerOf(zoneId).scan(services, { lane: "scan", rank: 0 });
      // Only what the scan found something out about: looking at everything takes time that reports need.
      loop.wake(services.filter((service, i) => ledger.record(service) !== before[i]));
    }
  };

  const scanSafely = (): Promise<void> =>
    scanAll().catch((error: unknown) => log.warn({ err: error }, "zones not read; the drift scan reads them again"));

  let tellSuspects: ReturnType<typeof createTellSuspects> | null = null;
  const lookAtSuspects = async (): Promise<void> => {
    if (leadership.isLeading() && suspects !== null) await tellSuspects?.(suspects);
  };

  let tellDeadLetters: (() => Promise<void>) | null = null;
  const lookAtDeadLetters = async (): Promise<void> => {
    const { count } = await deps.deadLetters.prune(boundsAt(surelyPast(clock)));
    metrics.deadLettersLeft(count);
    if (leadership.isLeading()) await tellDeadLetters?.();
  };

  const background = (name: string, periodMs: number, work: () => Promise<unknown>): void => {
    const run = async (): Promise<void> => {
      for await (const _ of every(periodMs, undefined, { signal: stopped.signal, ref: false })) {
        await work().catch((error: unknown) => log.warn({ err: error, task: name }, "background task failed; it is repeated"));
      }
    };
    const running = run().catch(() => undefined);
    stops.push(() => running.then(() => undefined));
  };

  /** The database is older than DNS: automation is off until a person confirms, and DNS is taken as it stands. Told once. */
  let isHolding = false;
  const holdRestored = async (why: string): Promise<void> => {
    // Every service of the zone says so, and one hold is for all of them.
    if (isHolding || !leadership.isLeading() || ledger.freeze()?.cause === "restored") return;
    isHolding = true;
    log.error({ why }, "the database is older than DNS");
    try {
      if ((await whileLeading(() => holdAutomation({ ledger, clock, ids }, why))) === "not-leader") return;
    } catch (error) {
      log.warn({ err: error }, "automation not held yet; the next look does it");
      return;
    } finally {
      isHolding = false;
    }
    const unread = await takeStock();
    if (unread !== null) log.warn({ why: unread }, "zones not read; ending the hold reads them again");
  };

  /** Everything that DNS holds, remembered as it stands; why not, when a zone could not be read. */
  const takeStock = async (): Promise<string | null> => {
    const whys = await Promise.all([...groupByZone(specs())].map(([zoneId, services]) => writerOf(zoneId).takeStock(services)));
    return whys.find((why) => why !== null) ?? null;
  };

  /** Whoever asks for something in the moment in which we lose the lease is sent to the next leader. */
  const whileLeading = async <T>(work: () => Promise<T>): Promise<T | "not-leader"> => {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof LeadershipLost)) throw error;
      void leadership.stepDown(error.term);
      return "not-leader";
    }
  };

  const freeze = async (order: FreezeOrder) => {
    if (!leadership.isLeading()) return { kind: "not-leader" } as const;
    // What isn't taken over while everything is held would look like another installation's a moment later, and hold everything again.
    if (!order.isFrozen && order.scope.kind === "global" && ledger.freeze()?.cause === "restored") {
      const unread = await whileLeading(takeStock);
      if (unread === "not-leader") return { kind: "not-leader" } as const;
      if (unread !== null) return { kind: "dns-away", why: unread } as const;
    }
    const result = await whileLeading(() => setFreeze({ ledger, clock, ids, specs }, order));
    if (result === "not-leader") return { kind: "not-leader" } as const;
    if (result.kind === "set" && result.isNew) loop.wake(order.scope.kind === "global" ? undefined : [order.scope.service]);
    return result;
  };

  const move = async (order: MoveOrder) => {
    const spec = specs().get(order.service);
    if (!spec) return { kind: "not-found", what: `service ${order.service}` } as const;
    const { move: wish } = order.request;
    const region = "region" in wish ? wish.region : wish.kind === "failover" ? wish.to : null;
    if (region !== null && !spec.endpoints.some((endpoint) => endpoint.region === region))
      return { kind: "not-found", what: `region ${region} of ${order.service}` } as const;
    if (!leadership.isLeading()) return { kind: "not-leader" } as const;
    const result = await whileLeading(() => writerOf(spec.zoneId).move(order));
    if (result === "not-leader") return { kind: "not-leader" } as const;
    // A dry run reads DNS too, and may have found what somebody has to do something about.
    loop.wake([order.service]);
    return result;
  };

  /** Only who leads acts, and whoever asks while the lead is lost is sent to the next leader. */
  const asLeader = async <T>(work: () => Promise<T>): Promise<T | NotHere> => {
    if (!leadership.isLeading()) return { kind: "not-leader" };
    const result = await whileLeading(work);
    return result === "not-leader" ? { kind: "not-leader" } : result;
  };

  const override = async (order: OverrideOrder) => {
    const spec = specs().get(order.service);
    if (!spec) return { kind: "not-found", what: `service ${order.service}` } as const;
    if (!leadership.isLeading()) return { kind: "not-leader" } as const;
    const asked = { ledger, clock, ids, move: ({ zoneId }: ServiceSpec, wish: MoveOrder) => writerOf(zoneId).move(wish) };
    const result = await whileLeading(() => setOverride(asked, spec, order));
    if (result === "not-leader") return { kind: "not-leader" } as const;
    loop.wake([order.service]);
    return result;
  };

  const overrideEnd = async (end: OverrideEnd) => {
    if (!specs().has(end.service)) return { kind: "not-found", what: `service ${end.service}` } as const;
    if (!leadership.isLeading()) return { kind: "not-leader" } as const;
    const result = await whileLeading(() => endOverride({ ledger, clock, ids }, end));
    if (result === "not-leader") return { kind: "not-leader" } as const;
    loop.wake([end.service]);
    return result;
  };

  const letter = (work: typeof retryDeadLetter) => async (order: LetterOrder) => {
    if (!leadership.isLeading()) return { kind: "not-leader" } as const;
    const result = await whileLeading(() =>
      work({ ...deps, letters: deps.deadLetters, ledger, inForce: keeper.inForce, sendPageAgain: paging.book.sendAgain }, order),
    );
    return result === "not-leader" ? ({ kind: "not-leader" } as const) : result;
  };

  /** A full disk or a standby answers every question and takes no report. */
  const noteWrites =
    (take: typeof ingest): typeof ingest =>
    async (request, recheck) => {
      try {
        const ingested = await take(request, recheck);
        if (ingested.kind === "taken") modes.noteWrite(true);
        return ingested;
      } catch (error) {
        if (error instanceof DatabaseAway) modes.noteWrite(false);
        throw error;
      }
    };

  const own = async (order: OwnOrder) => {
    const spec = specs().get(order.service);
    if (!spec) return { kind: "not-found", what: `service ${order.service}` } as const;
    if (!leadership.isLeading()) return { kind: "not-leader" } as const;
    const result = await whileLeading(() => writerOf(spec.zoneId).own(order));
    if (result === "not-leader") return { kind: "not-leader" } as const;
    loop.wake([order.service]);
    return result;
  };

  const records = () => [...specs().keys()].map(ledger.record);

  /** Who leads asks it of the zone that the service is in; what nobody asked is nobody's. */
  const answered = async <R>(order: ApprovalOrder, work: (spec: ServiceSpec) => Promise<R>): Promise<R | NotHere> => {
    if (!leadership.isLeading()) return { kind: "not-leader" };
    const spec = specs().get(serviceOf(records(), order) ?? "");
    if (!spec) return { kind: "not-found", what: `approval ${order.id}` };
    const result = await whileLeading(() => work(spec));
    if (result === "not-leader") return { kind: "not-leader" };
    loop.wake([spec.id]);
    return result;
  };

  registerState(metrics.registry, {
    declaration: () => keeper.inForce()?.declaration ?? null,
    heardAt: (agent) => cache.agentRow(agent)?.heardAt ?? null,
    freshnessMs: () => Math.max(...[...specs().values()].map(({ settings }) => settings.freshnessMs), 1_000),
    records,
    outbox: () => [...specs().keys()].flatMap(ledger.outbox),
    unseenSince: () =>
      ledger.changes().flatMap(({ stage, times }) => (UNSEEN.has(stage) && times.accepted !== undefined ? [times.accepted] : [])),
    pagesWaitSince: paging.waitSince,
    now: clock.now,
  });

  const readiness = (): Readiness => {
    const missing = [
      ...(isRetiring ? ["it is stopping"] : []),
      ...(keeper.inForce() ? [] : ["no configuration is applied"]),
      ...(leaderNow() ? [] : ["nobody leads"]),
      ...(modes.mayLead() ? [] : ["nothing outside answers"]),
    ];
    return { isReady: missing.length === 0, mode: mode(), isLeader: leadership.isLeading(), missing };
  };

  return {
    ingestReport: noteWrites(ingest),
    isDeclaredKey: (agent, keyId) => keeper.inForce()?.keys.find(agent, keyId) !== null,
    overview: async () => toOverview(sources(), mode(), leaderNow()),
    service: async (id) => {
      const spec = specs().get(id);
      return spec ? toServiceState(sources(), spec) : null;
    },
    explain: async (id) => {
      const spec = specs().get(id);
      return spec ? toExplanation(sources(), spec) : null;
    },
    move,
    own,
    approvals: async () => listApprovals(records()),
    approve: (order) => answered(order, ({ zoneId }) => writerOf(zoneId).approve(order)),
    refuse: (order) => answered(order, () => refuseApproval({ ledger, clock, ids, specs }, order)),
    setOverride: override,
    endOverride: overrideEnd,
    setFreeze: freeze,
    freezeRegion: (order) =>
      asLeader(async () => {
        const result = await freezeRegion({ ledger, clock, ids, specs }, order);
        if ("changed" in result) loop.wake(result.changed);
        return result;
      }),
    maintenance: async () => maintenance.list(),
    planMaintenance: (order) => asLeader(() => maintenance.plan(order)),
    endMaintenance: (order) => asLeader(() => maintenance.end(order)),
    evacuate: (order) => asLeader(() => evacuating.begin(order)),
    stopEvacuation: (order) => asLeader(() => evacuating.stop(order)),
    evacuations: ({ limit, cursor, region }) =>
      deps.evacuations.list({
        limit,
        ...(cursor === undefined ? {} : { before: cursor }),
        ...(region === undefined ? {} : { region }),
      }),
    evacuation: (id) => deps.evacuations.read(id),
    transfers: async () => stateful.transfers(),
    stopTransfer: (order) => asLeader(() => stateful.stop(order)),
    role: async (service, region) => {
      const answer = await stateful.role(service, region);
      if (answer === null) return { kind: "not-found", what: `service ${service} with one writable place` };
      if (answer === "no-such-region") return { kind: "not-found", what: `region ${region} of ${service}` };
      return { kind: "read", answer };
    },
    history: async (query) => {
      const page = await deps.decisions.readHistory(query);
      return { events: [...page.events], next: page.next };
    },
    change: (id) => deps.decisions.readChange(id),
    deadLetters: async ({ limit, cursor }) => {
      const letters = await deps.deadLetters.list({ limit, ...(cursor === undefined ? {} : { before: cursor }) });
      return { letters: [...letters], next: letters.length < limit ? null : (letters.at(-1)?.id ?? null) };
    },
    deadLetter: (id) => deps.deadLetters.read(id),
    retryDeadLetter: letter(retryDeadLetter),
    dropDeadLetter: letter(dropDeadLetter),
    incidents: async ({ limit, cursor, state }) => {
      const known = await deps.pages.list({
        limit,
        ...(cursor === undefined ? {} : { before: cursor }),
        ...(state === undefined ? {} : { state }),
      });
      return { incidents: known.map(toIncident), next: known.length < limit ? null : (known.at(-1)?.id ?? null) };
    },
    acknowledgeIncident: async (order) => {
      if (!leadership.isLeading()) return { kind: "not-leader" };
      const result = await paging.book.acknowledge(order);
      paging.wake();
      if (result.kind === "fenced") return { kind: "not-leader" };
      return result.kind === "gone" ? { kind: "not-found", what: `open incident ${order.id}` } : result;
    },
    alerts: alerting.alerts,
    alertRules: alerting.rules,
    tryAlertRule: alerting.attempt,
    changeAlertRule: alerting.change,
    testNotifier: async (order) => {
      const { owner, notify } = inForce().declaration;
      const answer = await testNotifier({ ...deps, owner, notify }, order);
      return answer ? { kind: "tried", answer } : { kind: "not-found", what: `notifier ${order.id}` };
    },
    recording: (query) => deps.recordings.read({ ...query, limit: RECORDING_TURNS_MAX }),
    configuration: () => {
      const applied = keeper.inForce();
      return applied && { version: applied.version, text: applied.text, author: applied.author, at: applied.at };
    },
    planConfiguration: (text, fileName) =>
      planConfiguration({ provider, recordOf: ledger.record, inForce: keeper.inForce }, text, fileName),
    applyConfiguration: async (order) => {
      const result = await applyConfiguration(deps.configurations, order);
      // It is applied, whatever keeps us from reading it now: the poll does.
      if (result.kind === "applied" && result.answer.changed)
        await keeper.read().catch((error: unknown) => log.warn({ err: error }, "configuration not read yet"));
      return result;
    },
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    readiness,
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
      stops.push(await deps.evidence.onChanged((agent) => void refreshSoon(agent)));
      leadership.start();
      background("follow", POLL_MS, pollAsFollower);
      background("drift scan", DRIFT_SCAN_MS, scanAll);
      background("seen", SEEN_PERIOD_MS, () => (leadership.isLeading() ? seen.sweep([...specs().values()]) : Promise.resolve()));
      background("mode", MODE_ROUND_MS, modes.look);
      background("pages", PAGE_POLL_MS, paging.round);
      background("alerts", ALERT_ROUND_MS, alerting.round);
      background("evacuations", EVACUATION_POLL_MS, evacuating.round);
      background("suspects", SUSPECTS_LOOK_MS, lookAtSuspects);
      background("dead letters", DEAD_LETTERS_LOOK_MS, lookAtDeadLetters);
      background("maintenance", POLL_MS, maintenance.round);
      background("retention", RETENTION_EVERY_MS, async () => {
        const past = surelyPast(clock);
        await maintenance.prune();
        return deps.evidence.prune({ aggregates: past - AGGREGATES_KEPT_MS, transitions: past - TRANSITIONS_KEPT_MS });
      });
    },
    retire: () => {
      isRetiring = true;
      emit("overview", []);
    },
    stop: async () => {
      isRetiring = true;
      stopped.abort();
      await loop.stop();
      await Promise.all([...writers.values()].map((writer) => writer.idle()));
      await paging.end();
      await leadership.stop();
      // Leadership may have been gained between the two.
      await loop.stop();
      for (const stop of stops) await stop();
    },
  };
};

/** Accepted, and name servers may not answer it yet. */
const UNSEEN: ReadonlySet<string> = new Set(["accepted", "in-sync"]);

/** The followers of one batch hear that it is gone within moments of each other. */
const STRANDED_SOON_MS = 200;

/** Long enough for the first look's own reading and writing. */
const SCAN_AFTER_GAIN_MS = 1_000;

/** Of a service that was taken out of the declaration while a change of it was under way: after all others. */
const PRIORITY_UNKNOWN = 1_000;

const groupByZone = (specs: ReadonlyMap<string, ServiceSpec>): ReadonlyMap<string, readonly string[]> => {
  const zones = new Map<string, string[]>();
  for (const { id, zoneId } of specs.values()) zones.set(zoneId, [...(zones.get(zoneId) ?? []), id]);
  return zones;
};
