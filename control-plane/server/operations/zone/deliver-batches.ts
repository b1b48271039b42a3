/**
 * Sends write-ahead rows of one zone, the most urgent first and as few calls as the limits allow, and writes down what became of each. An
 * answer other than "accepted" leads back to reading DNS: only the epoch record tells. A row is never rebuilt here, only sent again as it is.
 *
 * It goes in rounds, so that one service's trouble never holds back another. A round sends every batch once. Then all names of those that
 * were not accepted are read together: what somebody changed is left out, and the rest goes again as few batches. A batch that is refused
 * although DNS holds all that it deletes is halved until the service that Route 53 won't have is alone.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { composeZoneBatches } from "@regent/engine/plan/batch.ts";
import { inOrder, isRescue, rankOf } from "@regent/engine/plan/order.ts";
import type { Logger } from "pino";
import { BATCH_CHARACTERS_MAX, BATCH_ELEMENTS_MAX, SEND_BACKOFF_MAX_MS, SEND_BACKOFF_MIN_MS, SEND_FOR_MS } from "../../limits.ts";
import type { Clock } from "../../ports/clock.ts";
import type { StoredOutboxRow } from "../../ports/decision-store.ts";
import type { DnsProvider, OutgoingBatch, SendResult } from "../../ports/dns-provider.ts";
import { AUTOMATION } from "../memory/actors.ts";
import { withoutDeparture } from "../memory/departed.ts";
import { findFreeze } from "../memory/find-freeze.ts";
import { commitAnew, type Ledger } from "../memory/ledger.ts";
import type { ZoneReader } from "./read-zone.ts";
import { withWritten } from "./written-record.ts";

export interface DeliverDeps {
  readonly clock: Clock;
  readonly provider: DnsProvider;
  readonly ledger: Ledger;
  readonly reader: ZoneReader;
  readonly log: Logger;
  /** 1 to 1,000: the service's declared priority. */
  readonly priorityOf: (service: string) => number;
  /** The local lease: a controller that isn't sure that it leads sends nothing. */
  readonly mayWrite: () => boolean;
  readonly onAccepted: (changeId: string) => void;
  readonly onMeasured: (what: "sent" | SendResult["kind"]) => void;
  /** Ends the pauses between attempts when the process stops. */
  readonly signal: AbortSignal;
}

/** When to look at these services again, ms; null when everything was accepted, or when somebody else is to look. */
export interface Delivered {
  readonly retryMs: number | null;
}

/** What is unknown is read soon. */
const LOOK_AGAIN_MS = 1_000;
/** What Route 53 denies or refuses needs a person: asked again often enough to notice, rarely enough to leave the API to others. */
const REFUSED_AGAIN_MS = 5_000;

/** `givesWay`: traffic waits for another turn of this zone. What isn't a rescue then stays unsent; its rows are open and decided anew. */
export const createDeliver = (deps: DeliverDeps) => {
  const troubled = new Set<string>();
  return async (rows: readonly StoredOutboxRow[], givesWay: () => boolean = () => false): Promise<Delivered> => {
    const waits: number[] = [];
    const trip: Trip = {
      deps,
      troubled,
      givesWay,
      again: (ms) => void waits.push(ms),
      deadline: deps.clock.monotonic() + SEND_FOR_MS,
    };
    let groups = await compose(trip, inOrder(rows.map((row) => ({ row, rank: rankRow(deps, row) }))));
    for (let round = 0; groups.length > 0; round++) {
      const open: OpenGroup[] = [];
      for (const group of groups) open.push(...(await sendGroup(trip, group)));
      groups = await sortOut(trip, open, round);
    }
    return { retryMs: waits.length > 0 ? Math.min(...waits) : null };
  };
};

export type Deliver = ReturnType<typeof createDeliver>;

