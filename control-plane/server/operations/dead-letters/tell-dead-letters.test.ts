/** Whoever put them aside, the leader tells each once. */
import type { DeadLetterKind } from "@regent/contract";
import { expect, test } from "vitest";
import { createMemoryDatabase } from "../../adapters/memory/database.ts";
import { ulid } from "../../ports/suites/examples.ts";
import { createLedger } from "../memory/ledger.ts";
import { createTellDeadLetters } from "./tell-dead-letters.ts";

const ROOM = { countMax: 100, bytesMax: 1_000_000, keptSince: 0 };
const clock = { now: () => 1_000 };

test("new ones are told together, once, and a new leader doesn't tell them again", async () => {
  const database = createMemoryDatabase({ clock, ids: { ulid } });
  const lead = async (holder: string) => {
    const view = await database.lease.acquire(holder, 60_000, 0);
    const ledger = createLedger({ store: database.decisions, holder, specs: () => new Map(), onCommitted: () => {} });
    ledger.lead(view?.term ?? 0);
    return createTellDeadLetters({
      letters: database.deadLetters,
      decisions: database.decisions,
      ledger,
      ids: { ulid },
      now: clock.now,
    });
  };
  const keep = (subject: string, kind: DeadLetterKind = "report") =>
    database.deadLetters.keep(
      { id: ulid(), at: 1, kind, subject, why: "it is poison", attempts: 1, triedAt: 1, payload: {} },
      ROOM,
    );
  const told = async () => (await database.decisions.readHistory({ limit: 50 })).events.map(({ why, page }) => ({ why, page }));

  const tell = await lead("first");
  await tell();
  expect(await told()).toEqual([]);
  for (const agent of ["a1", "a2", "a2", "a3", "a4"]) await keep(agent);
  await tell();
  await tell();
  const five = { why: "5 dead letters of a4, a3, a2, …, the last because: it is poison", page: true };
  expect(await told()).toEqual([five]);
  await database.lease.release("first", 1);
  const tellNext = await lead("second");
  await tellNext();
  expect(await told()).toEqual([five]);
  await keep("a5");
  await tellNext();
  expect(await told()).toEqual([{ why: "1 dead letter of a5, the last because: it is poison", page: true }, five]);
  // Who refused a page can't be told of it; an agent of the same name refused nothing.
  await keep("chat", "page");
  await keep("hook");
  await tellNext();
  const [newest] = (await database.decisions.readHistory({ limit: 1 })).events;
  expect(newest?.detail).toMatchObject({ subjects: ["hook", "chat"], notifiers: ["chat"] });
});
