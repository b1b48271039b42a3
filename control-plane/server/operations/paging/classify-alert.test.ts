/** An alert rule is a cause of its own: one incident, however many series; told to whom the rule names. */
import { Notify } from "@regent/contract";
import { expect, test } from "vitest";
import type { StoredIncident } from "../../ports/pages.ts";
import { exampleEvent } from "../../ports/suites/alert-store.suite.ts";
import { classifyEntry } from "./classify-entry.ts";
import { draftDeliveries, tend } from "./draft-deliveries.ts";
import { foldEffects } from "./fold-effects.ts";

const NOW = 1_700_000_000_000;
const NOTIFY = Notify.parse({
  notifiers: ["pager", "chat", "mail"].map((id) => ({ id, kind: "slack", secret: { env: "REGENT_SECRET_X" } })),
  routes: [{ severities: ["warning"], notifiers: ["chat"] }],
});

const alert = (step: "fires" | "over", alerts: readonly string[], more: object = {}) =>
  exampleEvent({
    detail: { step, rule: "queue-long", title: "the queue is long", severity: "warning", alerts, ...more },
  });

/** What these entries make of incidents, one after the other; those that closed as well. */
const follow = (entries: readonly ReturnType<typeof alert>[], isTogether = false): readonly StoredIncident[] => {
  const all = new Map<string, StoredIncident>();
  let ids = 0;
  const rounds = isTogether ? [entries] : entries.map((each) => [each]);
  for (const round of rounds) {
    const effects = round.flatMap((event) => classifyEntry(event).map((effect) => ({ effect, at: NOW, why: event.why })));
    const open = [...all.values()].filter(({ state }) => state === "open");
    for (const incident of foldEffects(open, effects, { newId: () => `i${++ids}`, now: NOW })) all.set(incident.id, incident);
  }
  return [...all.values()];
};

const told = (incident: StoredIncident, notify = NOTIFY): readonly string[] =>
  draftDeliveries({ notify, owner: "acme", newId: () => "n", now: NOW, declared: new Map() }, null, incident)?.deliveries.map(
    ({ notifier }) => notifier,
  ) ?? [];

test("series that begin later join the incident, and it is over with the last of them", () => {
  const begun = [alert("fires", ["queue-long{a}"]), alert("fires", ["queue-long{b}"])];
  expect(follow(begun)).toMatchObject([{ cause: "alert:queue-long", state: "open", hit: 2, unwell: 2 }]);
  expect(follow([...begun, alert("over", ["queue-long{a}"])])).toMatchObject([{ state: "open", unwell: 1 }]);
  expect(follow([...begun, alert("over", ["queue-long{a}", "queue-long{b}"])])).toMatchObject([{ state: "closed" }]);
});

test("a rule that was changed ends one incident and opens another, also where both come together", () => {
  const entries = [alert("fires", ["queue-long"]), alert("over", ["queue-long"]), alert("fires", ["queue-long"])];
  for (const isTogether of [true, false])
    expect(follow(entries, isTogether).map(({ state }) => state)).toEqual(["closed", "open"]);
});

test("routes say who is told, unless the rule does, as long as one that it names is declared", () => {
  const of = (more: object): readonly string[] => follow([alert("fires", ["queue-long"], more)]).flatMap((each) => told(each));
  expect(of({})).toEqual(["chat"]);
  expect(of({ notifiers: ["mail"] })).toEqual(["mail"]);
  expect(of({ notifiers: ["mail", "gone"] })).toEqual(["mail"]);
  expect(of({ notifiers: ["gone"] })).toEqual(["chat"]);
});

test("it is of no service: no declaration makes it a stray, and no service's recovery ends it", () => {
  const [incident] = follow([alert("fires", ["queue-long{a}"])]);
  if (!incident) throw new Error("no incident");
  expect(tend({ notify: NOTIFY, owner: "acme", newId: () => "n", now: NOW, declared: new Map() }, incident)).toBeNull();
  const well = exampleEvent({ kind: "verdict", service: "alert", detail: { region: "eu", from: "unhealthy", to: "healthy" } });
  const effects = classifyEntry(well).map((effect) => ({ effect, at: NOW, why: "well" }));
  expect(foldEffects([incident], effects, { newId: () => "x", now: NOW })).toEqual([]);
});

test("an entry that lacks what an alert has tells nobody", () => {
  for (const detail of [{}, { step: "set", rule: "queue-long" }, { step: "fires", rule: 7 }])
    expect(classifyEntry(exampleEvent({ detail }))).toEqual([]);
});
