/** Each kind of receiver, really spoken to, is away for ten minutes of virtual time: then it is told everything once, in order. */
import { Notify } from "@regent/contract";
import { pino } from "pino";
import { afterEach, expect, test } from "vitest";
import { createGuards } from "../../adapters/guard/guards.ts";
import { createMemoryDatabase } from "../../adapters/memory/database.ts";
import { createMessenger } from "../../adapters/notify/messenger.ts";
import { createReadSecret } from "../../adapters/notify/secrets.ts";
import { startMailServer } from "../../adapters/notify/testing/mail-server.ts";
import { startWebReceiver } from "../../adapters/notify/testing/web-receiver.ts";
import type { HistoryEntry } from "../../ports/decision-store.ts";
import { exampleCommit, ulid } from "../../ports/suites/examples.ts";
import { createPageDelivery } from "./deliver-pages.ts";
import { createPageBook } from "./follow-history.ts";

const START = 1_795_000_000_000;
const AWAY_SECONDS = 600;

interface Receiver {
  readonly declared: object;
  /** What it took, as text, in order. */
  readonly taken: () => readonly string[];
  readonly set: (fault: "down" | null) => Promise<void>;
  readonly close: () => Promise<void>;
}

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

const web = async (status: number, declare: (url: string) => object): Promise<Receiver> => {
  const receiver = await startWebReceiver({ status, body: "ok" });
  return {
    ...receiver,
    declared: declare(`http://127.0.0.1:${receiver.port}/x`),
    taken: () => receiver.taken.map(({ body }) => body),
  };
};
const mail = async (): Promise<Receiver> => {
  const server = await startMailServer();
  const where = `smtp://127.0.0.1:${server.port}`;
  return {
    ...server,
    declared: { id: "it", kind: "smtp", where, from: "regent@example.net", to: ["ops@example.net"] },
    taken: () => server.taken.map(({ text }) => text.replace(/=\n/g, "")),
  };
};

const env: Record<string, string> = {
  REGENT_SECRET_HOOK: `whsec_${Buffer.alloc(32, 7).toString("base64")}`,
  REGENT_SECRET_PAGER: "R".repeat(32),
};
const RECEIVERS: readonly (readonly [string, () => Promise<Receiver>])[] = [
  ["a webhook", () => web(202, (where) => ({ id: "it", kind: "webhook", where, secret: { env: "REGENT_SECRET_HOOK" } }))],
  [
    "Slack",
    () =>
      web(200, (url) => {
        env.REGENT_SECRET_SLACK = url;
        return { id: "it", kind: "slack", secret: { env: "REGENT_SECRET_SLACK" } };
      }),
  ],
  ["PagerDuty", () => web(202, (where) => ({ id: "it", kind: "pagerduty", where, secret: { env: "REGENT_SECRET_PAGER" } }))],
  ["mail", mail],
];

const alert = (step: "fires" | "over", rule: string): Partial<HistoryEntry> => ({
  kind: "alert",
  service: null,
  detail: { step, rule, title: `rule ${rule} fires`, severity: "critical", alerts: [rule] },
});

test.each(RECEIVERS)("%s", async (_, start) => {
  const receiver = await start();
  closers.push(receiver.close);
  let nowMs = 0;
  const clock = { now: () => START + nowMs, monotonic: () => nowMs };
  const { pages, decisions, lease } = createMemoryDatabase({ clock, ids: { ulid } });
  const term = (await lease.acquire("one", 1e12, 0))?.term ?? 0;
  const notify = Notify.parse({ notifiers: [receiver.declared] });
  const letters: unknown[] = [];
  const book = createPageBook({
    pages,
    clock,
    ids: { ulid },
    holder: "one",
    term: () => term,
    log: pino({ level: "silent" }),
    notify: () => ({ owner: "acme", notify, declared: new Map() }),
  });
  const delivery = createPageDelivery({
    pages,
    messenger: createMessenger({
      guards: createGuards({ monotonic: clock.monotonic }),
      readSecret: createReadSecret({ env, folder: "/nonexistent" }),
      allowLoopback: true,
      now: clock.now,
    }),
    clock,
    log: pino({ level: "silent" }),
    notify: () => notify,
    keepDeadLetter: async (letter) => void letters.push(letter),
    mayDeliver: () => true,
  });
  const tell = async (entry: Partial<HistoryEntry>): Promise<void> => {
    const whole = {
      id: ulid(),
      at: clock.now(),
      actor: { kind: "automation", name: "regent" },
      why: "why",
      page: true,
      ...entry,
    } as HistoryEntry;
    await decisions.commit(
      exampleCommit({ holder: "one", term, services: [], changes: [], outboxInserts: [], history: [whole] }),
    );
  };
  const second = async (): Promise<void> => {
    while ((await book.follow()) === "written");
    await delivery.look();
    await delivery.idle();
    nowMs += 1_000;
  };

  await receiver.set("down");
  for (let at = 0; at < AWAY_SECONDS; at += 1) {
    if (at === 0) await tell(alert("fires", "alpha"));
    if (at === 200) await tell(alert("fires", "beta"));
    if (at === 400) await tell(alert("over", "alpha"));
    await second();
  }
  expect(receiver.taken()).toEqual([]);
  await receiver.set(null);
  for (let at = 0; at < 120; at += 1) await second();
  const told = receiver.taken().map((text) => /rule (?:alpha|beta) fires/.exec(text)?.[0]);
  expect(told).toEqual(["rule alpha fires", "rule beta fires", "rule alpha fires"]);
  expect(letters).toEqual([]);
});
