/** What becomes of a row once another hand broke the chain of epoch records: it is asked for as long as it can arrive, and no longer. */
import { renderFamilies, toObserved } from "@regent/engine/plan/record-sets.ts";
import { expect, test } from "vitest";
import { createMemoryDatabase } from "../../adapters/memory/database.ts";
import { exampleChange, exampleOutboxRow } from "../../ports/suites/examples.ts";
import { specOf } from "../../testing/specs.ts";
import { createLedger } from "../memory/ledger.ts";
import { settleService } from "./settle-service.ts";

const FOREIGN = '"regent1 o=other-team t=3 r=9 p=01JD8ZK3M4N5P6Q7R8S9T0V1W2 m=auto d=0123456789abcdef"';

test("a row that may lie behind another hand's epoch record is given up when it can't arrive any more, and says that it isn't known", async () => {
  let now = 1_000_000;
  let made = 0;
  const clock = { now: () => now };
  const ids = { ulid: () => `01JD8ZK3M4${(made++).toString().padStart(16, "0")}` };
  const database = createMemoryDatabase({ clock, ids });
  const lease = await database.lease.acquire("me", 10_000_000, 0);
  const ledger = createLedger({ store: database.decisions, holder: "me", specs: () => new Map(), onCommitted: () => undefined });
  ledger.lead(lease?.term ?? 0);
  const spec = specOf("web", "Z1");
  const weights = Object.fromEntries(
    spec.families.map(({ id }) => [id, Object.fromEntries(spec.endpoints.map(({ region }) => [region, 1]))]),
  );
  const members = renderFamilies(spec, weights);
  const epochSet = { name: spec.epochName, type: "TXT", ttl: spec.ttlSeconds, values: [FOREIGN] };
  const change = exampleChange({ service: "web", weightsAfter: weights });
  const creates = [{ ...epochSet, values: ['"ours"'] }, ...members];
  const row = exampleOutboxRow(change, { expects: ids.ulid(), state: "unknown", creates, weights, createdAt: now, sentAt: now });
  await ledger.commit((draft) => {
    draft.insertChange(change);
    draft.insertOutbox(row);
  });
  const observed = toObserved(spec, [epochSet, ...members]);
  const settle = () =>
    ledger.commit((draft) => settleService({ spec, observed, ledger, draft, ids, now, onRestored: () => undefined }));

  await settle();
  expect(ledger.outbox("web").map(({ state }) => state)).toEqual(["unknown"]);
  now += 600_000;
  await settle();
  expect(ledger.outbox("web").map(({ state }) => state)).toEqual(["abandoned"]);
  expect(ledger.change(change.id)?.stage).toBe("abandoned");
  expect(ledger.record("web").blockedBy).toMatch(/names owner other-team/);
  await settle();
  const { events } = await database.decisions.readHistory({ limit: 50 });
  expect(events.filter(({ kind }) => kind === "drift")).toHaveLength(1);
});

test("a row that was written for another name is asked for no longer than it can arrive, and isn't settled by what stands here", async () => {
  let now = 1_000_000;
  let made = 0;
  const ids = { ulid: () => `01JD8ZK3M4${(made++).toString().padStart(16, "0")}` };
  const database = createMemoryDatabase({ clock: { now: () => now }, ids });
  const lease = await database.lease.acquire("me", 10_000_000, 0);
  const ledger = createLedger({ store: database.decisions, holder: "me", specs: () => new Map(), onCommitted: () => undefined });
  ledger.lead(lease?.term ?? 0);
  const spec = specOf("web", "Z1");
  const change = exampleChange({ service: "web" });
  const creates = [{ name: "_regent.old.example.test", type: "TXT", ttl: 30, values: ['"ours"'] }];
  const row = exampleOutboxRow(change, { state: "unknown", creates, createdAt: now, sentAt: now });
  await ledger.commit((draft) => {
    draft.insertChange(change);
    draft.insertOutbox(row);
  });
  const observed = toObserved(spec, []);
  const settle = () =>
    ledger.commit((draft) => settleService({ spec, observed, ledger, draft, ids, now, onRestored: () => undefined }));
  await settle();
  expect(ledger.outbox("web").map(({ state }) => state)).toEqual(["unknown"]);
  now += 600_000;
  await settle();
  expect(ledger.outbox("web").map(({ state }) => state)).toEqual(["abandoned"]);
});

test("a move that is lost or given up is none that anybody received, and one that arrives after all is one again", async () => {
  let now = 1_000_000;
  let made = 0;
  const ids = { ulid: () => `01JD8ZK3M4${(made++).toString().padStart(16, "0")}` };
  const database = createMemoryDatabase({ clock: { now: () => now }, ids });
  const lease = await database.lease.acquire("me", 10_000_000, 0);
  const ledger = createLedger({ store: database.decisions, holder: "me", specs: () => new Map(), onCommitted: () => undefined });
  ledger.lead(lease?.term ?? 0);
  const spec = specOf("web", "Z1");
  const [from, to] = spec.endpoints.map(({ region }) => region);
  if (!from || !to) throw new Error("no endpoints");
  const weights = { default: { [from]: 0, [to]: 255 } };
  const change = exampleChange({ service: "web", weightsBefore: { default: { [from]: 255, [to]: 0 } }, weightsAfter: weights });
  const ulid = ids.ulid();
  const text = (p: string) => `"regent1 o=${spec.owner} t=1 r=1 p=${p} m=auto d=0123456789abcdef"`;
  const epochSet = (p: string) => ({ name: spec.epochName, type: "TXT" as const, ttl: spec.ttlSeconds, values: [text(p)] });
  const members = renderFamilies(spec, weights);
  const row = exampleOutboxRow(change, {
    ulid,
    expects: null,
    state: "unknown",
    creates: [epochSet(ulid), ...members],
    weights,
    createdAt: now,
    sentAt: now,
  });
  const departure = { at: now, left: [from], received: [to], moved: 1, vantages: [], findings: [] };
  await ledger.commit((draft) => {
    draft.insertChange(change);
    draft.insertOutbox(row);
    draft.update("web", (record) => ({
      ...record,
      traffic: { ...record.traffic, departures: [departure], lastAutomaticFailoverAt: now },
    }));
  });
  const settle = (observed: ReturnType<typeof toObserved>) =>
    ledger.commit((draft) => settleService({ spec, observed, ledger, draft, ids, now, onRestored: () => undefined }));
  const remembered = () => {
    const { departures, lastAutomaticFailoverAt } = ledger.record("web").traffic;
    return [departures.map(({ at }) => at), lastAutomaticFailoverAt];
  };

  await settle(toObserved(spec, []));
  expect(remembered()).toEqual([[1_000_000], 1_000_000]);
  now += 600_000;
  await settle(toObserved(spec, []));
  expect(ledger.outbox("web").map(({ state }) => state)).toEqual(["abandoned"]);
  expect(remembered()).toEqual([[], null]);
  await settle(toObserved(spec, [epochSet(ulid), ...members]));
  expect(ledger.outbox("web").map(({ state }) => state)).toEqual(["accepted"]);
  expect(remembered()).toEqual([[1_000_000], 1_000_000]);
});
