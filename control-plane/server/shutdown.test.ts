/** The order, the budgets and the forced end. The steps are fakes that remember when they ran. */
import { pino } from "pino";
import { expect, test } from "vitest";
import { createEnding, createShutdown, SHUTDOWN_MS_MAX, SHUTDOWN_ORDER, type ShutdownStep, SUPERVISOR_GONE } from "./shutdown.ts";

const logged = () => {
  const lines: Record<string, unknown>[] = [];
  return { lines, log: pino({ level: "info" }, { write: (line: string) => lines.push(JSON.parse(line)) }) };
};

const never = (): Promise<never> => new Promise(() => undefined);
const rest = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

test("readiness goes first, the lease before the database, and the embedded server last, however they were added", async () => {
  const { log, lines } = logged();
  const shutdown = createShutdown({ log });
  const ran: ShutdownStep[] = [];
  for (const { step } of [...SHUTDOWN_ORDER].reverse()) shutdown.add(step, () => ran.push(step));
  await shutdown.run();
  expect(ran).toEqual(["not-ready", "door", "leading", "requests", "outside", "database", "database-server"]);
  expect(lines.map(({ step }) => step)).toEqual(ran);
  expect(lines.every(({ tookMs }) => typeof tookMs === "number")).toBe(true);
});

test("each step waits for the one before it, and within a step the last one added goes first", async () => {
  const { log } = logged();
  const shutdown = createShutdown({ log });
  const ran: string[] = [];
  const slow = (name: string) => async () => {
    ran.push(`${name} begins`);
    await rest(5);
    ran.push(`${name} ends`);
  };
  shutdown.add("database", slow("clock"));
  shutdown.add("database", slow("listener"));
  shutdown.add("leading", slow("lease"));
  await Promise.all([shutdown.run(), shutdown.run()]);
  const names = ["lease", "listener", "clock"];
  expect(ran).toEqual(names.flatMap((name) => [`${name} begins`, `${name} ends`]));
});

test("a step that throws or hangs doesn't keep the others from ending", async () => {
  const { log, lines } = logged();
  const shutdown = createShutdown({ log, order: SHUTDOWN_ORDER.map(({ step }) => ({ step, msMax: 20 })) });
  const ran: string[] = [];
  shutdown.add("not-ready", () => {
    throw new Error("broken");
  });
  shutdown.add("leading", never);
  shutdown.add("database", () => ran.push("database"));
  await shutdown.run();
  expect(ran).toEqual(["database"]);
  expect(lines.map(({ step, msg }) => `${step}: ${msg}`)).toEqual([
    "not-ready: a part did not stop cleanly",
    "not-ready: stopped",
    "leading: this step takes too long and is left behind",
    "database: stopped",
  ]);
});

test("the budgets fit what supervisors commonly wait", () => {
  expect(SHUTDOWN_MS_MAX).toBeLessThan(20_000);
});

const ending = (stop: () => Promise<void>, msMax = 10_000) => {
  const { log, lines } = logged();
  const exits: number[] = [];
  let now = 0;
  const ask = createEnding({ log, stop, exit: (code) => exits.push(code), exitCode: () => 0, monotonic: () => now, msMax });
  return {
    ask,
    exits,
    lines,
    pass: (ms: number) => {
      now += ms;
    },
  };
};

test("a first signal stops in order and then ends well", async () => {
  const { ask, exits } = ending(async () => undefined);
  ask("SIGTERM");
  await rest(1);
  expect(exits).toEqual([0]);
});

test("a second signal ends at once, and one that came by two ways is one", () => {
  const { ask, exits, pass } = ending(never);
  ask("SIGINT");
  pass(20);
  ask("SIGTERM");
  expect(exits).toEqual([]);
  pass(2_000);
  ask("SIGINT");
  expect(exits).toEqual([1]);
});

test("a supervisor that goes after it has asked is no second signal", () => {
  const { ask, exits, pass } = ending(never);
  ask("SIGTERM");
  pass(3_000);
  ask(SUPERVISOR_GONE);
  expect(exits).toEqual([]);
  pass(2_000);
  ask("SIGTERM");
  expect(exits).toEqual([1]);
});

test("the deadline ends what hangs", async () => {
  const { ask, exits, lines } = ending(never, 20);
  ask("SIGTERM");
  await rest(60);
  expect(exits).toEqual([1]);
  expect(lines.at(-1)?.msg).toContain("the time to stop is over");
});
