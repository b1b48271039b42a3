/**
 * Sends write-ahead rows of one zone, as few calls as the limits allow, and writes down what became of each. An answer other than "accepted"
 * leads back to reading DNS: only the epoch record tells. A row is never rebuilt here, only sent again as it is.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { ServiceBatch } from "@regent/engine";
import { composeZoneBatches } from "@regent/engine/plan/batch.ts";
import type { Logger } from "pino";
import { BATCH_CHARACTERS_MAX, BATCH_ELEMENTS_MAX, SEND_BACKOFF_MAX_MS, SEND_BACKOFF_MIN_MS, SEND_FOR_MS } from "../limits.ts";
import type { Clock } from "../ports/clock.ts";
import type { StoredOutboxRow } from "../ports/decision-store.ts";
import type { DnsProvider, SendResult } from "../ports/dns-provider.ts";
import { findFreeze } from "./find-freeze.ts";
import type { Ledger } from "./ledger.ts";
import type { ZoneReader } from "./read-zone.ts";

export interface DeliverDeps {
  readonly clock: Clock;
  readonly provider: DnsProvider;
  readonly ledger: Ledger;
  readonly reader: ZoneReader;
  readonly log: Logger;
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

export const createDeliver = (deps: DeliverDeps) => {
  const deliver = async (rows: readonly StoredOutboxRow[]): Promise<Delivered> => {
    const byService = new Map(rows.map((row) => [row.service, row]));
    const batches: ServiceBatch[] = rows.map(({ service, deletes, creates }) => ({ service, deletes, creates }));
    const { groups, oversized } = composeZoneBatches(batches, {
      elementsMax: BATCH_ELEMENTS_MAX,
      charactersMax: BATCH_CHARACTERS_MAX,
    });
    for (const { service, why } of oversized) await settle(deps, pick(byService, [service]), "refused", why);
    const waits: Wait[] = oversized.length > 0 ? [REFUSED_AGAIN_MS] : [];
    for (const group of groups)
      waits.push(
        await sendGroup(
          deps,
          pick(
            byService,
            group.map(({ service }) => service),
          ),
        ),
      );
    return { retryMs: soonest(waits) };
  };
  return deliver;
};

type Wait = number | null;

const soonest = (waits: readonly Wait[]): Wait => {
  const known = waits.filter((wait) => wait !== null);
  return known.length > 0 ? Math.min(...known) : null;
};

export type Deliver = ReturnType<typeof createDeliver>;

const pick = (byService: ReadonlyMap<string, StoredOutboxRow>, services: readonly string[]): StoredOutboxRow[] =>
  services.flatMap((service) => byService.get(service) ?? []);

const sendGroup = async (deps: DeliverDeps, rows: readonly StoredOutboxRow[]): Promise<Wait> => {
  const { clock, log } = deps;
  let waiting = rows;
  let isAgain: Wait = null;
  const deadline = clock.monotonic() + SEND_FOR_MS;
  for (let attempt = 0; waiting.length > 0; attempt++) {
    if (!deps.mayWrite()) return null;
    if (clock.monotonic() > deadline) return leaveOpen(deps, waiting, attempt);
    const free = await withoutFrozen(deps, waiting);
    if (free.length < waiting.length) isAgain = LOOK_AGAIN_MS;
    waiting = free;
    if (waiting.length === 0 || !deps.mayWrite()) break;
    const result = await sendOnce(deps, waiting);
    log.info(
      { zone: waiting[0]?.zoneId, services: waiting.map(({ service }) => service), attempt, result: result.kind },
      "batch sent",
    );
    switch (result.kind) {
      case "accepted":
        await noteAccepted(deps, waiting, result.changeInfoId);
        return isAgain;
      case "denied":
        await settle(deps, waiting, "refused", result.why);
        return REFUSED_AGAIN_MS;
      case "throttled":
      case "busy":
        break;
      case "unknown": {
        // From here on a copy may be under way: whatever comes next, only DNS can say that it never arrived.
        waiting = waiting.map((row) => ({ ...row, state: "unknown" }));
        const sorted = await sortByDns(deps, waiting, result.why);
        if (sorted.kind === "sorted") {
          if (sorted.innocent.length < waiting.length) isAgain = LOOK_AGAIN_MS;
          waiting = sorted.innocent;
        }
        break;
      }
      case "refused": {
        const why = result.messages.join(" ");
        const sorted = await sortByDns(deps, waiting, why);
        if (sorted.kind === "unread") return LOOK_AGAIN_MS;
        // Nobody to blame in DNS, and still refused together: each alone, so that one service can't hold back the others.
        if (sorted.innocent.length === waiting.length) {
          if (waiting.length > 1) return sendEach(deps, waiting);
          await settle(deps, waiting, "refused", why);
          return REFUSED_AGAIN_MS;
        }
        isAgain = LOOK_AGAIN_MS;
        waiting = sorted.innocent;
        break;
      }
    }
    if (waiting.length > 0 && result.kind !== "refused")
      await sleep(backoffMs(attempt), undefined, { signal: deps.signal }).catch(() => undefined);
  }
  return isAgain;
};

const sendEach = async (deps: DeliverDeps, rows: readonly StoredOutboxRow[]): Promise<Wait> => {
  const waits: Wait[] = [];
  for (const row of rows) waits.push(await sendGroup(deps, [row]));
  return soonest(waits);
};

/** An operator's freeze counts from its commit on: what automation decided before, and couldn't send yet, stays here. */
const withoutFrozen = async (deps: DeliverDeps, rows: readonly StoredOutboxRow[]): Promise<readonly StoredOutboxRow[]> => {
  const frozen = new Map(rows.map((row) => [row, findFreeze(deps.ledger, row)]));
  const held = rows.filter((row) => frozen.get(row) !== null);
  for (const row of held) {
    const control = frozen.get(row);
    if (control) await settle(deps, [row], "abandoned", `frozen by ${control.by} before it could be sent: ${control.reason}`);
  }
  return rows.filter((row) => !held.includes(row));
};

