/**
 * One agent on virtual time: the real schedule, judgement, streaks, batches and reports of agents/core, with the timing of its Node runtime. What
 * the runtime does with timers and sockets is played here: probes take as long as the weather says, reports as long as `Way` says.
 */
import { createBatch } from "@regent/agents/core/batch.ts";
import { JUDGEMENT_START, type Judgement, judge } from "@regent/agents/core/judge.ts";
import { FULL_LISTING_EVERY_MS, SPOOL_AGE_MAX_MS, SPOOL_BYTES_MAX } from "@regent/agents/core/limits.ts";
import type { Part } from "@regent/agents/core/part.ts";
import type { ProbeResult } from "@regent/agents/core/probe-result.ts";
import { toReport } from "@regent/agents/core/report.ts";
import { deadlineMs, firstRunAt, nextRun, phaseMs } from "@regent/agents/core/schedule.ts";
import { createSpool } from "@regent/agents/core/spool.ts";
import { COALESCE_MS, PUSH_GAP_MS, REPORT_JITTER } from "@regent/agents/runtimes/node/limits.ts";
import { type Assignment, REPORT_OBSERVATIONS_MAX, type Report } from "@regent/contract";
import type { ProbeStart } from "./probe-start.ts";
import type { Chance } from "./random.ts";
import type { StationedAgent } from "./stationing.ts";

export interface AgentDeps {
  readonly aud: string;
  readonly chance: Chance;
  /** Does `work` at `at`, ms since the world began. Of one moment, in any order: the same one for the same day. */
  readonly later: (at: number, work: () => void | Promise<void>) => void;
  readonly probe: (probe: ProbeStart) => ProbeResult;
  /** It neither probes nor reports at that moment, as if its process stood still. */
  readonly isSilent: (agent: string, at: number) => boolean;
  /** How long a report is on its way, ms. */
  readonly wayMs: () => number;
  /** Wall clock of the agent at that moment. */
  readonly wallAt: (at: number) => number;
  /** Taken by the control plane; true: it wants everything listed. */
  readonly deliver: (report: Report, at: number) => Promise<boolean>;
}

export const startAgent = ({ declared, assignments, reportIntervalMs }: StationedAgent, deps: AgentDeps): void => {
  const { chance, later } = deps;
  const spool = createSpool({ bytesMax: SPOOL_BYTES_MAX, ageMaxMs: SPOOL_AGE_MAX_MS });
  const batch = createBatch({ spool, observationsMax: REPORT_OBSERVATIONS_MAX });
  const identity = {
    aud: deps.aud,
    agent: declared.id,
    region: declared.region,
    network: declared.network,
    boot: 1,
    build: "virtual",
    runtime: "node",
  } as const;
  let isUrgent = false;
  let isInRound = false;
  let lastBegun = 0;
  let partsInRound = 0;
  /** When the next round begins; a plan for another moment is outdated. */
  let roundAt = Number.POSITIVE_INFINITY;

  // ---------------------------------------------------------------------------------------------- reports

  const planRound = (at: number): void => {
    if (at >= roundAt) return;
    roundAt = at;
    later(at, () => {
      if (isInRound || roundAt !== at) return;
      roundAt = Number.POSITIVE_INFINITY;
      if (deps.isSilent(declared.id, at)) {
        planRound(at + reportIntervalMs);
        return;
      }
      isInRound = true;
      isUrgent = false;
      batch.beginRound();
      partsInRound = 0;
      sendNext(at);
    });
  };

  const sendNext = (now: number): void => {
    const part = batch.take(now);
    if (part === undefined) {
      isInRound = false;
      planRound(isUrgent ? pushAt(now) : lastBegun + reportIntervalMs * (1 - REPORT_JITTER * chance()));
      return;
    }
    lastBegun = now;
    partsInRound += 1;
    const report = reportOf(part, now);
    const arrivesAt = now + deps.wayMs();
    later(arrivesAt, async () => {
      const isListWanted = await deps.deliver(report, arrivesAt);
      const answeredAt = arrivesAt + deps.wayMs();
      later(answeredAt, () => {
        batch.delivered(answeredAt);
        if (isListWanted) batch.listFully("doubt");
        sendNext(answeredAt);
      });
    });
  };

  const reportOf = (part: Part, now: number): Report =>
    toReport(identity, part, {
      now,
      sentAt: deps.wallAt(now),
      configurationVersion: 1,
      self: { healthy: true, mode: "normal", overruns: 0, spooled: 0, dropped: 0 },
    });

  const pushAt = (now: number): number => Math.max(now + COALESCE_MS, lastBegun + PUSH_GAP_MS * Math.max(1, partsInRound));

  const push = (now: number): void => {
    isUrgent = true;
    if (!isInRound) planRound(pushAt(now));
  };

  // ---------------------------------------------------------------------------------------------- probes

  const watch = ({ target, cadence, probe }: Assignment): void => {
    const [service = "", region = "", check = ""] = target.split("/");
    const timeoutMs = deadlineMs(cadence);
    const vantage = { region: declared.region, network: declared.network };
    const phase = phaseMs({ agent: declared.id, target }, cadence.intervalMs);
    let judgement: Judgement = JUDGEMENT_START;
    const start = (startedAt: number): void => {
      if (deps.isSilent(declared.id, startedAt)) {
        later(startedAt, () => start(startedAt + cadence.intervalMs));
        return;
      }
      const seen = deps.probe({ at: startedAt, agent: declared.id, vantage, target, service, region, check, timeoutMs });
      const at = startedAt + seen.latencyMs;
      later(at, () => {
        const before = judgement.streak;
        const { after, result, isTransition } = judge(judgement, { ...seen, at }, { cadence, probe });
        judgement = after;
        batch.note({ target, at, result, isTransition, before, after: after.streak });
        if (isTransition) push(at);
        // The next run's start needs no event of its own: what it meets depends on its moment alone.
        start(nextRun({ startedAt, endedAt: at, streak: after.streak }, cadence, phase).at);
      });
    };
    start(firstRunAt({ agent: declared.id, target }, cadence.intervalMs, 0));
  };

  const listFullyFrom = (at: number): void =>
    later(at, () => {
      batch.listFully("once");
      listFullyFrom(at + FULL_LISTING_EVERY_MS);
    });

  batch.configure(assignments, reportIntervalMs);
  for (const assignment of assignments) watch(assignment);
  listFullyFrom(FULL_LISTING_EVERY_MS);
  planRound(chance() * COALESCE_MS);
};
