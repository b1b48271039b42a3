/** One offline command from what was read to what became of it: drafts, shows, has it confirmed, sends each service's batch alone, tells. */
import type { Observed, ServiceSpec } from "@regent/engine";
import { toBatchLines } from "@regent/engine/plan/batch.ts";
import type { OfflineWish } from "@regent/engine/plan/offline.ts";
import type { Ids } from "@regent/server/ports/clock.ts";
import type { Context } from "../context.ts";
import { CommandFailure, EXIT } from "../exit-codes.ts";
import { type Drafted, draftWrite, type OfflineWrite } from "./draft-write.ts";
import { openRecordFile } from "./record-file.ts";
import { type SendDeps, type Sent, sendWrite } from "./send-write.ts";
import { OFFLINE_NOTICE, toOfflineOutcome, toOfflineWrite } from "./show-offline.ts";

export interface OfflineAsked {
  readonly wish: OfflineWish;
  readonly reason: string;
  readonly isDryRun: boolean;
  readonly isConfirmed: boolean;
  /** What has to be typed on a terminal. */
  readonly word: string;
  readonly record: string | undefined;
}

export interface WriteOfflineDeps extends SendDeps {
  readonly context: Context;
  readonly ids: Ids;
  readonly now: () => Date;
}

interface One {
  readonly spec: ServiceSpec;
  readonly isFrozen: boolean;
  readonly drafted: Drafted;
}

export const writeOffline = async (
  deps: WriteOfflineDeps,
  asked: OfflineAsked,
  specs: readonly ServiceSpec[],
  observed: ReadonlyMap<string, Observed>,
): Promise<void> => {
  const { context, ids } = deps;
  const { wish, reason } = asked;
  const all = specs.flatMap((spec): One[] => {
    const seen = observed.get(spec.id);
    return seen
      ? [{ spec, isFrozen: seen.epoch?.mode === "frozen", drafted: draftWrite(spec, seen, { wish, reason, ulid: ids.ulid() }) }]
      : [];
  });
  const writes = all.flatMap(({ drafted }) => (drafted.kind === "drafted" ? drafted.write : []));
  const say = (lines: readonly string[]): void => {
    if (!context.isJson) context.terminal.out(`${lines.join("\n")}\n`);
  };
  const standing = wish.kind === "freeze" ? all.flatMap(toStandingLines) : [];
  const shown = [OFFLINE_NOTICE, ...writes.flatMap((write) => toOfflineWrite(write, context.paint)), ...standing];
  const isAsking = !asked.isDryRun && !asked.isConfirmed && writes.length > 0;
  say(shown);
  // Stdout is for the program; whoever is asked has to see what for.
  if (isAsking && context.isJson && context.terminal.ask) context.terminal.err(`${shown.join("\n")}\n`);
  if (isAsking) await confirm(deps, asked);
  const sent = asked.isDryRun ? new Map<OfflineWrite, Sent>() : await sendAll(deps, asked, writes, say);
  if (asked.isDryRun) say([context.paint.bold("Dry run: nothing was sent.")]);
  if (context.isJson)
    context.print(
      all.map((one) => toAnswer(one, sent)),
      () => [],
    );
  fail(all, sent, asked);
};

/** What needs no write, and isn't a failure by itself. */
const toStandingLines = ({ drafted }: One): string[] => (drafted.kind === "standing" ? [drafted.why] : []);

const confirm = async ({ context }: WriteOfflineDeps, { word }: OfflineAsked): Promise<void> => {
  const { ask } = context.terminal;
  if (ask === undefined)
    throw new CommandFailure(EXIT.usage, "There is no terminal to confirm this on: look at it with --dry-run, then say --yes.");
  const typed = await ask(`Type ${word} to write this: `);
  if (typed?.trim() !== word) throw new CommandFailure(EXIT.refused, "It was not confirmed; nothing was sent.");
};

/**
 * One after the other: what Route 53 refuses of one service mustn't hold back another. A trail that can't be kept any more does: what was sent by
 * then is told all the same, and what wasn't.
 */
const sendAll = async (
  deps: WriteOfflineDeps,
  { reason, record }: OfflineAsked,
  writes: readonly OfflineWrite[],
  say: (lines: readonly string[]) => void,
): Promise<ReadonlyMap<OfflineWrite, Sent>> => {
  const { terminal, paint } = deps.context;
  const { env } = terminal;
  const file = openRecordFile(record, { by: env.USER ?? env.LOGNAME ?? "unknown", reason, now: deps.now });
  const outcomes = new Map<OfflineWrite, Sent>();
  let stopped: string | null = null;
  for (const write of writes) {
    stopped ??= await file.intent(write);
    if (stopped !== null && outcomes.size === 0) throw new CommandFailure(EXIT.usage, `${stopped}; nothing was sent.`);
    if (stopped !== null) {
      outcomes.set(write, { kind: "not-sent", why: stopped, now: null });
      continue;
    }
    const sent = await sendWrite(deps, write);
    outcomes.set(write, sent);
    if (sent.kind === "done") say([`${paint.good("✓")} ${toOfflineOutcome(write, sent)}`]);
    const untold = await file.outcome(write, sent);
    if (untold !== null) terminal.err(`${untold}: what became of ${write.plan.spec.id} is missing there.\n`);
  }
  return outcomes;
};

const toAnswer = ({ spec, drafted }: One, outcomes: ReadonlyMap<OfflineWrite, Sent>): object => {
  if (drafted.kind !== "drafted") return { service: spec.id, outcome: drafted.kind, why: drafted.why };
  const { write } = drafted;
  const { plan, epoch, batch, warnings } = write;
  const sent = outcomes.get(write);
  return {
    service: spec.id,
    outcome: sent?.kind ?? "dry-run",
    why: sent?.why ?? "nothing was sent",
    epoch,
    weightsBefore: plan.weightsBefore,
    weightsAfter: plan.weightsAfter,
    differences: plan.differences,
    warnings,
    batch: toBatchLines(batch),
  };
};

/** A freeze that stands already is what was asked for; a failover to where a region serves alone wrote nothing, and whoever asked should know. */
const fail = (all: readonly One[], outcomes: ReadonlyMap<OfflineWrite, Sent>, { wish }: OfflineAsked): void => {
  const lines: string[] = [];
  let isUnknown = false;
  for (const { spec, isFrozen, drafted } of all) {
    if (drafted.kind === "refused") lines.push(`${spec.id}: refused: ${drafted.why}`);
    if (drafted.kind === "standing" && wish.kind === "failover")
      lines.push(`${spec.id}: refused: ${drafted.why}${isFrozen ? "" : ` To keep it there: regent offline freeze ${spec.id}.`}`);
    if (drafted.kind !== "drafted") continue;
    const sent = outcomes.get(drafted.write);
    if (sent === undefined || sent.kind === "done") continue;
    isUnknown ||= sent.kind === "unknown";
    lines.push(toOfflineOutcome(drafted.write, sent));
  }
  if (lines.length > 0) throw new CommandFailure(isUnknown ? EXIT.unknown : EXIT.refused, lines.join("\n"));
};