/** One delivery, from its first batch to the last. */
interface Trip {
  readonly deps: DeliverDeps;
  /** Services that Route 53 refused alone: until one is accepted it goes alone and after the others of its kind, and costs them no second call. */
  readonly troubled: Set<string>;
  readonly givesWay: () => boolean;
  readonly again: (ms: number) => void;
  /** Monotonic ms: later, what was decided is too old to be sent (rule A12). */
  readonly deadline: number;
}

interface Outgoing {
  readonly row: StoredOutboxRow;
  readonly rank: number;
}

/** What goes in one call. */
interface Group {
  readonly sent: readonly Outgoing[];
  /** Part of a batch that was refused with nobody to blame in DNS. */
  readonly isPart: boolean;
}

/** A group that was sent and not accepted: whether a copy can have arrived, only DNS tells. */
interface OpenGroup extends Group {
  readonly kind: "refused" | "unknown";
  readonly why: string;
}

const rankRow = ({ ledger, priorityOf }: DeliverDeps, { changeId, service }: StoredOutboxRow): number =>
  rankOf(ledger.change(changeId) ?? { kind: "configure", actor: AUTOMATION }, priorityOf(service));

/** Rescues share no batch with anything else, which might be refused for reasons that aren't theirs. */
const compose = async (trip: Trip, outgoing: readonly Outgoing[]): Promise<readonly Group[]> => {
  const isTroubled = ({ row }: Outgoing): boolean => trip.troubled.has(row.service);
  const rescues = outgoing.filter(({ rank }) => isRescue(rank));
  const others = outgoing.filter(({ rank }) => !isRescue(rank));
  const kinds = [rescues, others].flatMap((all) => [
    all.filter((each) => !isTroubled(each)),
    ...all.filter(isTroubled).map((each) => [each]),
  ]);
  const groups: Group[] = [];
  for (const kind of kinds) {
    const byService = new Map(kind.map((each) => [each.row.service, each]));
    const composed = composeZoneBatches(
      kind.map(({ row: { service, deletes, creates } }) => ({ service, deletes, creates })),
      { elementsMax: BATCH_ELEMENTS_MAX, charactersMax: BATCH_CHARACTERS_MAX },
    );
    for (const batches of composed.groups)
      groups.push({ sent: batches.flatMap(({ service }) => byService.get(service) ?? []), isPart: false });
    for (const { service, why } of composed.oversized) {
      trip.again(REFUSED_AGAIN_MS);
      await settle(trip.deps, toRows([byService.get(service)].filter((each) => each !== undefined)), "refused", why);
    }
  }
  return groups;
};

const toRows = (outgoing: readonly Outgoing[]): readonly StoredOutboxRow[] => outgoing.map(({ row }) => row);

/** Sends one batch until Route 53 says something about it. Nothing comes back when nothing is left to find out. */
const sendGroup = async (trip: Trip, { sent, isPart }: Group): Promise<readonly OpenGroup[]> => {
  const { deps, again } = trip;
  let waiting = sent;
  for (let attempt = 0; waiting.length > 0; attempt++) {
    if (!deps.mayWrite()) return [];
    const rank = waiting[0]?.rank ?? 0;
    if (mustGiveWay(trip, rank)) return postpone(trip, waiting, "a rescue waits for this zone");
    if (deps.clock.monotonic() > trip.deadline) {
      if (attempt === 0) return postpone(trip, waiting, `no call was left for it in ${SEND_FOR_MS / 1000} s`);
      await leaveOpen(trip, waiting, attempt);
      return [];
    }
    const free = await withoutFrozen(deps, waiting);
    if (free.length < waiting.length) again(LOOK_AGAIN_MS);
    waiting = free;
    if (waiting.length === 0 || !deps.mayWrite()) return [];
    const rows = toRows(waiting);
    const result = await sendPatiently(trip, waiting, rank);
    deps.log.info(
      { zone: rows[0]?.zoneId, services: rows.map(({ service }) => service), attempt, result: result.kind },
      "batch sent",
    );
    switch (result.kind) {
      case "accepted":
        for (const { service } of rows) trip.troubled.delete(service);
        await noteAccepted(deps, rows, result.changeInfoId);
        return [];
      case "denied":
        await settle(deps, rows, "refused", result.why);
        again(REFUSED_AGAIN_MS);
        return [];
      case "throttled":
        // The account's budget slows down all calls together: to wait longer here as well would only lose our place.
        await pause(deps, backoffMs(0));
        break;
      case "not-sent":
        // Nothing was spent, and the next try is known: waiting longer would hold up a failover after Route 53 is back. What isn't wanted any
        // more is sorted out before that try.
        await pause(deps, Math.max(SEND_BACKOFF_MIN_MS, result.nextTryMs));
        break;
      case "busy":
        await pause(deps, backoffMs(attempt));
        break;
      case "refused":
        return [{ kind: "refused", sent: waiting, isPart, why: result.messages.join(" ") }];
      case "unknown": {
        // From here on a copy may be under way: whatever comes next, only DNS can say that it never arrived.
        const unsure = waiting.map(({ row, ...each }): Outgoing => ({ ...each, row: { ...row, state: "unknown" } }));
        return [{ kind: "unknown", sent: unsure, isPart, why: result.why }];
      }
    }
  }
  return [];
};

