/** Every kind of history entry has its meaning, in the code and on the page. */
import { readFileSync } from "node:fs";
import { type HistoryEvent, HistoryKind, type RegionVerdict } from "@regent/contract";
import { describe, expect, test } from "vitest";
import { exampleChange } from "../../ports/suites/examples.ts";
import { classifyEntry } from "./classify-entry.ts";

const AUTOMATION = { kind: "automation", name: "regent" } as const;
const ADA = { kind: "operator", name: "ada" } as const;
const WEIGHTS = { weightsBefore: { default: { eu: 255, us: 0 } }, weightsAfter: { default: { eu: 0, us: 255 } } };
const BACK = { weightsBefore: WEIGHTS.weightsAfter, weightsAfter: WEIGHTS.weightsBefore };

const maintained: RegionVerdict = {
  region: "eu",
  verdict: "maintenance",
  since: 1,
  why: "new disks",
  score: 100,
  evidence: "bad",
  inside: "down",
  outside: "down",
  flags: [],
  votes: [],
};

const entry = (kind: HistoryKind, of: Partial<HistoryEvent> = {}): HistoryEvent => ({
  id: "01JD8Z0000000000000000000A",
  at: 1,
  service: "shop",
  sequence: 1,
  kind,
  actor: AUTOMATION,
  why: "why",
  page: true,
  detail: {},
  ...of,
});
const verdict = (to: string, from: string | null = "healthy") => entry("verdict", { detail: { region: "eu", from, to } });
const approval = (state: string, kind: string, weights: object = WEIGHTS) =>
  entry("approval", { detail: { approval: { state, kind, ...weights } } });

const transfer = (step: string, page = true, phase = "prepare") =>
  entry("transfer", { page, detail: { step, transfer: { from: "eu", to: "us", phase } } });

const alert = (step: string, severity = "warning") =>
  entry("alert", {
    service: null,
    detail: { step, rule: "queue-long", title: "the queue is long", severity, alerts: ["queue-long"] },
  });

const evacuated = (step: string, left: readonly string[] = [], direction = "evacuate") =>
  entry("evacuation", { service: null, actor: ADA, detail: { step, region: "eu", direction, left } });

const overridden = (step: string, kind: string) =>
  entry("override", { detail: { step, override: { id: "01A", what: { kind } } } });

type Row = readonly [when: string, entries: readonly HistoryEvent[]];

