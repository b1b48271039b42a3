/** What every suite of a store is given: two replicas on one database, and a way to let time pass. */

import type { AccessStore } from "../access-store.ts";
import type { AlertStore } from "../alert-store.ts";
import type { ConfigurationStore } from "../configuration-store.ts";
import type { DeadLetters } from "../dead-letters.ts";
import type { DecisionStore } from "../decision-store.ts";
import type { Evacuations } from "../evacuations.ts";
import type { EvidenceStore, MinuteAggregate } from "../evidence-store.ts";
import type { Lease } from "../lease.ts";
import type { MaintenanceStore } from "../maintenance-store.ts";
import type { Pages } from "../pages.ts";
import type { Recordings } from "../recordings.ts";

export interface Stores {
  readonly evidence: EvidenceStore;
  readonly decisions: DecisionStore;
  readonly lease: Lease;
  readonly configuration: ConfigurationStore;
  readonly access: AccessStore;
  readonly deadLetters: DeadLetters;
  readonly pages: Pages;
  readonly recordings: Recordings;
  readonly alerts: AlertStore;
  readonly maintenance: MaintenanceStore;
  readonly evacuations: Evacuations;
}

export interface TestStores extends Stores {
  /** Another process on the same database. */
  readonly other: Stores;
  /** Database time. */
  readonly now: () => Promise<number>;
  /** Lets this much database time pass: keep it below 100 ms. */
  readonly elapse: (ms: number) => Promise<void>;
  /** Ordered by target, minute and agent. */
  readonly aggregates: () => Promise<readonly MinuteAggregate[]>;
  readonly close: () => Promise<void>;
}

/** A fresh, empty database for each call. */
export type OpenStores = () => Promise<TestStores>;