/**
 * What waits for the account's budget leaves only if it is still wanted then, and doesn't wait on when it isn't. An answer that is late mustn't
 * hold up others whose traffic suffers either: the request may arrive all the same, so it is as good as a lost answer, and DNS tells.
 */
const sendPatiently = (trip: Trip, outgoing: readonly Outgoing[], rank: number): Promise<SendResult> => {
  const { clock } = trip.deps;
  const over = new AbortController();
  let leftAt: number | null = null;
  const givenUp = new AbortController();
  const mayLeave = (): boolean => {
    if (givenUp.signal.aborted || !isWanted(trip, outgoing, rank)) return false;
    leftAt = clock.monotonic();
    return true;
  };
  const look = (): SendResult | null => {
    if (leftAt === null) {
      if (!trip.deps.signal.aborted && isWanted(trip, outgoing, rank)) return null;
      givenUp.abort();
      return { kind: "not-sent", why: "nobody wants it any more", nextTryMs: 0 };
    }
    return trip.givesWay() && clock.monotonic() - leftAt >= PATIENCE_MS ? TOO_LATE : null;
  };
  const sending = sendOnce(trip.deps, toRows(outgoing), { rank, mayLeave, givenUp: givenUp.signal }).finally(() => over.abort());
  return Promise.race([sending, lookOn(look, AbortSignal.any([over.signal, trip.deps.signal]))]);
};

/** Route 53 answers a change in a few hundred milliseconds. */
const PATIENCE_MS = 1_500;
const PATIENCE_LOOK_MS = 100;
const TOO_LATE: SendResult = { kind: "unknown", why: `no answer in ${PATIENCE_MS / 1000} s, and a rescue waits for this zone` };

/** Until it says something; never, when the signal comes first. */
const lookOn = async (look: () => SendResult | null, signal: AbortSignal): Promise<SendResult> => {
  for (;;) {
    await sleep(PATIENCE_LOOK_MS, undefined, { signal }).catch(() => undefined);
    const said = look();
    if (said) return said;
    if (signal.aborted) return new Promise(() => undefined);
  }
};

/** All that was true when the call began to wait for its turn must be true when it leaves. */
const isWanted = (trip: Trip, outgoing: readonly Outgoing[], rank: number): boolean =>
  trip.deps.mayWrite() &&
  trip.deps.clock.monotonic() <= trip.deadline &&
  !mustGiveWay(trip, rank) &&
  outgoing.every(({ row }) => findFreeze(trip.deps.ledger, row, trip.deps.clock.now()) === null);

const mustGiveWay = ({ givesWay }: Trip, rank: number): boolean => !isRescue(rank) && givesWay();

