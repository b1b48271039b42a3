/**
 * The control plane on virtual time: the server's own folding, evidence cache, judging, deciding, zone reading, writing ahead, sending and
 * settling, over the memory twins of its database and of Route 53, whose conformance suites are those of the real ones.
 *
 * Why not server/testing/world.ts: it runs a whole control plane, and that one sleeps on real timers, signs every report and verifies in DNS, so a
 * second of it takes a second. Here only what wakes those parts is played: what loop/reconcile-loop.ts does with timers is done by whoever calls
 * `look`. A look that finds nothing to do ends there; every other one goes through the zone's writer, which reads DNS and decides again, so that a
 * look too many changes nothing. Leases, verification and drift scans are not in it.
 */
import type { Instant, RegionVerdict, Report, Verdict } from "@regent/contract";
import { type Decision, decide, type ServiceSpec, type Situation } from "@regent/engine";
import { createMemoryDatabase, type MemoryDatabase } from "@regent/server/adapters/memory/database.ts";
import { isHeard } from "@regent/server/operations/approval/ask-approval.ts";
import type { ApprovalOrder } from "@regent/server/operations/approval/find-approval.ts";
import { type RefuseResult, refuseApproval } from "@regent/server/operations/approval/refuse-approval.ts";
import { approvalLookAt } from "@regent/server/operations/approval/review-approval.ts";
import type { Applied } from "@regent/server/operations/configuration/configuration-in-force.ts";
import { setFreeze } from "@regent/server/operations/control/set-freeze.ts";
import {
  type EndResult,
  endOverride,
  type OverrideEnd,
  type OverrideOrder,
  type OverrideResult,
  setOverride,
  withPrunedOverrides,
} from "@regent/server/operations/control/set-override.ts";
import type { FreezeOrder } from "@regent/server/operations/control-plane.ts";
import { createEvidenceCache } from "@regent/server/operations/evidence/evidence-cache.ts";
import { foldReport } from "@regent/server/operations/evidence/fold-report.ts";
import { createMaintenanceBook } from "@regent/server/operations/maintenance/maintenance-book.ts";
import { declaredNow } from "@regent/server/operations/memory/declared.ts";
import { createLedger, type Ledger } from "@regent/server/operations/memory/ledger.ts";
import { isUnsettled, toSituation } from "@regent/server/operations/memory/situation.ts";
import { createDatabaseBook } from "@regent/server/operations/transfer/database-book.ts";
import { createTransferLead } from "@regent/server/operations/transfer/lead-transfers.ts";
import { awaitedRegions, awaitedUntil } from "@regent/server/operations/verdict/await-reports.ts";
import { createJudgeServices, type JudgedService } from "@regent/server/operations/verdict/judge-services.ts";
import type { ApproveResult } from "@regent/server/operations/zone/approve-move.ts";
import { createDeliver } from "@regent/server/operations/zone/deliver-batches.ts";
import { createZoneReader } from "@regent/server/operations/zone/read-zone.ts";
import type { MoveOrder, MoveResult } from "@regent/server/operations/zone/request-move.ts";
import { createZoneWriter, type ZoneWriter } from "@regent/server/operations/zone/write-zone.ts";
import type { HookCaller } from "@regent/server/ports/hook-caller.ts";
import type { StoredWindow } from "@regent/server/ports/maintenance-store.ts";
import { pino } from "pino";
import { listenTo } from "./listen.ts";
import { createHeldBook, createStory, type Story } from "./story.ts";
import { createVirtualDns, type DnsFault } from "./virtual-dns.ts";

export interface VirtualServer {
  /** Folds one report; true: it wants the agent to list everything. */
  readonly take: (report: Report, now: Instant) => Promise<boolean>;
  /** Judges and decides what was touched or is due; with `all` everything. */
  readonly look: (now: Instant, all?: boolean) => Promise<void>;
  /** The next moment at which something is due; infinite when nothing is. */
  readonly nextLookAt: () => Instant;
  readonly isAnythingTouched: () => boolean;
  /** Drops aggregates and transitions before this moment, as retention does. */
  readonly forget: (before: Instant) => Promise<void>;
  /** What an operator asks for. */
  readonly move: (order: MoveOrder, now: Instant) => Promise<MoveResult>;
  readonly approve: (service: string, order: ApprovalOrder, now: Instant) => Promise<ApproveResult>;
  readonly refuse: (order: ApprovalOrder, now: Instant) => Promise<RefuseResult>;
  readonly override: (order: OverrideOrder, now: Instant) => Promise<OverrideResult>;
  readonly endOverride: (end: OverrideEnd, now: Instant) => Promise<EndResult>;
  readonly freeze: (order: FreezeOrder, now: Instant) => Promise<string>;
  /** Takes over another version of the configuration. */
  readonly apply: (next: Applied, now: Instant) => Promise<void>;
  /** Somebody else writes in DNS. */
  readonly edit: (edit: ForeignEdit, now: Instant) => Promise<void>;
  readonly verdictsOf: (service: string) => readonly RegionVerdict[];
  readonly ledger: Ledger;
  /** What it keeps, as a server that runs would. */
  readonly database: MemoryDatabase;
  readonly story: Story;
}

