/**
 * Tries a dead letter again, or drops it, for an operator. A report that is tried again feeds history only: it is late, and late evidence
 * moves no verdict. Whatever is done is told in history.
 */
import {
  ChangeStage,
  type ChangeTimes,
  type DeadLetterDetail,
  type DeadLetterKind,
  Instant,
  NotifierId,
  Report,
} from "@regent/contract";
import * as z from "zod";
import type { Clock, Ids } from "../../ports/clock.ts";
import { DatabaseAway } from "../../ports/database-away.ts";
import type { DeadLetters } from "../../ports/dead-letters.ts";
import type { DecisionStore } from "../../ports/decision-store.ts";
import type { EvidenceStore } from "../../ports/evidence-store.ts";
import type { Delivery } from "../../ports/pages.ts";
import type { Applied } from "../configuration/configuration-in-force.ts";
import { foldLateReport } from "../evidence/fold-late-report.ts";
import { operator } from "../memory/actors.ts";
import { toWhy } from "../memory/keep-dead-letter.ts";
import { LeadershipLost, type Ledger } from "../memory/ledger.ts";

export const ReportPayload = z.object({ report: Report, receivedAt: Instant });
export type ReportPayload = z.infer<typeof ReportPayload>;

const CLOCKS = ["inSync", "visible", "resolved"] as const satisfies readonly (keyof ChangeTimes)[];

export const StrikePayload = z.object({
  changeId: z.string(),
  clock: z.enum(CLOCKS),
  stage: ChangeStage.nullable(),
  at: Instant,
});
export type StrikePayload = z.infer<typeof StrikePayload>;

/** Of the message only what the store asks for is looked at: it was ours when it was put aside. */
export const PagePayload = z.looseObject({
  notifier: NotifierId,
  notice: z.looseObject({ id: z.string().min(1).max(100), incident: z.looseObject({ id: z.string().min(1) }) }),
});

export interface RetryDeps {
  readonly clock: Pick<Clock, "now">;
  readonly ids: Ids;
  readonly letters: DeadLetters;
  readonly evidence: EvidenceStore;
  readonly ledger: Ledger;
  readonly decisions: Pick<DecisionStore, "readChange">;
  readonly inForce: () => Applied | null;
  /** Behind all that wait for the same notifier. */
  readonly sendPageAgain: (delivery: Delivery) => Promise<unknown>;
}

export interface LetterOrder {
  readonly id: string;
  readonly by: string;
  readonly reason: string;
}

export type LetterResult = { readonly kind: "tried"; readonly done: boolean; readonly why: string } | { readonly kind: "gone" };

export const retryDeadLetter = async (deps: RetryDeps, order: LetterOrder): Promise<LetterResult> => {
  const letter = await deps.letters.read(order.id);
  if (!letter) return { kind: "gone" };
  const at = deps.clock.now();
  try {
    await process(deps, letter);
  } catch (error) {
    if (error instanceof DatabaseAway || error instanceof LeadershipLost) throw error;
    const why = toWhy(error);
    await deps.letters.note(letter.id, { at, why });
    await tell(deps, letter, order, `tried again and refused again: ${why}`);
    return { kind: "tried", done: false, why };
  }
  // After what it brings stands: a crash in between leaves the letter, and doing it twice only counts twice in charts.
  await deps.letters.drop(letter.id);
  const why = DONE[letter.kind];
  await tell(deps, letter, order, `tried again: ${why}`);
  return { kind: "tried", done: true, why };
};

const DONE: Readonly<Record<DeadLetterKind, string>> = {
  report: "the report stands in history",
  strike: "the clock is written down",
  page: "it waits for its notifier again",
};

export const dropDeadLetter = async (deps: RetryDeps, order: LetterOrder): Promise<LetterResult> => {
  const letter = await deps.letters.read(order.id);
  if (!letter || !(await deps.letters.drop(order.id))) return { kind: "gone" };
  await tell(deps, letter, order, "dropped");
  return { kind: "tried", done: true, why: "dropped; what it held is gone" };
};

const process = async (deps: RetryDeps, { kind, payload }: DeadLetterDetail): Promise<void> => {
  switch (kind) {
    case "report": {
      const late = ReportPayload.parse(payload);
      const assigned = deps.inForce()?.assignedTo(late.report.agent);
      if (!assigned) throw new Error("no configuration is in force");
      return deps.evidence.ingest(late.report.agent, [], (agent) => foldLateReport({ ...late, assigned }, agent));
    }
    case "page": {
      PagePayload.parse(payload);
      const at = deps.clock.now();
      await deps.sendPageAgain({ ...(payload as Delivery), createdAt: at, dueAt: at, attempts: 0 });
      return;
    }
    case "strike": {
      const { changeId, clock, stage, at } = StrikePayload.parse(payload);
      const known = deps.ledger.change(changeId) ?? (await deps.decisions.readChange(changeId));
      if (!known) throw new Error("the change is not known any more");
      // A change that was lost stays lost: what servers show by now is its successor.
      if (known.stage === "lost") return;
      return deps.ledger.commit((draft) => draft.stage({ changeId, stage: later(known.stage, stage), at, clock }));
    }
  }
};

/** What became of a change meanwhile is not taken back by a clock that is told late. */
const STAGES = ["accepted", "in-sync", "visible"] as const satisfies readonly ChangeStage[];
const later = (known: ChangeStage, told: ChangeStage | null): ChangeStage => {
  const place = (stage: ChangeStage | null): number => (STAGES as readonly (ChangeStage | null)[]).indexOf(stage);
  return told !== null && place(known) >= 0 && place(told) > place(known) ? told : known;
};

const tell = (deps: RetryDeps, letter: DeadLetterDetail, { by, reason }: LetterOrder, done: string): Promise<void> =>
  deps.ledger.commit((draft) =>
    draft.tell({
      id: deps.ids.ulid(),
      at: deps.clock.now(),
      service: null,
      kind: "dead-letter",
      actor: operator(by),
      why: `dead letter of ${letter.subject} ${done}`,
      page: false,
      detail: { deadLetter: letter.id, kind: letter.kind, reason },
    }),
  );
