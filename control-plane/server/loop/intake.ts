/** Reports come in, here or at another replica, and what they changed is looked at. */
import type { Logger } from "pino";
import type { Applied } from "../operations/configuration/configuration-in-force.ts";
import type { ControlPlane } from "../operations/control-plane.ts";
import type { EvidenceCache } from "../operations/evidence/evidence-cache.ts";
import { createIngestReport } from "../operations/evidence/ingest-report.ts";
import { createNoteTwin } from "../operations/evidence/note-twin.ts";
import type { KeepDeadLetter } from "../operations/memory/keep-dead-letter.ts";
import type { Clock } from "../ports/clock.ts";
import { DatabaseAway } from "../ports/database-away.ts";
import type { DeadLetters } from "../ports/dead-letters.ts";
import type { EvidenceStore } from "../ports/evidence-store.ts";
import type { Metrics } from "./metrics.ts";

export interface IntakeDeps {
  readonly clock: Clock;
  readonly log: Logger;
  readonly evidence: EvidenceStore;
  readonly deadLetters: DeadLetters;
  readonly metrics: Pick<Metrics, "reportTaken">;
  readonly cache: EvidenceCache;
  readonly inForce: () => Applied | null;
  readonly keepDeadLetter: KeepDeadLetter;
  readonly isLeading: () => boolean;
  readonly wake: (services: Iterable<string>) => void;
  readonly emit: (services: readonly string[]) => void;
  readonly noteWrite: (isTaken: boolean) => void;
  readonly signal: AbortSignal;
}

export interface Intake {
  readonly take: ControlPlane["ingestReport"];
  /** Another process took something of this agent; of any, when it is empty. */
  readonly refreshSoon: (agent: string) => Promise<void>;
}

export const createIntake = (deps: IntakeDeps): Intake => {
  const { log, cache, isLeading, wake, noteWrite } = deps;

  const ingest = createIngestReport({
    ...deps,
    noteTwin: createNoteTwin({ letters: deps.deadLetters, keepDeadLetter: deps.keepDeadLetter }),
    onTaken: ({ agent, changed, hasTransition }) => {
      deps.metrics.reportTaken(agent.agent);
      cache
        .take(agent, changed)
        .then((services) => {
          if (services.size === 0) return;
          if (isLeading()) wake(services);
          if (hasTransition) deps.emit([...services]);
        })
        .catch((error: unknown) => log.warn({ err: error }, "evidence not taken over; the poll reads it again"));
    },
  });

  /** Notifications that come while evidence is read are read together afterwards: a dead region means one read, not one per agent. */
  const changedAgents = new Set<string>();
  let isRefreshing = false;

  return {
    /** A full disk or a standby answers every question and takes no report. */
    take: async (request, recheck) => {
      try {
        const ingested = await ingest(request, recheck);
        if (ingested.kind === "taken") noteWrite(true);
        return ingested;
      } catch (error) {
        if (error instanceof DatabaseAway) noteWrite(false);
        throw error;
      }
    },
    refreshSoon: async (agent) => {
      changedAgents.add(agent);
      if (isRefreshing) return;
      isRefreshing = true;
      try {
        while (changedAgents.size > 0 && !deps.signal.aborted) {
          const agents = [...changedAgents];
          changedAgents.clear();
          const services = await cache.refresh(agents.includes("") ? undefined : agents);
          if (isLeading() && services.size > 0) wake(services);
        }
      } catch (error) {
        log.warn({ err: error }, "evidence not read; the poll reads it again");
      } finally {
        isRefreshing = false;
      }
    },
  };
};
