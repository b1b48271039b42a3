/** What a control plane is given: its ports, and what main.ts read of its surroundings. */
import type { Logger } from "pino";
import type { ConfigurationSigner } from "../operations/configuration/configuration-in-force.ts";
import type { DatabaseHealth } from "../operations/control-plane.ts";
import type { ModeRound } from "../operations/modes.ts";
import type { AlertStore } from "../ports/alert-store.ts";
import type { Clock, Ids } from "../ports/clock.ts";
import type { ConfigurationStore } from "../ports/configuration-store.ts";
import type { DeadLetters } from "../ports/dead-letters.ts";
import type { DecisionStore } from "../ports/decision-store.ts";
import type { DnsProvider } from "../ports/dns-provider.ts";
import type { Evacuations } from "../ports/evacuations.ts";
import type { EvidenceStore } from "../ports/evidence-store.ts";
import type { HookCaller } from "../ports/hook-caller.ts";
import type { Lease } from "../ports/lease.ts";
import type { MaintenanceStore } from "../ports/maintenance-store.ts";
import type { Messenger } from "../ports/notifier.ts";
import type { Pages } from "../ports/pages.ts";
import type { Recordings } from "../ports/recordings.ts";
import type { Resolver } from "../ports/resolver.ts";
import type { RoleReader } from "../ports/role-reader.ts";
import type { Metrics } from "./metrics.ts";

export interface ControlPlaneDeps {
  readonly holder: string;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly evidence: EvidenceStore;
  readonly decisions: DecisionStore;
  readonly deadLetters: DeadLetters;
  readonly pages: Pages;
  readonly recordings: Recordings;
  readonly alerts: AlertStore;
  readonly maintenance: MaintenanceStore;
  readonly evacuations: Evacuations;
  readonly messenger: Messenger;
  readonly hooks: HookCaller;
  readonly roles: RoleReader;
  readonly configurations: ConfigurationStore;
  readonly lease: Lease;
  readonly provider: DnsProvider;
  readonly resolver: Resolver;
  readonly signer: ConfigurationSigner;
  /** Zone name -> `ip:port` of its authoritative servers, where they aren't those of its delegation. */
  readonly nameServers: Readonly<Record<string, readonly string[]>>;
  readonly resolvers: readonly string[];
  readonly databaseHealth: () => Promise<DatabaseHealth>;
  /** Whether anything outside answers this process. */
  readonly outside: () => Promise<ModeRound["outside"]>;
}