/** Never sent: the rows stay as they are, and are decided anew. */
const postpone = ({ deps, again }: Trip, waiting: readonly Outgoing[], why: string): readonly OpenGroup[] => {
  deps.log.info({ services: waiting.map(({ row }) => row.service), why }, "batch not sent yet");
  again(LOOK_AGAIN_MS);
  return [];
};

/** What the next round sends. */
const sortOut = async (trip: Trip, open: readonly OpenGroup[], round: number): Promise<readonly Group[]> => {
  const groups: Group[] = [];
  const unread: OpenGroup[] = [];
  for (const group of open)
    if (mustGiveWay(trip, group.sent[0]?.rank ?? 0)) await leave(trip, group, group.sent);
    else if (group.kind === "refused" && group.isPart) groups.push(...(await halve(trip, group)));
    else unread.push(group);
  if (unread.length === 0) return groups;
  const innocent = await sortByDns(trip.deps, unread);
  if (innocent === null) {
    trip.again(LOOK_AGAIN_MS);
    return groups;
  }
  const rest: Outgoing[] = [];
  for (const group of unread) {
    const left = group.sent.filter(({ row }) => innocent.has(row.ulid));
    if (left.length < group.sent.length) trip.again(LOOK_AGAIN_MS);
    // What may still be under way is read again soon; meanwhile the zone goes on.
    if (group.kind === "unknown" && trip.givesWay()) await leave(trip, group, left);
    else if (left.length < group.sent.length || group.kind === "unknown") rest.push(...left);
    else groups.push(...(await halve(trip, group)));
  }
  if (rest.length > 0 && unread.some(({ kind }) => kind === "unknown")) await pause(trip.deps, backoffMs(round));
  return [...(await compose(trip, inOrder(rest))), ...groups];
};

/** Others go first: the next look reads what became of it. */
const leave = async (trip: Trip, { kind, why }: OpenGroup, left: readonly Outgoing[]): Promise<void> => {
  trip.again(LOOK_AGAIN_MS);
  if (kind === "unknown") await settle(trip.deps, toRows(left), "unknown", why);
};

/** Nobody to blame in DNS: each half may be the sound one. Alone, it is to blame itself. */
const halve = async (trip: Trip, { sent, why }: OpenGroup): Promise<readonly Group[]> => {
  if (sent.length > 1) {
    const middle = Math.ceil(sent.length / 2);
    return [sent.slice(0, middle), sent.slice(middle)].map((half) => ({ sent: half, isPart: true }));
  }
  for (const { row } of sent) trip.troubled.add(row.service);
  await settle(trip.deps, toRows(sent), "refused", why);
  trip.again(REFUSED_AGAIN_MS);
  return [];
};

/** An operator's freeze counts from its commit on: what automation decided before, and couldn't send yet, stays here. */
const withoutFrozen = async (deps: DeliverDeps, outgoing: readonly Outgoing[]): Promise<readonly Outgoing[]> => {
  const free: Outgoing[] = [];
  for (const each of outgoing) {
    const control = findFreeze(deps.ledger, each.row, deps.clock.now());
    if (control === null) free.push(each);
    else await settle(deps, [each.row], "abandoned", `frozen by ${control.by} before it could be sent: ${control.reason}`);
  }
  return free;
};

const sendOnce = (
  deps: DeliverDeps,
  rows: readonly StoredOutboxRow[],
  waiting: Pick<OutgoingBatch, "rank" | "mayLeave" | "givenUp">,
): Promise<SendResult> => {
  const [first] = rows;
  if (!first) throw new Error("an empty batch has nothing to send");
  deps.onMeasured("sent");
  const comment = `regent ${rows.map(({ changeId }) => changeId).join(" ")}`.slice(0, 250);
  const batch = {
    deletes: rows.flatMap(({ deletes }) => deletes),
    creates: rows.flatMap(({ creates }) => creates),
    comment,
    ...waiting,
  };
  return deps.provider.send(first.zoneId, batch).then((result) => {
    deps.onMeasured(result.kind);
    return result;
  });
};

