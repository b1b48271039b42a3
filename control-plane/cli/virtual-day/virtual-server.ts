/**
 * The control plane on virtual time: the real folding, evidence cache, ledger, judging and decisions, woken as the reconcile loop is, by what a
 * report touches and by the next moment at which time alone could change something. A decision that is allowed is in force at once: DNS has its
 * own tests, and nothing here may depend on its delays.
 */
import type { Instant, RegionVerdict, Report, Weights } from "@regent/contract";
import { type Decision, decide } from "@regent/engine";
import { createMemoryDatabase } from "@regent/server/adapters/memory/database.ts";
import type { Applied } from "@regent/server/operations/configuration/configuration-in-force.ts";
import { createEvidenceCache } from "@regent/server/operations/evidence/evidence-cache.ts";
import { foldReport } from "@regent/server/operations/evidence/fold-report.ts";
import { createLedger } from "@regent/server/operations/memory/ledger.ts";
import { toSituation } from "@regent/server/operations/memory/situation.ts";
import { createJudgeServices, type JudgedService } from "@regent/server/operations/verdict/judge-services.ts";

/** Weights that automation changed. */
export interface Move {
  readonly at: Instant;
  readonly service: string;
  readonly kind: string;
  readonly why: string;
  readonly weights: Weights;
}

/** A verdict that changed. */
export interface Turn {
  readonly at: Instant;
  readonly service: string;
  readonly region: string;
  readonly from: string | null;
  readonly to: string;
}

export interface ServerStory {
  readonly moves: Move[];
  readonly turns: Turn[];
  /** Moves that the strategy wanted and a safety rule held back, each told once. */
  readonly heldBack: { readonly at: Instant; readonly service: string; readonly sentence: string }[];
  /** Check streaks that went down. */
  downs: number;
  reports: number;
  /** Looks at one service. */
  looks: number;
  /** Looks during which a vantage had lost its vote. */
  suspectLooks: number;
  /** Regions whose evidence became bad, whatever the hold made of it. */
  badEvidence: number;
}

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
  readonly story: ServerStory;
}

const HOLDER = "virtual-day";
/** The lease is not what is tried here. */
const LEASE_MS = 365 * 86_400_000;

export const createVirtualServer = async (applied: Applied, startsAt: Instant): Promise<VirtualServer> => {
  const { specs } = applied;
  let instant = startsAt;
  let ulids = 0;
  const ids = { ulid: () => String(++ulids).padStart(26, "0") };
  const database = createMemoryDatabase({ clock: { now: () => instant }, ids });
  const term = (await database.lease.acquire(HOLDER, LEASE_MS, 0))?.term ?? 0;
  const ledger = createLedger({ store: database.decisions, holder: HOLDER, onCommitted: () => undefined });
  await ledger.load(specs);
  ledger.lead(term);
  const reportMs = Math.min(...[...specs.values()].map(({ settings }) => settings.reportMs));
  const cache = createEvidenceCache(
    database.evidence,
    () => applied.declaration,
    () => reportMs,
  );
  const judgeServices = createJudgeServices({ ledger, cache, ids, specs: () => specs, leadingSince: () => startsAt });
  const touched = new Set<string>(specs.keys());
  const lookAt = new Map<string, Instant>();
  /** The earliest of them, asked for before every event. */
  let nextLookAt = Number.POSITIVE_INFINITY;
  const toldHeldBack = new Map<string, string>();
  const story: ServerStory = {
    moves: [],
    turns: [],
    heldBack: [],
    downs: 0,
    reports: 0,
    looks: 0,
    suspectLooks: 0,
    badEvidence: 0,
  };

  const take: VirtualServer["take"] = async (report, now) => {
    instant = now;
    const assigned = applied.assignedTo(report.agent);
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

  const sooner = (service: string, at: Instant): void => {
    lookAt.set(service, Math.min(lookAt.get(service) ?? Number.POSITIVE_INFINITY, at));
  };

  const look: VirtualServer["look"] = async (now, all = false) => {
    instant = now;
    const due = new Set(all ? specs.keys() : touched);
    for (const [service, at] of lookAt) if (at <= now) due.add(service);
    touched.clear();
    for (const service of due) lookAt.delete(service);
    if (due.size === 0) return;
    const before = new Map([...due].map((service) => [service, ledger.record(service).health]));
    const judged = await judgeServices(due, now, () => undefined);
    for (const [service, answer] of judged) {
      story.looks += 1;
      tellTurns(service, before.get(service) ?? {}, answer);
      if (answer.nextLookAt !== null) sooner(service, Math.max(answer.nextLookAt, now + 1));
      await decideOne(service, answer.verdicts, now);
    }
    nextLookAt = Math.min(...lookAt.values());
  };

  const tellTurns = (
    service: string,
    before: Readonly<Record<string, { readonly verdict: string; readonly evidence: string }>>,
    { verdicts }: JudgedService,
  ): void => {
    if (verdicts.some(({ votes }) => votes.some(({ suspect }) => suspect))) story.suspectLooks += 1;
    for (const { region, verdict, evidence } of verdicts) {
      const from = before[region];
      if (evidence === "bad" && from?.evidence !== "bad") story.badEvidence += 1;
      if (from?.verdict !== verdict) story.turns.push({ at: instant, service, region, from: from?.verdict ?? null, to: verdict });
    }
  };

  const decideOne = async (service: string, verdicts: readonly RegionVerdict[], now: Instant): Promise<void> => {
    const spec = specs.get(service);
    if (spec === undefined) return;
    const record = ledger.record(service);
    const situation = toSituation({ spec, configurationVersion: applied.version, record, verdicts, ledger, now });
    const decision = decide(situation, null);
    if (decision.nextLookAt !== null) sooner(service, Math.max(decision.nextLookAt, now + 1));
    if (decision.proposal !== null && decision.isAllowed) await putInForce(service, decision, now);
    else {
      tellHeldBack(service, decision, now);
      if (JSON.stringify(decision.trafficNow) !== JSON.stringify(record.traffic))
        await ledger.commit((draft) => draft.update(service, (known) => ({ ...known, traffic: decision.trafficNow })));
    }
  };

  const putInForce = async (service: string, { proposal, trafficAfter }: Decision, now: Instant): Promise<void> => {
    if (proposal === null) return;
    const { weightsBefore, weightsAfter, kind, why } = proposal;
    await ledger.commit((draft) =>
      draft.update(service, (known) => ({
        ...known,
        revision: known.revision + 1,
        traffic: trafficAfter,
        written: weightsAfter,
        epoch: `${known.revision + 1}`,
      })),
    );
    toldHeldBack.delete(service);
    // The first write creates what nobody had; it moves nothing.
    if (kind === "create" || JSON.stringify(weightsBefore) === JSON.stringify(weightsAfter)) return;
    story.moves.push({ at: now, service, kind, why, weights: weightsAfter });
  };

  const tellHeldBack = (service: string, { proposal, rules, sentence }: Decision, now: Instant): void => {
    const key = proposal === null ? "" : rules.map(({ rule, answer }) => `${rule} ${answer}`).join();
    if ((toldHeldBack.get(service) ?? "") === key) return;
    toldHeldBack.set(service, key);
    if (proposal !== null) story.heldBack.push({ at: now, service, sentence });
  };

  return {
    take,
    look,
    nextLookAt: () => nextLookAt,
    isAnythingTouched: () => touched.size > 0,
    forget: async (before) => void (await database.evidence.prune({ aggregates: before, transitions: before })),
    story,
  };
};
