/** Whatever pages reaches all four kinds of receiver within seconds of its commit, and what it opens is closed by what ends it. */
import type { HistoryEvent } from "@regent/contract";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createGuards } from "../adapters/guard/guards.ts";
import { createMessenger } from "../adapters/notify/messenger.ts";
import { createReadSecret } from "../adapters/notify/secrets.ts";
import { type MailServer, startMailServer } from "../adapters/notify/testing/mail-server.ts";
import { startWebReceiver, type WebReceiver } from "../adapters/notify/testing/web-receiver.ts";
import { exampleChange, exampleCommit, ulid } from "../ports/suites/examples.ts";
import { isHealthy } from "../testing/play.ts";
import { testWorld, type World } from "../testing/world.ts";

/** Of the design: what a person must know is with them by then. */
const TOLD_WITHIN_MS = 5_000;
const AUTOMATION = { kind: "automation", name: "regent" } as const;
const ADA = { kind: "operator", name: "ada" } as const;
const LEFT = {
  weightsBefore: { default: { "eu-west": 255, "us-east": 0 } },
  weightsAfter: { default: { "eu-west": 0, "us-east": 255 } },
};

type Entry = Pick<HistoryEvent, "kind"> & Partial<HistoryEvent>;
interface Row {
  readonly what: string;
  readonly begins: Entry;
  readonly words: string;
  /** What ends it; null for news, which opens nothing that stays. */
  readonly ends: Entry | null;
  /** Of severity info, which PagerDuty isn't told. */
  readonly isInfo?: true;
}

const verdict = (to: string, from: string): Entry => ({ kind: "verdict", detail: { region: "eu-west", from, to } });
const transfer = (step: string, page: boolean): Entry => ({
  kind: "transfer",
  page,
  detail: { step, transfer: { from: "eu-west", to: "us-east" } },
});
const alert = (step: string): Entry => ({
  kind: "alert",
  service: null,
  detail: { step, rule: "queue-long", title: "the queue is long", severity: "critical", alerts: ['queue-long{lane="report"}'] },
});
const vantage = (isSuspect: boolean): Entry => ({
  kind: "vantage",
  service: null,
  detail: { vantage: "eu-west/net-a", isSuspect },
});
const approval = (state: string): Entry => ({ kind: "approval", detail: { approval: { state, kind: "failover", ...LEFT } } });
const everywhere = { scope: { kind: "region", region: "us-east", isEverywhere: true } };
const news = (kind: Entry["kind"], detail: object, more: Partial<HistoryEvent> = {}): Entry => ({
  kind,
  actor: ADA,
  detail: { ...detail },
  ...more,
});
const overridden = (step: string, kind: string): Entry =>
  news("override", { step, override: { id: "01JD8Z0000000000000000000A", what: { kind } } });
const nightly = { id: "nightly", services: null };

const ROWS: readonly Row[] = [
  {
    what: "a freeze",
    begins: news("freeze", { scope: { kind: "service" } }),
    words: "ada froze checkout",
    ends: { kind: "unfreeze", detail: { scope: { kind: "service" } } },
  },
  {
    what: "a freeze of a region everywhere",
    begins: news("freeze", everywhere),
    words: "ada froze us-east",
    ends: { kind: "unfreeze", detail: everywhere },
  },
  {
    what: "a freeze of everything by Regent",
    begins: { kind: "freeze", service: null },
    words: "Regent froze everything",
    ends: { kind: "unfreeze", service: null },
  },
  { what: "an approval", begins: approval("waiting"), words: "leaving eu-west waits for approval", ends: approval("lapsed") },
  {
    what: "a refusal of a failover",
    begins: { kind: "refused", detail: { proposal: { kind: "failover", leaves: ["eu-west"] } } },
    words: "leave eu-west by itself",
    ends: verdict("healthy", "unhealthy"),
  },
  {
    what: "a refusal of another change",
    begins: { kind: "refused", detail: { proposal: { kind: "return", leaves: [] } } },
    words: "a change of checkout is held back",
    ends: { kind: "control", detail: { standstill: "over" } },
  },
  {
    what: "a failover",
    begins: { kind: "change", change: exampleChange({ kind: "failover", ...LEFT }) },
    words: "traffic left eu-west",
    ends: verdict("healthy", "recovering"),
  },
  { what: "a blind view", begins: verdict("unknown", "healthy"), words: "be seen", ends: verdict("healthy", "unknown") },
  { what: "a suspect vantage", begins: vantage(true), words: "be believed", ends: vantage(false) },
  {
    what: "a transfer that somebody must look at",
    begins: transfer("goes-on", true),
    words: "somebody must look while Regent leads",
    ends: transfer("done", false),
  },
  {
    what: "a transfer that stopped",
    begins: transfer("stopped", true),
    words: "to us-east stopped",
    ends: transfer("settled", false),
  },
  { what: "an alert", begins: alert("fires"), words: "the queue is long", ends: alert("over") },
  {
    what: "a freeze by an override",
    begins: overridden("made", "freeze"),
    words: "ada froze checkout by an override",
    ends: overridden("ran-out", "freeze"),
  },
  {
    what: "pinned shares",
    begins: overridden("made", "pin"),
    words: "ada pinned checkout by an override",
    ends: overridden("ended", "pin"),
  },
  {
    what: "another override",
    begins: overridden("made", "off"),
    words: "ada made an override of checkout",
    ends: null,
    isInfo: true,
  },
  {
    what: "maintenance",
    begins: news("maintenance", { step: "begins", window: nightly }, { service: null }),
    words: "maintenance nightly begins",
    ends: null,
    isInfo: true,
  },
  {
    what: "an evacuation that left services behind",
    begins: news(
      "evacuation",
      { step: "ended", region: "ap-south", direction: "evacuate", left: ["checkout"] },
      { service: null },
    ),
    words: "the evacuation of ap-south left services behind",
    ends: null,
  },
];