/** 100 ms, doubled up to 5 s, half of it by chance so that two controllers don't meet again. */
const backoffMs = (attempt: number): number =>
  Math.min(SEND_BACKOFF_MAX_MS, SEND_BACKOFF_MIN_MS * 2 ** attempt) * (0.5 + Math.random() / 2);

const noteAccepted = async (deps: DeliverDeps, rows: readonly StoredOutboxRow[], changeInfoId: string): Promise<void> => {
  const at = deps.clock.now();
  await commitAnew(deps.ledger, (draft) => {
    for (const row of rows) {
      draft.updateOutbox({ ulid: row.ulid, state: "accepted", changeInfoId });
      draft.stage({ changeId: row.changeId, stage: "accepted", at, clock: "accepted" });
      draft.update(row.service, (record) => withWritten(record, row));
    }
  });
  for (const { changeId } of rows) deps.onAccepted(changeId);
};

/**
 * Reads every name again, of all groups at once. Applied and lost rows are settled; of those that DNS would still take, the ULIDs come back.
 * Null when DNS could not be read.
 */
const sortByDns = async (deps: DeliverDeps, groups: readonly OpenGroup[]): Promise<ReadonlySet<string> | null> => {
  const sent = groups.flatMap((group) => group.sent);
  const rank = Math.min(...sent.map((each) => each.rank));
  const services = sent.map(({ row }) => row.service);
  const read = await deps.reader.settle(sent[0]?.row.zoneId ?? "", services, { lane: "read", rank });
  if (read.kind !== "settled") {
    for (const group of groups)
      await settle(deps, toRows(group.sent), "unknown", `${group.why}; and DNS could not be read: ${read.why}`);
    return null;
  }
  for (const changeId of read.accepted) deps.onAccepted(changeId);
  const openUlids = new Set(read.open.map(({ ulid }) => ulid));
  const innocent = new Set<string>();
  for (const group of groups) {
    const stillOpen = toRows(group.sent).filter(({ ulid }) => openUlids.has(ulid));
    for (const row of stillOpen) if (read.matches(row)) innocent.add(row.ulid);
    const drifted = stillOpen.filter(({ ulid }) => !innocent.has(ulid));
    await settle(deps, drifted, "refused", `DNS no longer holds what this batch deletes: ${group.why}`);
  }
  return innocent;
};

/** `refused` and `abandoned` say that no copy can arrive any more. Of a row whose fate was once unknown, nobody here can say so. */
const settle = async (
  deps: DeliverDeps,
  rows: readonly StoredOutboxRow[],
  state: "refused" | "unknown" | "abandoned",
  why: string,
): Promise<void> => {
  if (rows.length === 0) return;
  const at = deps.clock.now();
  deps.log.warn({ services: rows.map(({ service }) => service), state, why }, "batch not accepted");
  await commitAnew(deps.ledger, (draft) => {
    for (const row of rows) {
      draft.updateOutbox({ ulid: row.ulid, state: row.state === "unknown" ? "unknown" : state });
      draft.stage({ changeId: row.changeId, stage: state, at, why });
      // Nobody received it.
      if (state !== "unknown" && row.state !== "unknown" && draft.record(row.service).traffic.departures.length > 0)
        draft.update(row.service, (record) => withoutDeparture(record, row.createdAt));
    }
  });
};

/** Out of time: the row stays, and its fate is read off DNS. */
const leaveOpen = async ({ deps, again }: Trip, waiting: readonly Outgoing[], attempt: number): Promise<void> => {
  const why = `not accepted after ${attempt} attempts in ${SEND_FOR_MS / 1000} s; it will be decided anew`;
  await settle(deps, toRows(waiting), "unknown", why);
  again(LOOK_AGAIN_MS);
};

const pause = ({ signal }: DeliverDeps, ms: number): Promise<void> => sleep(ms, undefined, { signal }).catch(() => undefined);
