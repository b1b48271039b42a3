/** One database in memory: all stores, one clock, one history. Several replicas of a simulation share it, as they would share Postgres. */
import type { AccessStore } from "../../ports/access-store.ts";
import type { AlertStore } from "../../ports/alert-store.ts";
import type { Clock, Ids } from "../../ports/clock.ts";
import type { ConfigurationStore } from "../../ports/configuration-store.ts";
import type { DeadLetters } from "../../ports/dead-letters.ts";
import type { Evacuations } from "../../ports/evacuations.ts";
import type { MaintenanceStore } from "../../ports/maintenance-store.ts";
import type { Pages } from "../../ports/pages.ts";
import type { Recordings } from "../../ports/recordings.ts";
import { createMemoryAccessStore } from "./access-store.ts";
import { createMemoryAlertStore } from "./alert-store.ts";
import { createMemoryConfigurationStore } from "./configuration-store.ts";
import { createMemoryDeadLetters } from "./dead-letters.ts";
import { createMemoryDecisionStore, type MemoryDecisionStore } from "./decision-store.ts";
import { createMemoryEvacuations } from "./evacuations.ts";
import { createMemoryEvidenceStore, type MemoryEvidenceStore } from "./evidence-store.ts";
import { createMemoryHistory } from "./history.ts";
import { createMemoryLease, type MemoryLease } from "./lease.ts";
import { createMemoryMaintenanceStore } from "./maintenance-store.ts";
import { createMemoryPages } from "./pages.ts";
import { createMemoryRecordings } from "./recordings.ts";

export interface MemoryDatabase {
  readonly evidence: MemoryEvidenceStore;
  readonly decisions: MemoryDecisionStore;
  readonly lease: MemoryLease;
  readonly configuration: ConfigurationStore;
  readonly access: AccessStore;
  readonly deadLetters: DeadLetters;
  readonly pages: Pages;
  readonly recordings: Recordings;
  readonly alerts: AlertStore;
  readonly maintenance: MaintenanceStore;
  readonly evacuations: Evacuations;
}

/** `clock` stands for the database's clock; `ids` names the history entries of configuration. */
export const createMemoryDatabase = ({
  clock,
  ids,
}: {
  readonly clock: Pick<Clock, "now">;
  readonly ids: Ids;
}): MemoryDatabase => {
  const history = createMemoryHistory();
  const lease = createMemoryLease({ clock });
  const decisions = createMemoryDecisionStore({ clock, lease, history });
  const evidence = createMemoryEvidenceStore();
  const configuration = createMemoryConfigurationStore({ clock, ids, history });
  return {
    evidence,
    recordings: createMemoryRecordings({ evidence, versions: configuration.versions }),
    decisions,
    lease,
    configuration,
    access: createMemoryAccessStore({ clock }),
    deadLetters: createMemoryDeadLetters(),
    maintenance: createMemoryMaintenanceStore({ lease, history }),
    alerts: createMemoryAlertStore({ lease, history }),
    pages: createMemoryPages({ lease, entriesAfter: decisions.entriesAfter }),
    evacuations: createMemoryEvacuations({ lease, history }),
  };
};