/** A weight of one region, or an epoch record that names another owner. */
export type ForeignEdit =
  | { readonly kind: "weight"; readonly service: string; readonly region: string; readonly weight: number }
  | { readonly kind: "owner"; readonly service: string; readonly owner: string };

export interface ServerDeps {
  readonly applied: Applied;
  readonly startsAt: Instant;
  readonly dnsFaultAt: (at: Instant) => DnsFault | null;
  /** Windows that operators planned, beside those of the declaration. */
  readonly maintenance?: readonly StoredWindow[];
  /** Who fences and promotes; nobody answers when absent. */
  readonly hooks?: HookCaller;
}

const NOBODY: HookCaller = { call: async () => ({ answer: "failed", isFenced: null, why: "no answer" }) };

const HOLDER = "virtual";
/** The lease is not what is tried here. */
const LEASE_MS = 365 * 86_400_000;
/** Nothing else stands in the writer's way here. */
const RANK = 0;

export const createVirtualServer = async ({
  applied,
  startsAt,
  dnsFaultAt,
  maintenance = [],
  hooks = NOBODY,
}: ServerDeps): Promise<VirtualServer> => {
  let inForce = applied;
  let instant = startsAt;
  let ulids = 0;
  const specs = (): ReadonlyMap<string, ServiceSpec> => inForce.specs;
  const clock = { now: () => instant, monotonic: () => instant };
  const ids = { ulid: () => String(++ulids).padStart(26, "0") };
  const story = createStory();
  const noteLook = createHeldBook(story);
  /** A look that fails is repeated by a server that runs; here it is a fault of the world or of the code, and never hushed up. */
  const failures: string[] = [];
  const log = pino({ level: "error" }, { write: (line: string) => void failures.push(line.trim()) });
  const database = createMemoryDatabase({ clock, ids });
  const term = (await database.lease.acquire(HOLDER, LEASE_MS, 0))?.term ?? 0;
  const store = listenTo(database.decisions, story, () => instant);
  const ledger = createLedger({ store, holder: HOLDER, specs, onCommitted: () => undefined });
  await ledger.load(specs());
  ledger.lead(term);
  const reportMs = (): number => Math.min(...[...specs().values()].map(({ settings }) => settings.reportMs));
  const cache = createEvidenceCache(database.evidence, () => inForce.declaration, reportMs);
  const leadingSince = (): Instant => startsAt;
  const book = createMaintenanceBook(() => inForce.declaration);
  book.keep(maintenance);
  const judgeServices = withPrunedOverrides(
    { ledger, ids },
    createJudgeServices({ ledger, cache, ids, specs, maintenance: book.look, leadingSince }),
  );
  const judged = new Map<string, JudgedService>();
  /** By `service/region`, as last told. */
  const believed = new Map<string, Verdict>();
  const touched = new Set<string>(specs().keys());
  const lookAt = new Map<string, Instant>();
  /** The earliest of them, asked for before every event. */
  let nextLookAt = Number.POSITIVE_INFINITY;

  const { provider, rewrite } = createVirtualDns({
    zones: inForce.declaration.zones,
    now: () => instant,
    faultNow: () => dnsFaultAt(instant),
  });
  const onRestored = (why: string): never => {
    throw new Error(why);
  };
  const reader = createZoneReader({ provider, ledger, clock, ids, specs, onRestored });
  /** What is said of the service now is no longer what was about to be done. */
  const onAccepted = (changeId: string): void => {
    const change = ledger.change(changeId);
    if (change) sooner(change.service, instant + 1);
  };
  const deliver = createDeliver({
    clock,
    provider,
    ledger,
    reader,
    log,
    priorityOf: (service) => specs().get(service)?.priority ?? 1,
    mayWrite: () => true,
    onAccepted,
    onMeasured: () => undefined,
    signal: new AbortController().signal,
  });
  const databases = createDatabaseBook(cache);
  const transfers = createTransferLead({
    clock,
    ids,
    log,
    ledger,
    hooks,
    hookOf: (service) => inForce.declaration.services.find(({ id }) => id === service)?.stateful?.hook ?? null,
    isLeading: () => true,
    wake: (service) => sooner(service, instant + 1),
    onFenced: () => undefined,
    random: () => 0.5,
  });
  const writers = new Map<string, ZoneWriter>();
  const writerOf = ({ zoneId }: ServiceSpec): ZoneWriter => {
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
      configurationVersion: () => inForce.version,
      verdictsOf: (service) => judged.get(service)?.verdicts ?? [],
      leadingSince,
      agentsReleasedAt: cache.releasedAt,
      databasesOf: databases.see,
      mayWrite: () => true,
      onAccepted,
      onDnsTerm: () => undefined,
    });
    writers.set(zoneId, writer);
    return writer;
  };

  const sooner = (service: string, at: Instant): void => {
    lookAt.set(service, Math.min(lookAt.get(service) ?? Number.POSITIVE_INFINITY, at));
    nextLookAt = Math.min(nextLookAt, at);
  };

  const take: VirtualServer["take"] = async (report, now) => {
    instant = now;
    const assigned = inForce.assignedTo(report.agent);
    const targets = [...new Set(report.observations.map(({ target }) => target))];
    const folded = await database.evidence.ingest(report.agent, targets, (agent, checks) => {
      const write = foldReport({ report, receivedAt: now, assigned }, agent, checks);
      story.downs += write.transitions.filter(({ to }) => to === "down").length;
      return write;
    });
    if (folded.kind === "replayed") throw new Error(`${report.agent} sent report ${report.sequence} twice`);
    story.reports += 1;
    for (const service of await cache.take(folded.agent, folded.changed)) touched.add(service);
    return folded.listAll;
  };

  const look: VirtualServer["look"] = async (now, all = false) => {
    instant = now;
    const due = new Set(all ? specs().keys() : touched);
    for (const [service, at] of lookAt) if (at <= now) due.add(service);
    touched.clear();
    for (const service of due) lookAt.delete(service);
    if (due.size === 0) return;
    const before = new Map([...due].map((service) => [service, ledger.record(service).health]));
    for (const [service, answer] of await judgeServices(due, now, () => undefined)) {
      judged.set(service, answer);
      story.looks += 1;
      tellTurns(service, before.get(service) ?? {}, answer);
      if (answer.nextLookAt !== null) sooner(service, Math.max(answer.nextLookAt, now + 1));
    }
    for (const service of due) {
      const spec = specs().get(service);
      if (spec) await decideOne(spec, now);
    }
    nextLookAt = Math.min(...lookAt.values(), Number.POSITIVE_INFINITY);
    if (failures.length > 0) throw new Error(`the control plane failed: ${failures.join("\n")}`);
  };

  const tellTurns = (
    service: string,
    before: Readonly<Record<string, { readonly verdict: string; readonly evidence: string }>>,
    { verdicts }: JudgedService,
  ): void => {
    if (verdicts.some(({ votes }) => votes.some(({ suspect }) => suspect))) story.suspectLooks += 1;
    for (const { region, evidence } of verdicts)
      if (evidence === "bad" && before[region]?.evidence !== "bad") story.badEvidence += 1;
    for (const { region, verdict: to, evidence, why } of verdicts) {
      const key = `${service}/${region}`;
      const from = believed.get(key) ?? null;
      if (from === to) continue;
      believed.set(key, to);
      story.turns.push({ at: instant, service, region, from, to, evidence, why });
    }
  };

  const decideOne = async (spec: ServiceSpec, now: Instant): Promise<void> => {
    const service = spec.id;
    const verdicts = judged.get(service)?.verdicts ?? [];
    const record = ledger.record(service);
    const agentsReleasedAt = cache.releasedAt();
    const seen = databases.see(spec, record, now);
    const input = {
      spec,
      configurationVersion: inForce.version,
      record,
      verdicts,
      ledger,
      agentsReleasedAt,
      databases: seen,
      now,
    };
    const situation = toSituation(input);
    const decision = decide(situation, null);
    if (spec.stateful !== null) await leadTransfer(spec, situation, decision);
    if (decision.nextLookAt !== null) sooner(service, Math.max(decision.nextLookAt, now + 1));
    const moment = { leadingSince: startsAt, now };
    if (awaitedRegions(spec, verdicts, moment).length > 0) sooner(service, awaitedUntil(spec, startsAt));
    noteLook(service, decision, spec.mode === "automatic" ? null : spec.mode, now);
    if (isQuiet(spec, decision, now)) return;
    const { retryMs } = await writerOf(spec).reconcile([service], RANK);
    if (retryMs !== null) sooner(service, now + retryMs);
    const { approval } = ledger.record(service);
    const answerAt = isHeard(spec, moment) ? approvalLookAt({ spec, approval, now }) : awaitedUntil(spec, startsAt);
    if (answerAt !== null) sooner(service, Math.max(answerAt, now + 1));
  };

  /** What it commits and whom it asks is done before virtual time goes on. */
  const leadTransfer = async (spec: ServiceSpec, situation: Situation, decision: Decision): Promise<void> => {
    const at = transfers.look(spec, situation, decision);
    if (at !== null) sooner(spec.id, Math.max(at, situation.now + 1));
    await new Promise<void>((resolve) => void setImmediate(resolve));
  };

  /** Nothing to write, to ask, to tell or to remember. */
  const isQuiet = (spec: ServiceSpec, { proposal, failStatic, trafficNow }: Decision, now: Instant): boolean => {
    const record = ledger.record(spec.id);
    return (
      proposal === null &&
      failStatic === null &&
      record.lastRefusal === null &&
      (record.approval === null || (record.approval.isOver && record.approval.state !== "waiting")) &&
      declaredNow(record, spec, { version: inForce.version, now }) === record.declared &&
      !ledger.outbox(spec.id).some(isUnsettled) &&
      JSON.stringify(trafficNow) === JSON.stringify(record.traffic)
    );
  };

  /** What a person asks for, until the write that follows is done. */
  const ask = async <T>(service: string, now: Instant, work: (writer: ZoneWriter) => Promise<T>): Promise<T> => {
    instant = now;
    const spec = specs().get(service);
    if (!spec) throw new Error(`no service ${service}`);
    const writer = writerOf(spec);
    const result = await work(writer);
    await writer.idle();
    touched.add(service);
    return result;
  };

  return {
    take,
    look,
    nextLookAt: () => nextLookAt,
    isAnythingTouched: () => touched.size > 0,
    forget: async (before) => void (await database.evidence.prune({ aggregates: before, transitions: before })),
    move: (order, now) => ask(order.service, now, (writer) => writer.move(order)),
    approve: (service, order, now) => ask(service, now, (writer) => writer.approve(order)),
    refuse: async (order, now) => {
      instant = now;
      const result = await refuseApproval({ ledger, clock, ids, specs }, order);
      for (const service of specs().keys()) touched.add(service);
      return result;
    },
    freeze: async (order, now) => {
      instant = now;
      const result = await setFreeze({ ledger, clock, ids, specs }, order);
      for (const service of specs().keys()) touched.add(service);
      return result.kind === "set" ? result.why : `no ${result.what}`;
    },
    override: (order, now) =>
      ask(order.service, now, (writer) => {
        const spec = specs().get(order.service);
        if (!spec) throw new Error(`no service ${order.service}`);
        return setOverride({ ledger, clock, ids, move: (_, wish) => writer.move(wish) }, spec, order);
      }),
    endOverride: async (end, now) => {
      instant = now;
      const result = await endOverride({ ledger, clock, ids }, end);
      touched.add(end.service);
      return result;
    },
    apply: async (next, now) => {
      instant = now;
      inForce = next;
      for (const service of specs().keys()) touched.add(service);
    },
    edit: async (edit, now) => {
      instant = now;
      const spec = specs().get(edit.service);
      if (!spec) throw new Error(`no service ${edit.service}`);
      if (edit.kind === "owner")
        return rewrite(spec.zoneId, spec.epochName, (set) => ({
          ...set,
          ...(set.values === undefined ? {} : { values: set.values.map((value) => value.replace(/ o=\S+/, ` o=${edit.owner}`)) }),
        }));
      for (const { name } of spec.families)
        await rewrite(spec.zoneId, name, (set) => (set.setIdentifier === edit.region ? { ...set, weight: edit.weight } : set));
    },
    verdictsOf: (service) => judged.get(service)?.verdicts ?? [],
    ledger,
    database,
    story,
  };
};