const sendOnce = (deps: DeliverDeps, rows: readonly StoredOutboxRow[]): Promise<SendResult> => {
  const [first] = rows;
  if (!first) throw new Error("an empty batch has nothing to send");
  deps.onMeasured("sent");
  const comment = `regent ${rows.map(({ changeId }) => changeId).join(" ")}`.slice(0, 250);
  const batch = { deletes: rows.flatMap(({ deletes }) => deletes), creates: rows.flatMap(({ creates }) => creates), comment };
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
  await deps.ledger.commit((draft) => {
    for (const row of rows) {
      draft.updateOutbox({ ulid: row.ulid, state: "accepted", changeInfoId });
      draft.stage({ changeId: row.changeId, stage: "accepted", at, clock: "accepted" });
      draft.update(row.service, (record) => ({
        ...record,
        written: row.weights,
        expected: row.creates,
        epoch: row.ulid,
        drift: null,
        blockedBy: null,
      }));
    }
  });
  for (const { changeId } of rows) deps.onAccepted(changeId);
};

type Sorted = { readonly kind: "sorted"; readonly innocent: readonly StoredOutboxRow[] } | { readonly kind: "unread" };

/** Reads every name again. Applied and lost rows are settled; those that DNS would still take come back. */
const sortByDns = async (deps: DeliverDeps, rows: readonly StoredOutboxRow[], why: string): Promise<Sorted> => {
  const services = rows.map(({ service }) => service);
  const read = await deps.reader.settle(rows[0]?.zoneId ?? "", services);
  if (read.kind !== "settled") {
    await settle(deps, rows, "unknown", `${why}; and DNS could not be read: ${read.why}`);
    return { kind: "unread" };
  }
  for (const changeId of read.accepted) deps.onAccepted(changeId);
  const stillOpen = rows.filter((row) => read.open.some(({ ulid }) => ulid === row.ulid));
  const innocent = stillOpen.filter((row) => read.matches(row));
  const drifted = stillOpen.filter((row) => !innocent.includes(row));
  if (drifted.length > 0) await settle(deps, drifted, "refused", `DNS no longer holds what this batch deletes: ${why}`);
  return { kind: "sorted", innocent };
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
  await deps.ledger.commit((draft) => {
    for (const row of rows) {
      draft.updateOutbox({ ulid: row.ulid, state: row.state === "unknown" ? "unknown" : state });
      draft.stage({ changeId: row.changeId, stage: state, at, why });
    }
  });
};

/** Out of time: the row stays, and its fate is read off DNS. */
const leaveOpen = async (deps: DeliverDeps, rows: readonly StoredOutboxRow[], attempt: number): Promise<Wait> => {
  await settle(
    deps,
    rows,
    "unknown",
    `not accepted after ${attempt} attempts in ${SEND_FOR_MS / 1000} s; it will be decided anew`,
  );
  return LOOK_AGAIN_MS;
};
