/** Takes one report: verified, folded and committed before the answer. Any replica does this; only the leader judges. */

import type { Report, ReportReceipt } from "@regent/contract";
import type { Logger } from "pino";
import type { Clock } from "../../ports/clock.ts";
import { DatabaseAway } from "../../ports/database-away.ts";
import type { EvidenceStore, StoredAgent, StoredCheck } from "../../ports/evidence-store.ts";
import type { Applied } from "../configuration/configuration-in-force.ts";
import type { KeepDeadLetter } from "../memory/keep-dead-letter.ts";
import { type Folded, foldReport } from "./fold-report.ts";
import type { NoteTwin } from "./note-twin.ts";
import { type SignedRequest, type Verified, verifyReport } from "./verify-report.ts";

export type Ingested =
  | { readonly kind: "taken"; readonly receipt: ReportReceipt }
  /** `boot`: the newest of this agent that was heard. */
  | { readonly kind: "replayed"; readonly sequence: number; readonly boot: number }
  | Exclude<Verified, { kind: "verified" }>
  | { readonly kind: "unconfigured" }
  /** It was moved to a lane that has no room. */
  | { readonly kind: "busy"; readonly why: string; readonly retryAfterMs: number };

/** Asked once the signature is known to be good and before anything is written; null: go on. */
export type Recheck = (report: Report) => Promise<Extract<Ingested, { kind: "busy" }> | null>;

export interface IngestDeps {
  readonly clock: Clock;
  readonly evidence: EvidenceStore;
  readonly log: Logger;
  readonly inForce: () => Applied | null;
  /** Called after the commit, in this process: the leader's shortest way to what changed. */
  readonly keepDeadLetter: KeepDeadLetter;
  readonly noteTwin: NoteTwin;
  readonly onTaken: (taken: { agent: StoredAgent; changed: readonly StoredCheck[]; hasTransition: boolean }) => void;
}

export const createIngestReport =
  ({ clock, evidence, log, inForce, keepDeadLetter, noteTwin, onTaken }: IngestDeps) =>
  async (request: SignedRequest, recheck?: Recheck): Promise<Ingested> => {
    const applied = inForce();
    if (!applied) return { kind: "unconfigured" };
    const receivedAt = clock.now();
    const verified = verifyReport(request, { keys: applied.keys, aud: applied.aud, now: receivedAt });
    if (verified.kind !== "verified") return verified;
    const { report } = verified;
    const assigned = applied.assignedTo(report.agent);
    const targets = [...new Set(report.observations.map(({ target }) => target))].filter((target) => assigned.has(target));
    const busy = (await recheck?.(report)) ?? null;
    if (busy) return busy;
    let folded: Folded;
    try {
      folded = await evidence.ingest(report.agent, targets, (agent, checks) =>
        foldReport({ report, receivedAt, step: clock.lastStep?.() ?? null, assigned }, agent, checks),
      );
    } catch (error) {
      if (error instanceof DatabaseAway) throw error;
      // Nothing that its agent could do would make it foldable. What it told is told again in full, so that nothing rests on it.
      await keepDeadLetter({ kind: "report", subject: report.agent, payload: { report, receivedAt } }, error);
      return { kind: "taken", receipt: { ack: report.sequence, serverTime: clock.now(), listAll: true } };
    }
    if (folded.kind === "replayed") {
      await noteTwin({ report, receivedAt }, folded.boot).catch((error: unknown) =>
        log.warn({ err: error }, "a twin is not told yet"),
      );
      return { kind: "replayed", sequence: report.sequence, boot: folded.boot };
    }
    onTaken(folded);
    const configuration = report.configurationVersion !== applied.version ? applied.signedFor(report.agent) : null;
    return {
      kind: "taken",
      receipt: {
        ack: report.sequence,
        serverTime: clock.now(),
        ...(configuration ? { configuration } : {}),
        ...(folded.listAll ? { listAll: true } : {}),
      },
    };
  };
