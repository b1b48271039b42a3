/** A vantage that lost its vote is told once, and once more when it has it again, whoever leads. */
import { expect, test } from "vitest";
import { createMemoryDatabase } from "../../adapters/memory/database.ts";
import { ulid } from "../../ports/suites/examples.ts";
import { createLedger } from "../memory/ledger.ts";
import { createTellSuspects } from "./tell-suspects.ts";

const clock = { now: () => 1_000 };
const ONE: ReadonlySet<string> = new Set(["eu/net-a"]);
const NOBODY: ReadonlySet<string> = new Set();

const setUp = () => {
  const database = createMemoryDatabase({ clock, ids: { ulid } });
  const lead = async (holder: string) => {
    const view = await database.lease.acquire(holder, 60_000, 0);
    const ledger = createLedger({ store: database.decisions, holder, specs: () => new Map(), onCommitted: () => {} });
    ledger.lead(view?.term ?? 0);
    return createTellSuspects({ decisions: database.decisions, ledger, ids: { ulid }, now: clock.now });
  };
  const told = async () =>
    (await database.decisions.readHistory({ limit: 50 })).events.map(({ kind, detail, page }) => ({ kind, ...detail, page }));
  return { database, lead, told };
};

const LOST = { kind: "vantage", vantage: "eu/net-a", isSuspect: true, page: true };
const BACK = { kind: "vantage", vantage: "eu/net-a", isSuspect: false, page: false };

test("at the second look in a row, once; what one look sees is told to nobody", async () => {
  const { lead, told } = setUp();
  const look = await lead("first");
  for (const suspects of [NOBODY, ONE, NOBODY, ONE]) await look(suspects);
  expect(await told()).toEqual([]);
  for (const suspects of [ONE, ONE, ONE]) await look(suspects);
  expect(await told()).toEqual([LOST]);
  for (const suspects of [NOBODY, NOBODY, NOBODY]) await look(suspects);
  expect(await told()).toEqual([BACK, LOST]);
});

test("a new leader tells nothing twice, and tells what ended while nobody looked", async () => {
  const { database, lead, told } = setUp();
  const look = await lead("first");
  for (const suspects of [ONE, ONE]) await look(suspects);
  await database.lease.release("first", 1);
  const next = await lead("second");
  for (const suspects of [ONE, ONE, ONE]) await next(suspects);
  expect(await told()).toEqual([LOST]);
  for (const suspects of [NOBODY, NOBODY]) await next(suspects);
  expect(await told()).toEqual([BACK, LOST]);
});

test("one that is told doesn't wait for another", async () => {
  const { lead, told } = setUp();
  const look = await lead("first");
  await look(ONE);
  await look(new Set(["eu/net-a", "us/net-b"]));
  expect(await told()).toEqual([LOST]);
  await look(new Set(["eu/net-a", "us/net-b"]));
  expect((await told()).map((one) => Reflect.get(one, "vantage"))).toEqual(["us/net-b", "eu/net-a"]);
});
