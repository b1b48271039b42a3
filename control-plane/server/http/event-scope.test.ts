/** What a token of some services sees of history. */
import type { HistoryEvent } from "@regent/contract";
import { expect, test } from "vitest";
import { isEventInScope } from "./event-scope.ts";

type Entry = Pick<HistoryEvent, "service" | "kind" | "detail">;
const of = (kind: Entry["kind"], detail: Entry["detail"] = {}, service: string | null = null): Entry => ({
  service,
  kind,
  detail,
});
const evacuated = (...left: readonly string[]): Entry => of("evacuation", { step: "ended", region: "east", left: [...left] });
const planned = (services: readonly string[] | null): Entry =>
  of("maintenance", { step: "planned", window: { id: "nightly", services: services && [...services] } });

test.each<readonly [string, Entry, boolean]>([
  ["of its service", of("verdict", {}, "shop"), true],
  ["of another service", of("verdict", {}, "mail"), false],
  ["that everything was frozen", of("freeze"), true],
  ["of the mode", of("mode"), true],
  ["of an alert", of("alert", { step: "fires", alerts: ['regent_page_waiting_seconds{notifier="mail-team"}'] }), false],
  ["of a dead letter", of("dead-letter"), false],
  ["of an evacuation that left nothing", evacuated(), true],
  ["of one that left its service and another", evacuated("mail", "shop"), true],
  ["of one that left another", evacuated("mail"), false],
  ["of maintenance of everything", planned(null), true],
  ["of maintenance of its service and another", planned(["shop", "mail"]), true],
  ["of maintenance of others", planned(["mail", "search"]), false],
])("an entry %s", (_, entry, isSeen) => {
  expect(isEventInScope(["shop"], entry)).toBe(isSeen);
  expect(isEventInScope(null, entry)).toBe(true);
});
