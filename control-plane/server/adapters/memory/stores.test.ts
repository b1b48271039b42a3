/** The memory twins keep what the ports promise, so that simulation and unit tests can't be told something that Postgres wouldn't do. */
import { accessStoreSuite } from "../../ports/suites/access-store.suite.ts";
import { alertStoreSuite } from "../../ports/suites/alert-store.suite.ts";
import { configurationStoreSuite } from "../../ports/suites/configuration-store.suite.ts";
import { deadLettersSuite } from "../../ports/suites/dead-letters.suite.ts";
import { decisionStoreSuite } from "../../ports/suites/decision-store.suite.ts";
import { evacuationsSuite } from "../../ports/suites/evacuations.suite.ts";
import { evidenceStoreSuite } from "../../ports/suites/evidence-store.suite.ts";
import { ulid } from "../../ports/suites/examples.ts";
import { leaseSuite } from "../../ports/suites/lease.suite.ts";
import { maintenanceStoreSuite } from "../../ports/suites/maintenance-store.suite.ts";
import { pagesSuite } from "../../ports/suites/pages.suite.ts";
import { recordingsSuite } from "../../ports/suites/recordings.suite.ts";
import type { TestStores } from "../../ports/suites/stores.ts";
import { createMemoryDatabase } from "./database.ts";

const open = async (): Promise<TestStores> => {
  let now = 1_700_000_000_000;
  const stores = createMemoryDatabase({ clock: { now: () => now }, ids: { ulid } });
  return {
    ...stores,
    other: stores,
    now: async () => now,
    elapse: async (ms) => {
      now += ms;
    },
    aggregates: async () => stores.evidence.aggregates(),
    close: async () => undefined,
  };
};

evidenceStoreSuite("memory", open);
decisionStoreSuite("memory", open);
leaseSuite("memory", open);
configurationStoreSuite("memory", open);
accessStoreSuite("memory", open);
deadLettersSuite("memory", open);
pagesSuite("memory", open);
alertStoreSuite("memory", open);
maintenanceStoreSuite("memory", open);
evacuationsSuite("memory", open);
recordingsSuite("memory", open);
