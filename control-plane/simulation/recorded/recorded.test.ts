/**
 * An incident that the virtual world keeps, as a real control plane would, is made into a rehearsal of its own: run, it decides the same again, in the
 * same order, within the tolerance that it states.
 */
import { Declaration } from "@regent/contract";
import { describe, expect, test } from "vitest";
import { checkAll, leftBy, receivedBy } from "../rehearsal/check.ts";
import { readRehearsal } from "../rehearsal/read-rehearsal.ts";
import { MIDNIGHT, type RehearsalRun, runRehearsal } from "../rehearsal/run-rehearsal.ts";
import { read, readShipped, tonight } from "../testing/rehearse.ts";
import { toRehearsalText } from "./to-rehearsal.ts";

type Change = (declaration: Declaration) => Declaration;

const record = async (text: string, fromMs = 0, toMs = Number.POSITIVE_INFINITY, change: Change = (same) => same) => {
  const found = await read(text);
  if (found.kind === "invalid") throw new Error(found.lines.join("\n"));
  const { rehearsal } = found;
  const declaration = change(rehearsal.installation.applied.declaration);
  const [from, to] = [MIDNIGHT + fromMs, MIDNIGHT + Math.min(toMs, rehearsal.forMs)];
  let exported = "";
  const run = await runRehearsal(rehearsal, async ({ server: { database } }) => {
    const { events } = await database.decisions.readHistory({ limit: 1_000 });
    const recording = await database.recordings.read({ from, to, limit: 10_000 });
    const history = events.filter(({ at }) => at >= from && at <= to).toReversed();
    const earlier = events.filter(({ at }) => at < from).toReversed();
    exported = toRehearsalText({ id: "01TEST", title: "a night", declaration, recording, history, earlier });
  });
  return { run, exported, rehearsal };
};

const rehearseAgain = async (exported: string) => {
  const found = await readRehearsal(exported, "recorded.yaml", async () => null);
  if (found.kind === "invalid") throw new Error(`${found.lines.join("\n")}\n${exported}`);
  const run = await runRehearsal(found.rehearsal);
  return { run, rehearsal: found.rehearsal, checked: checkAll(found.rehearsal.expect, run.told, found.rehearsal.stepMs) };
};

/** Decisions of one service in their order, without their moments. */
const decided = ({ told }: RehearsalRun) => ({
  verdicts: told.turns.filter(({ at }) => at > 0).map(({ service, region, to }) => `${service} ${region} ${to}`),
  changes: told.changes.map((change) => [change.service, change.kind, change.actor.kind, leftBy(change), receivedBy(change)]),
  weights: told.standings.map(({ service, weights }) => [service, weights]),
});

const NIGHTS = [
  "region-dead",
  "to-the-second",
  "inside-alone",
  "one-doubt",
  "frozen",
  "asked-first",
  "drained-standby",
  "second-death",
  "one-cause",
  "all-bad",
  "small-target.twin",
  "agents-silent",
  "silent-and-dead",
];

describe.each(NIGHTS)("%s", (name) => {
  test("recorded and rehearsed, it decides the same again in the same order", async () => {
    const { run, exported } = await record(readShipped(`${name}.yaml`));
    const again = await rehearseAgain(exported);
    expect(again.checked.filter(({ isMet }) => !isMet)).toEqual([]);
    expect(decided(again.run)).toEqual(decided(run));
  });
});

describe.each(["region-dead", "to-the-second", "inside-alone", "frozen", "drained-standby", "one-cause"])("%s", (name) => {
  test.each([1_234, 12_345, 47_801])(
    "rehearsed with probes at other moments of their interval (%i ms later), all comes within the tolerance",
    async (ms) => {
      const { exported } = await record(readShipped(`${name}.yaml`), ms);
      const again = await rehearseAgain(exported);
      expect(again.checked.filter(({ isMet }) => !isMet)).toEqual([]);
      expect(again.checked.length).toBeGreaterThan(1);
    },
  );
});

test("what happened is expected: verdicts, moves, refusals, pages, and where traffic ended", async () => {
  const { exported } = await record(readShipped("second-death.yaml"));
  for (const part of ['"verdict":', '"change":', '"held":', '"page":', '"shares":', '"exactly":1'])
    expect(exported).toContain(part);
});

test("a recording that leaves out the failure doesn't come out as expected", async () => {
  const { exported } = await record(readShipped("region-dead.yaml"));
  const { checked } = await rehearseAgain(exported.replace(/^outcomes:\n( {2}- .*\n)+/m, ""));
  expect(checked.some(({ isMet }) => !isMet)).toBe(true);
});

test("traffic that stood elsewhere when it begins is led there first", async () => {
  const { exported, run } = await record(readShipped("budget.twin.yaml"), 10 * 60_000);
  expect(exported).toContain('"do":"failover","service":"checkout","to":"us-east"');
  const again = await rehearseAgain(exported);
  expect(again.run.told.standings.at(-1)?.weights).toEqual(run.told.standings.at(-1)?.weights);
});

test("the file says what wasn't recorded, and holds no notifiers", async () => {
  const { exported } = await record(tonight("outcomes:\n  - { regions: eu-west, what: ok*60 refused }\n"));
  expect(exported).toMatch(/^# Recorded: 01TEST, 2026-/);
  for (const part of ["What wasn't recorded", "results between two turns", "when an agent fell silent", "latencies"])
    expect(exported).toContain(part);
  expect(exported).not.toContain("notify:");
});

test("what the configuration says of notifiers and of services that aren't played doesn't make a file that can't be read", async () => {
  const night = tonight("outcomes:\n  - { regions: eu-west, what: ok*60 refused }\n");
  const { exported } = await record(night, 0, Number.POSITIVE_INFINITY, (declaration) => {
    const [shop] = declaration.services;
    const quiet = { ...shop, id: "quiet", name: `quiet.${declaration.zones[0]?.name}` };
    return Declaration.parse({
      ...declaration,
      services: [...declaration.services, quiet],
      notify: {
        notifiers: [{ id: "pager", kind: "pagerduty", secret: { env: "REGENT_SECRET_PAGER" } }],
        routes: [{ services: ["quiet"], notifiers: ["pager"] }],
      },
      alerts: [{ id: "agents-missing", notifiers: ["pager"] }],
      maintenance: [
        {
          id: "disks",
          regions: ["us-east"],
          services: ["quiet"],
          reason: "new disks",
          cron: "0 3 * * *",
          minutes: 60,
          timeZone: "UTC",
        },
      ],
    });
  });
  for (const part of ["REGENT_SECRET_PAGER", "pager", "quiet"]) expect(exported).not.toContain(part);
  const again = await rehearseAgain(exported);
  expect(again.checked.filter(({ isMet }) => !isMet)).toEqual([]);
});
