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
}

export const createDeliver = (deps: DeliverDeps) => {
  const deliver = async (rows: readonly StoredOutboxRow[]): Promise<void> => {
    const byService = new Map(rows.map((row) => [row.service, row]));
    const batches: ServiceBatch[] = rows.map(({ service, deletes, creates }) => ({ service, deletes, creates }));
    const { groups, oversized } = composeZoneBatches(batches, {
      elementsMax: BATCH_ELEMENTS_MAX,
      charactersMax: BATCH_CHARACTERS_MAX,
    });
    for (const { service, why } of oversized) await settle(deps, pick(byService, [service]), "refused", why);
    for (const group of groups)
      await sendGroup(
        deps,
        pick(
          byService,
          group.map(({ service }) => service),
        ),
      );
  };
  return deliver;
};

export type Deliver = ReturnType<typeof createDeliver>;

const pick = (byService: ReadonlyMap<string, StoredOutboxRow>, services: readonly string[]): StoredOutboxRow[] =>
  services.flatMap((service) => byService.get(service) ?? []);

const sendGroup = async (deps: DeliverDeps, rows: readonly StoredOutboxRow[]): Promise<void> => {
  const { clock, log } = deps;
  let waiting = rows;
  const deadline = clock.monotonic() + SEND_FOR_MS;
  for (let attempt = 0; waiting.length > 0; attempt++) {
    if (!deps.mayWrite() || clock.monotonic() > deadline) return leaveOpen(deps, waiting, attempt);
    const result = await sendOnce(deps, waiting);
    log.info(
      { zone: waiting[0]?.zoneId, services: waiting.map(({ service }) => service), attempt, result: result.kind },
      "batch sent",
    );
    switch (result.kind) {
      case "accepted":
        return noteAccepted(deps, waiting, result.changeInfoId);
      case "denied":
        return settle(deps, waiting, "refused", result.why);
      case "throttled":
      case "busy":
        break;
      case "unknown":
        waiting = await sortByDns(deps, waiting, result.why);
        break;
      case "refused": {
        const innocent = await sortByDns(deps, waiting, result.messages.join(" "));
        // Nobody to blame in DNS, and still refused together: each alone, so that one service can't hold back the others.
        if (innocent.length === waiting.length)
          return innocent.length > 1 ? sendEach(deps, innocent) : settle(deps, innocent, "refused", result.messages.join(" "));
        waiting = innocent;
        break;
      }
    }
    if (waiting.length > 0 && result.kind !== "refused") await sleep(backoffMs(attempt));
  }
};

const sendEach = async (deps: DeliverDeps, rows: readonly StoredOutboxRow[]): Promise<void> => {
  for (const row of rows) await sendGroup(deps, [row]);
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

/** Reads every name again. Applied and lost rows are settled; those that DNS would still take come back. */
const sortByDns = async (
  deps: DeliverDeps,
  rows: readonly StoredOutboxRow[],
  why: string,
): Promise<readonly StoredOutboxRow[]> => {
  const services = rows.map(({ service }) => service);
  const read = await deps.reader.settle(rows[0]?.zoneId ?? "", services);
  if (read.kind !== "settled") {
    await settle(deps, rows, "unknown", `${why}; and DNS could not be read: ${read.why}`);
    return rows;
  }
  for (const changeId of read.accepted) deps.onAccepted(changeId);
  const stillOpen = rows.filter((row) => read.open.some(({ ulid }) => ulid === row.ulid));
  const innocent = stillOpen.filter((row) => read.matches(row));
  const drifted = stillOpen.filter((row) => !innocent.includes(row));
  if (drifted.length > 0) await settle(deps, drifted, "refused", `DNS no longer holds what this batch deletes: ${why}`);
  return innocent;
};

const settle = async (
  deps: DeliverDeps,
  rows: readonly StoredOutboxRow[],
  state: "refused" | "unknown",
  why: string,
): Promise<void> => {
  if (rows.length === 0) return;
  const at = deps.clock.now();
  deps.log.warn({ services: rows.map(({ service }) => service), state, why }, "batch not accepted");
  await deps.ledger.commit((draft) => {
    for (const row of rows) {
      draft.updateOutbox({ ulid: row.ulid, state });
      draft.stage({ changeId: row.changeId, stage: state, at, why });
    }
  });
};

/** Out of time or out of office: the rows stay as they are, and whoever leads next reads their fate off DNS. */
const leaveOpen = async (deps: DeliverDeps, rows: readonly StoredOutboxRow[], attempt: number): Promise<void> => {
  if (!deps.mayWrite()) return;
  await settle(
    deps,
    rows,
    "unknown",
    `not accepted after ${attempt} attempts in ${SEND_FOR_MS / 1000} s; it will be decided anew`,
  );
};
