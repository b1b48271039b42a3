/** What anybody may read of the running control plane: from its memory, or from the database. Changes nothing. */
import type { ServiceSpec } from "@regent/engine";
import { RECORDING_TURNS_MAX } from "../limits.ts";
import { listApprovals } from "../operations/approval/list-approvals.ts";
import { planConfiguration } from "../operations/control/change-configuration.ts";
import type { ControlPlane } from "../operations/control-plane.ts";
import type { EvidenceCache } from "../operations/evidence/evidence-cache.ts";
import type { Ledger } from "../operations/memory/ledger.ts";
import { toIncident } from "../operations/paging/follow-history.ts";
import { toExplanation, toOverview, toServiceState, type ViewSources } from "../operations/read-overview.ts";
import type { Clock } from "../ports/clock.ts";
import type { ConfigurationStore } from "../ports/configuration-store.ts";
import type { DeadLetters } from "../ports/dead-letters.ts";
import type { DecisionStore } from "../ports/decision-store.ts";
import type { DnsProvider } from "../ports/dns-provider.ts";
import type { Evacuations } from "../ports/evacuations.ts";
import type { Pages } from "../ports/pages.ts";
import type { Recordings } from "../ports/recordings.ts";
import type { Alerting } from "./alerting.ts";
import type { ConfigurationKeeper } from "./configuration-keeper.ts";
import type { Following } from "./following.ts";
import type { MaintenanceWatch } from "./maintenance-watch.ts";
import type { ModeWatch } from "./mode-watch.ts";
import type { ReconcileLoop } from "./reconcile-loop.ts";
import type { Stateful } from "./stateful.ts";
import type { Writing } from "./writing.ts";

export interface ReaderParts {
  readonly clock: Clock;
  readonly decisions: DecisionStore;
  readonly deadLetters: DeadLetters;
  readonly configurations: Pick<ConfigurationStore, "read" | "list">;
  readonly pages: Pages;
  readonly recordings: Recordings;
  readonly evacuations: Evacuations;
  readonly provider: DnsProvider;
  readonly ledger: Ledger;
  readonly cache: EvidenceCache;
  readonly keeper: ConfigurationKeeper;
  readonly specs: () => ReadonlyMap<string, ServiceSpec>;
  readonly loop: ReconcileLoop;
  readonly writing: Writing;
  readonly following: Following;
  readonly modes: ModeWatch;
  readonly maintenance: MaintenanceWatch;
  readonly stateful: Stateful;
  readonly alerting: Alerting;
  readonly isLeading: () => boolean;
  readonly isRetiring: () => boolean;
}

export type ReaderAnswers = Pick<
  ControlPlane,
  | "isDeclaredKey"
  | "overview"
  | "service"
  | "explain"
  | "approvals"
  | "maintenance"
  | "evacuations"
  | "evacuation"
  | "transfers"
  | "role"
  | "history"
  | "change"
  | "deadLetters"
  | "deadLetter"
  | "incidents"
  | "alerts"
  | "alertRules"
  | "tryAlertRule"
  | "recording"
  | "configuration"
  | "configurationVersions"
  | "configurationVersion"
  | "planConfiguration"
  | "readiness"
>;

export const answerReaders = (parts: ReaderParts): ReaderAnswers => {
  const { ledger, loop, specs, keeper, stateful, alerting, evacuations, deadLetters, isLeading } = parts;
  const { leaderNow } = parts.following;

  const sources = (): ViewSources => ({
    ...loop,
    ledger,
    cache: parts.cache,
    applied: keeper.need(),
    seenOf: parts.writing.seenOf,
    term: leaderNow()?.term ?? ledger.term(),
    now: parts.clock.now(),
  });
  const mode = () => parts.modes.view().mode;

  return {
    isDeclaredKey: (agent, keyId) => keeper.inForce()?.keys.find(agent, keyId) !== null,
    overview: async () => toOverview(sources(), mode(), leaderNow()),
    service: async (id) => {
      const spec = specs().get(id);
      return spec ? toServiceState(sources(), spec) : null;
    },
    explain: async (id) => {
      const spec = specs().get(id);
      return spec ? toExplanation(sources(), spec) : null;
    },
    approvals: async () => listApprovals([...specs().keys()].map(ledger.record)),
    maintenance: async () => parts.maintenance.list(),
    evacuations: ({ limit, cursor, region }) =>
      evacuations.list({
        limit,
        ...(cursor === undefined ? {} : { before: cursor }),
        ...(region === undefined ? {} : { region }),
      }),
    evacuation: (id) => evacuations.read(id),
    transfers: async () => stateful.transfers(),
    role: async (service, region) => {
      const answer = await stateful.role(service, region);
      if (answer === null) return { kind: "not-found", what: `service ${service} with one writable place` };
      if (answer === "no-such-region") return { kind: "not-found", what: `region ${region} of ${service}` };
      return { kind: "read", answer };
    },
    history: async (query) => {
      const page = await parts.decisions.readHistory(query);
      return { events: [...page.events], next: page.next };
    },
    change: (id) => parts.decisions.readChange(id),
    deadLetters: async ({ limit, cursor }) => {
      const letters = await deadLetters.list({ limit, ...(cursor === undefined ? {} : { before: cursor }) });
      return { letters: [...letters], next: letters.length < limit ? null : (letters.at(-1)?.id ?? null) };
    },
    deadLetter: (id) => deadLetters.read(id),
    incidents: async ({ limit, cursor, state }) => {
      const known = await parts.pages.list({
        limit,
        ...(cursor === undefined ? {} : { before: cursor }),
        ...(state === undefined ? {} : { state }),
      });
      return { incidents: known.map(toIncident), next: known.length < limit ? null : (known.at(-1)?.id ?? null) };
    },
    alerts: alerting.alerts,
    alertRules: alerting.rules,
    tryAlertRule: alerting.attempt,
    recording: (query) => parts.recordings.read({ ...query, limit: RECORDING_TURNS_MAX }),
    configurationVersions: parts.configurations.list,
    configurationVersion: parts.configurations.read,
    configuration: () => {
      const applied = keeper.inForce();
      return applied && { version: applied.version, text: applied.text, author: applied.author, at: applied.at };
    },
    planConfiguration: (text, fileName) =>
      planConfiguration({ provider: parts.provider, recordOf: ledger.record, inForce: keeper.inForce }, text, fileName),
    readiness: () => {
      const missing = [
        ...(parts.isRetiring() ? ["it is stopping"] : []),
        ...(keeper.inForce() ? [] : ["no configuration is applied"]),
        ...(leaderNow() ? [] : ["nobody leads"]),
        ...(parts.modes.mayLead() ? [] : ["nothing outside answers"]),
      ];
      return { isReady: missing.length === 0, mode: mode(), isLeader: isLeading(), missing };
    },
  };
};