/** Its place among the receivers. */
const PAGER = 2;
let webs: readonly WebReceiver[];
let mail: MailServer;
let world: World;

beforeEach(async () => {
  webs = await Promise.all([202, 200, 202].map((status) => startWebReceiver({ status, body: "ok" })));
  mail = await startMailServer();
  const [hook, slack, pager] = webs.map(({ port }) => `http://127.0.0.1:${port}/x`);
  const env = {
    REGENT_SECRET_HOOK: `whsec_${Buffer.alloc(32, 7).toString("base64")}`,
    REGENT_SECRET_SLACK: slack,
    REGENT_SECRET_PAGER: "R".repeat(32),
  };
  const notifiers = [
    { id: "hook", kind: "webhook", where: hook, secret: { env: "REGENT_SECRET_HOOK" } },
    { id: "chat", kind: "slack", secret: { env: "REGENT_SECRET_SLACK" } },
    { id: "pager", kind: "pagerduty", where: pager, secret: { env: "REGENT_SECRET_PAGER" } },
    { id: "mail", kind: "smtp", where: `smtp://127.0.0.1:${mail.port}`, from: "regent@example.net", to: ["ops@example.net"] },
  ];
  const readSecret = createReadSecret({ env, folder: "/nonexistent" });
  const messenger = createMessenger({ guards: createGuards(), readSecret, allowLoopback: true });
  world = await testWorld({ notify: { notifiers }, messenger });
  await world.until("healthy", () => isHealthy(world));
});
afterEach(async () => {
  await world.stop();
  await Promise.all([...webs, mail].map((each) => each.close()));
});

/** As the leader would commit it. */
const tell = async (entry: Entry): Promise<void> => {
  const lease = await world.database.lease.read();
  const { change, ...said } = entry;
  const whole = {
    id: ulid(),
    at: world.clock.now(),
    service: "checkout",
    actor: AUTOMATION,
    why: `${entry.kind} by hand`,
    page: true,
    detail: {},
    ...said,
    ...(change === undefined ? {} : { changeId: change.id }),
  };
  await world.database.decisions.commit(
    exampleCommit({
      holder: lease?.holder ?? "",
      term: lease?.term ?? 0,
      services: [],
      changes: change === undefined ? [] : [change],
      outboxInserts: [],
      history: [whole],
    }),
  );
};

/** Of each receiver, how often it was told so; of what is info, of those that are told it. */
const timesTold = (words: string, isInfo = false): readonly number[] => [
  ...webs.filter((_, at) => !isInfo || at !== PAGER).map(({ taken }) => taken.filter(({ body }) => body.includes(words)).length),
  mail.taken.filter(({ text }) => text.replace(/=\n/g, "").includes(words)).length,
];

test.each(ROWS)("$what", async ({ begins, words, ends, isInfo }) => {
  const began = performance.now();
  await tell(begins);
  await world.until(`all heard "${words}"`, () => timesTold(words, isInfo).every((times) => times > 0), TOLD_WITHIN_MS);
  expect(performance.now() - began).toBeLessThan(TOLD_WITHIN_MS);
  if (isInfo) expect(webs[PAGER]?.taken).toEqual([]);
  const openCauses = async () =>
    (await world.controlPlane.incidents({ limit: 9, state: "open" })).incidents.map(({ cause }) => cause);
  if (ends === null) return expect(await openCauses()).toEqual([]);
  expect(await openCauses()).toHaveLength(1);
  await tell(ends);
  await world.until("it is over", async () => (await openCauses()).length === 0, TOLD_WITHIN_MS);
  const [incident] = (await world.controlPlane.incidents({ limit: 1 })).incidents;
  expect(incident?.lines.some(({ why }) => why.includes(`${ends.kind} by hand`))).toBe(true);
  await world.until("all heard of its end", () => timesTold(words).every((times) => times > 1), TOLD_WITHIN_MS);
});
