/** What Prometheus reads, word for word: names, helps, labels and values. A dashboard or an alert outside breaks when one of them changes. */
import { Declaration } from "@regent/contract";
import { expect, test } from "vitest";
import { LANES, type LaneCounts, type Lanes } from "../access/lanes.ts";
import { METRICS, OWN_METRICS } from "../configuration/alerts/metric-catalogue.ts";
import { exportLanes } from "../http/lane-metrics.ts";
import { EXAMPLE_POOL, exampleGuard } from "../testing/outside-views.ts";
import { createMetrics } from "./metrics.ts";
import { createOutsideMetrics } from "./outside-metrics.ts";
import { registerState, type StateSources } from "./state-metrics.ts";

const CONTROLS = { frozen: null, frozenRegions: {}, drained: {}, placement: null, overrides: [] };
const COUNTS: LaneCounts = { waiting: 1, underWay: 2, admitted: 3, refused: 4 } as LaneCounts;

const NOW = 1_700_000_000_000;
const key = (letter: string): string => `${letter.repeat(43)}=`;
const agent = (id: string, region: string, letter: string) => ({ id, region, network: id, publicKeys: [key(letter)] });
const STATE: StateSources = {
  declaration: () =>
    Declaration.parse({
      regent: 1,
      owner: "acme",
      zones: [{ id: "Z1", name: "example.test" }],
      regions: [{ id: "eu" }, { id: "us" }],
      agents: [agent("eu-a", "eu", "A"), agent("eu-b", "eu", "E"), agent("us-a", "us", "I")],
      notify: {
        notifiers: ["pager", "chat"].map((id) => ({ id, kind: "slack", secret: { env: "REGENT_SECRET_X" } })),
      },
    }),
  heardAt: (id) => (id === "eu-a" ? NOW - 1_000 : id === "eu-b" ? NOW - 60_000 : null),
  freshnessMs: () => 17_000,
  records: () => [
    { drift: "a weight differs", blockedBy: null, controls: { ...CONTROLS, frozen: { by: "ada", reason: "x", at: 0 } } },
    { drift: null, blockedBy: "another owner", controls: CONTROLS },
  ],
  outbox: () => [
    { state: "unknown", createdAt: NOW - 7_500 },
    { state: "accepted", createdAt: 0 },
  ],
  unseenSince: () => [NOW - 4_000, NOW - 2_000],
  pagesWaitSince: () => new Map([["pager", NOW - 3_000]]),
  now: () => NOW,
};

test("the exported text is the one that was read and kept", async () => {
  const metrics = createMetrics(() => true);
  const outside = createOutsideMetrics();
  outside.register(metrics.registry, { guards: () => [exampleGuard({ state: "open" })], pool: () => EXAMPLE_POOL });
  const counts = Object.fromEntries(LANES.map((lane) => [lane, COUNTS]));
  const onWaited = exportLanes(metrics.registry, () => ({ counts: () => counts }) as unknown as Lanes);
  metrics.watchMode(() => "normal");
  metrics.reportTaken("eu-west-a");
  metrics.refused("reports", "unknown-signer");
  metrics.routed("throttled");
  metrics.looked({ services: 3, ms: 7 });
  metrics.deadLetterKept({ kind: "report", dropped: 2 });
  metrics.deadLettersLeft(5);
  metrics.clockJumped({ at: 0, byMs: -1_500 });
  outside.databaseDone({ lane: "decisions", ms: 3, hasFailed: true });
  outside.guardChanged({ kind: "resolver", state: "open" });
  onWaited("live", 12);
  registerState(metrics.registry, STATE);
  const own = (await metrics.text()).split("\n").filter((line) => /^(?:# (?:HELP|TYPE) )?regent_/.test(line));
  await expect(`${own.join("\n")}\n`).toMatchFileSnapshot("./metrics.golden.txt");
  // What an alert rule may name is what is exported, no more and no less.
  const told = await metrics.registry.getMetricsAsJSON();
  const kinds = new Map(told.map(({ name, type }) => [name, String(type)]));
  for (const [name, { kind }] of Object.entries(METRICS)) expect([name, kinds.get(name)]).toEqual([name, kind]);
  expect([...kinds.keys()].filter((name) => name.startsWith("regent_")).sort()).toEqual([...OWN_METRICS].sort());
  const samples = await metrics.source.read([...OWN_METRICS, "none"]);
  for (const [name, of] of samples)
    for (const { labels } of of)
      expect(METRICS[name]?.labels).toEqual(expect.arrayContaining(Object.keys(labels).filter((label) => label !== "le")));
  expect(samples.get("none")).toEqual([]);
  expect(samples.get("regent_look_seconds")?.map(({ labels, value }) => `${labels.le} ${value}`)).toEqual(
    expect.arrayContaining(["0.005 0", "0.01 1", "+Inf 1"]),
  );
});