/** The page's rows, in its words, each with entries that are so. */
const ROWS: Readonly<Record<HistoryKind, readonly Row[]>> = {
  verdict: [
    ["a region is unhealthy", [verdict("unhealthy")]],
    ["a region is degraded", [verdict("degraded")]],
    ["a region can't be seen any more", [verdict("unknown")]],
    ["a region recovers", [verdict("recovering", "unhealthy")]],
    ["a region is healthy, or in maintenance", [verdict("healthy", "recovering"), verdict("maintenance")]],
  ],
  change: [
    [
      "automation took traffic from a region",
      (["failover", "rebalance"] as const).map((kind) => entry("change", { change: exampleChange({ kind, ...WEIGHTS }) })),
    ],
    [
      "automation took traffic from a region in maintenance",
      [entry("change", { change: exampleChange({ kind: "rebalance", ...WEIGHTS, evidence: [maintained] }) })],
    ],
    [
      "automation gives traffic back",
      (["failback", "return"] as const).map((kind) => entry("change", { change: exampleChange({ kind, ...BACK }) })),
    ],
    [
      "an operator moved traffic",
      (["failover", "drain"] as const).map((kind) =>
        entry("change", { actor: ADA, change: exampleChange({ kind, ...WEIGHTS }) }),
      ),
    ],
  ],
  refused: [
    ["a failover is held back by a rule", [entry("refused", { detail: { proposal: { kind: "failover", leaves: ["eu"] } } })]],
    [
      "another change is held back",
      [
        entry("refused", { detail: { proposal: { kind: "return", leaves: [] } } }),
        entry("refused", { detail: { proposal: null } }),
      ],
    ],
    ["a service can't be decided", [entry("refused", { detail: { undecided: true } })]],
    ["an invariant is broken", [entry("refused", { detail: { violations: ["W1"] } })]],
  ],
  override: [
    ["pinned shares or a freeze, which stop automation", [overridden("made", "pin"), overridden("made", "freeze")]],
    [
      "these ended, ran out, or were overruled in DNS",
      ["ended", "ran-out", "overruled"].flatMap((step) => [overridden(step, "pin"), overridden(step, "freeze")]),
    ],
    [
      "a region that is on or off: made, ended, ran out, or overruled in DNS",
      ["made", "ended", "ran-out", "overruled"].flatMap((step) => [overridden(step, "on"), overridden(step, "off")]),
    ],
  ],
  maintenance: [
    [
      "a window is planned, begins, ends or is taken back",
      ["planned", "begins", "ends", "taken-back"].map((step) =>
        entry("maintenance", { service: null, page: false, detail: { step, window: { id: "nightly", services: null } } }),
      ),
    ],
  ],
  evacuation: [
    ["a person began to leave a region, or to return to it", [evacuated("begun"), evacuated("begun", [], "return")]],
    ["it ended, and every service moved", [evacuated("ended")]],
    ["it ended, and services were left behind", [evacuated("ended", ["shop"])]],
    ["a person stopped it", [evacuated("stopped", ["shop"])]],
  ],
  transfer: [
    ["a database's role is led to another region", [transfer("begun")]],
    ["it goes on by itself", [transfer("goes-on", false)]],
    ["it goes on, and somebody must look", [transfer("goes-on")]],
    ["the role has moved, and the traffic hasn't", [transfer("goes-on", true, "switch")]],
    ["it stopped, and something may be left half-way", [transfer("stopped")]],
    ["it is given up, as nobody wants it any more", [transfer("stopped", false)]],
    ["it is done", [transfer("done", false)]],
    ["it was done, and two databases take writes since", [transfer("doubled", true, "done")]],
    ["it is known again who writes", [transfer("settled", false)]],
  ],
  alert: [
    ["a rule of severity critical fires", [alert("fires", "critical")]],
    ["a rule of severity warning fires", [alert("fires", "warning")]],
    ["a rule of severity info fires", [alert("fires", "info")]],
    ["what fired is over", [alert("over")]],
    ["somebody set an alert rule", [alert("set")]],
  ],
  approval: [
    ["a failover waits for a person", [approval("waiting", "failover")]],
    ["another change waits for a person", [approval("waiting", "return", BACK)]],
    [
      "it was answered, lapsed or became stale",
      ["approved", "refused", "lapsed", "stale"].map((state) => approval(state, "failover")),
    ],
  ],
  "fail-static": [
    ["no region is fit, weights stay", [entry("fail-static")]],
    [
      "an override (`on` or `pin`) keeps traffic in a region that is unhealthy or worked on",
      [entry("fail-static", { detail: { overridden: true } })],
    ],
  ],
  freeze: [
    ["Regent froze something", [entry("freeze", { detail: { scope: { kind: "service", service: "shop" } } })]],
    ["Regent froze everything", [entry("freeze", { service: null, detail: { cause: "restored" } })]],
    [
      "an operator froze something",
      [entry("freeze", { actor: ADA }), entry("freeze", { actor: ADA, detail: { scope: { kind: "region", region: "eu" } } })],
    ],
    [
      "an operator froze a region at every service",
      [entry("freeze", { actor: ADA, detail: { scope: { kind: "region", region: "eu", isEverywhere: true } } })],
    ],
  ],
  unfreeze: [["it was unfrozen", [entry("unfreeze", { actor: ADA })]]],
  drift: [
    ["DNS is not as Regent wrote it", [entry("drift")]],
    ["DNS is as Regent wrote it again", [entry("drift", { page: false })]],
  ],
  "dead-letter": [["something was put aside", [entry("dead-letter", { service: null, detail: { subjects: ["eu-a"] } })]]],
  vantage: [
    ["a vantage is suspect", [entry("vantage", { detail: { vantage: "eu/net-a", isSuspect: true } })]],
    ["a vantage has its vote again", [entry("vantage", { detail: { vantage: "eu/net-a", isSuspect: false } })]],
  ],
  mode: [
    ["the control plane can't do its work", [entry("mode", { service: null, detail: { mode: "degraded" } })]],
    ["it can again", [entry("mode", { service: null, page: false, detail: { mode: "normal" } })]],
  ],
  "fence-lost": [["a write of ours was refused as stale", [entry("fence-lost")]]],
  configuration: [["a configuration was applied", [entry("configuration", { service: null })]]],
  control: [
    ["an operator's standing decision", [entry("control", { actor: ADA })]],
    ["nothing is held back any more", [entry("control", { page: false, detail: { standstill: "over" } })]],
  ],
};

const meaningOf = (event: HistoryEvent): string => {
  const effects = classifyEntry(event);
  const main = effects.findLast(({ step }) => step !== "closes") ?? effects.at(-1);
  if (!main) return "none | nothing";
  const scope = main.cause === "" ? "" : ` ${main.cause.split(":")[0]}`;
  return `${main.severity} | ${main.step}${scope}`;
};

const cases = HistoryKind.options.flatMap((kind) => ROWS[kind].map(([when, entries]) => ({ kind, when, entries })));

describe("docs/PAGING.md", () => {
  const page = readFileSync(new URL("../../../../docs/PAGING.md", import.meta.url), "utf8");
  const rows = [...page.matchAll(/^\| `([\w-]+)` \| ([^|]+) \| (\w+) \| ([\w -]+) \|$/gm)].map(
    ([, kind, when, severity, effect]) => ({
      key: `${kind} | ${when}`,
      meaning: `${severity} | ${effect}`,
    }),
  );

  test("has a row for each thing that can be told, and no other", () => {
    expect(rows.map(({ key }) => key).sort()).toEqual(cases.map(({ kind, when }) => `${kind} | ${when}`).sort());
  });

  test.each(cases)("says what the code does: $kind, $when", ({ kind, when, entries }) => {
    const told = rows.find(({ key }) => key === `${kind} | ${when}`)?.meaning;
    expect(entries.map(meaningOf)).toEqual(entries.map(() => told));
  });
});

describe("an entry", () => {
  test("of a region that was never seen is a beginning and no blindness", () => {
    expect(classifyEntry(verdict("unknown", null))).toEqual([]);
  });

  test("of a change that moves no traffic from or to zero tells nobody", () => {
    const same = { weightsBefore: { default: { eu: 200, us: 55 } }, weightsAfter: { default: { eu: 100, us: 155 } } };
    for (const kind of ["freeze", "configure", "rebalance"] as const)
      expect(classifyEntry(entry("change", { change: exampleChange({ kind, ...same }) })).map(({ step }) => step)).toEqual([
        "closes",
      ]);
    expect(classifyEntry(entry("change", { change: exampleChange({ kind: "create", ...WEIGHTS, weightsBefore: {} }) }))).toEqual(
      [],
    );
  });

  test("of a failover names the region that was left as the cause, for whatever service", () => {
    const of = (service: string) =>
      classifyEntry(entry("change", { service, change: exampleChange({ kind: "failover", service, ...WEIGHTS }) }));
    expect([of("shop").at(-1), of("mail").at(-1)]).toMatchObject([
      { cause: "region:eu", parts: ["shop/eu"] },
      { cause: "region:eu", parts: ["mail/eu"] },
    ]);
  });

  test("of a region in maintenance asks nobody for anything, whatever is seen of it; what failed beside it does", () => {
    const both = {
      weightsBefore: { default: { eu: 100, us: 100, ap: 55 } },
      weightsAfter: { default: { eu: 0, us: 0, ap: 255 } },
    };
    const change = exampleChange({
      kind: "failover",
      ...both,
      evidence: [maintained, { ...maintained, region: "us", verdict: "unhealthy" }],
    });
    const effects = classifyEntry(entry("change", { change })).filter(({ step }) => step !== "closes");
    expect(effects.map(({ step, severity, cause }) => [step, severity, cause])).toEqual([
      ["tells", "info", "region:eu"],
      ["opens", "critical", "region:us"],
    ]);
    expect(classifyEntry(verdict("maintenance", "unhealthy"))).toMatchObject([{ step: "closes", parts: ["shop/eu"] }]);
  });

  test("of a jump of the clock has no mode and tells nobody", () => {
    expect(classifyEntry(entry("mode", { service: null, page: false, detail: { byMs: 9 } }))).toEqual([]);
  });

  test("with a detail of another shape is told all the same, and never throws", () => {
    for (const kind of HistoryKind.options)
      for (const detail of [{}, { region: 7 }, { proposal: "x" }, { approval: null }, { scope: 1 }])
        expect(() => classifyEntry(entry(kind, { detail }))).not.toThrow();
    expect(classifyEntry(entry("approval", { detail: { odd: 1 } }))).toMatchObject([{ step: "opens" }]);
  });
});
