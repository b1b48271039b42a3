/** What people look at: services, verdicts, weights wanted, written and seen, agents. Reads only what is in memory. */
import type { AgentState, Explanation, Overview, RegionVerdict, Seen, ServiceState } from "@regent/contract";
import { type Decision, durationText, type HealthMemory, type ServiceSpec, sharesText } from "@regent/engine";
import { inForce, overrideText } from "@regent/engine/strategy/overrides.ts";
import type { ServiceRecord } from "../ports/decision-store.ts";
import { standingText } from "./approval/approval-words.ts";
import { shown } from "./approval/review-approval.ts";
import type { Applied } from "./configuration/configuration-in-force.ts";
import type { EvidenceCache } from "./evidence/evidence-cache.ts";
import type { Ledger } from "./memory/ledger.ts";
import { toShown } from "./memory/standing-overrides.ts";
import { toTransferState, toTransferText } from "./transfer/transfer-state.ts";

export interface ViewSources {
  readonly ledger: Ledger;
  readonly cache: EvidenceCache;
  readonly applied: Applied;
  readonly verdictsOf: (service: string) => readonly RegionVerdict[];
  readonly decisionOf: (service: string) => Decision | null;
  readonly nextLookAt: (service: string) => number | null;
  readonly seenOf: (service: string) => Seen | null;
  readonly term: number;
  readonly now: number;
}

export const toServiceState = (sources: ViewSources, spec: ServiceSpec): ServiceState => {
  const { ledger, applied } = sources;
  const record = ledger.record(spec.id);
  const last = ledger.lastChange(spec.id);
  const declared = applied.declaration.services.find(({ id }) => id === spec.id);
  return {
    id: spec.id,
    name: spec.name,
    profile: declared?.profile ?? applied.declaration.profile,
    strategy: spec.strategy.kind,
    mode: spec.mode,
    revision: record.revision,
    term: sources.term,
    regions: regionsOf(sources, spec, record),
    families: spec.families.map(({ id }) => id),
    wanted: record.traffic.shares,
    written: record.written ?? {},
    seen: sources.seenOf(spec.id),
    frozen: record.controls.frozen ?? ledger.freeze(),
    drained: record.controls.drained,
    ...standingOverrides(record, sources.now),
    approval: standingApproval(record),
    transfer: record.transfer && toTransferState(spec.id, record.transfer, spec.stateful),
    blockedBy: record.blockedBy,
    drift: record.drift,
    now: sentenceOf(sources, spec, record),
    lastChange: last ? { id: last.id, why: last.why, times: last.times, stage: last.stage } : null,
  };
};

/** Absent where none stands. */
const standingOverrides = ({ controls }: ServiceRecord, now: number): Pick<ServiceState, "overrides"> => {
  const standing = inForce(controls.overrides, now);
  return standing.length === 0 ? {} : { overrides: standing.map(toShown) };
};

/** One that waits or that was answered for what is still wanted; what is over stands in the list of approvals, not in every overview. */
const standingApproval = ({ approval }: ServiceRecord): ServiceState["approval"] =>
  approval && !approval.isOver && approval.state !== "stale" ? shown(approval) : null;

/** In declared order; a replica that doesn't judge shows what the leader remembered, without votes. */
const regionsOf = ({ verdictsOf }: ViewSources, spec: ServiceSpec, { health }: ServiceRecord): RegionVerdict[] => {
  const judged = verdictsOf(spec.id);
  return spec.endpoints.flatMap(({ region }) => {
    const verdict = judged.find((v) => v.region === region);
    const memory = health[region];
    return verdict ? [verdict] : memory ? [fromMemory(memory)] : [];
  });
};

const fromMemory = ({ region, verdict, since, why, evidence }: HealthMemory): RegionVerdict => ({
  region,
  verdict,
  since,
  why,
  score: null,
  evidence,
  inside: "silent",
  outside: "none",
  flags: [],
  votes: [],
});

const sentenceOf = ({ decisionOf, ledger }: ViewSources, spec: ServiceSpec, record: ServiceRecord): string =>
  record.blockedBy ??
  // Before the edit, which has a field of its own: what automation would do and doesn't is what a person must know first.
  decisionOf(spec.id)?.sentence ??
  record.drift ??
  ledger.lastChange(spec.id)?.why ??
  "waiting for the first reports";

export const toAgentStates = ({ applied, cache, now }: ViewSources): AgentState[] =>
  applied.declaration.agents.map(({ id, region, network }) => {
    const row = cache.agentRow(id);
    const freshnessMs = Math.max(...[...applied.specs.values()].map(({ settings }) => settings.freshnessMs), 1_000);
    return {
      id,
      region,
      network,
      lastReportAt: row?.heardAt ?? null,
      fresh: row?.heardAt != null && now - row.heardAt <= freshnessMs,
      healthy: row?.selfHealthy ?? null,
      mode: row?.mode ?? null,
      build: row?.build ?? null,
      clockSkewMs: row?.skewMs ?? null,
      configurationVersion: row?.configurationVersion ?? null,
    };
  });

export const toOverview = (sources: ViewSources, mode: Overview["mode"], leader: Overview["leader"]): Overview => ({
  at: sources.now,
  owner: sources.applied.declaration.owner,
  configurationVersion: sources.applied.version,
  mode,
  leader,
  frozen: sources.ledger.freeze(),
  services: [...sources.applied.specs.values()].map((spec) => toServiceState(sources, spec)),
  agents: toAgentStates(sources),
});

/** Reasons and findings end as their author ended them; a sentence ends once. */
const toSentence = (text: string): string => `${text.replace(/[.\s]+$/, "")}.`;

/** What ends an edit that is told or kept; one that is reverted ends by itself. */
const waysOn = (service: string, policy: string | undefined): string =>
  policy === "revert"
    ? "The edit is to be reverted"
    : `The edit stays until you move ${service} by hand, declare the records as they stand, or give it back to the declaration (regent unfreeze ${service} --reason …)`;

/** Why a service is as it is, in the order a person asks: what happens, each region, what stands in the way, what comes next. */
export const toExplanation = (sources: ViewSources, spec: ServiceSpec): Explanation => {
  const service = toServiceState(sources, spec);
  const decision = sources.decisionOf(spec.id);
  const nextLookAt = sources.nextLookAt(spec.id);
  const changes = sources.ledger.changes().filter((change) => change.service === spec.id);
  const shares = Object.entries(service.wanted).map(([family, byRegion]) => `${family}: ${sharesText(byRegion)}`);
  const sentences = [
    `${service.name} (${service.strategy}, revision ${service.revision}): ${service.now}`,
    `Wanted: ${shares.join("; ") || "nothing yet"}.`,
    ...service.regions.map(({ region, verdict, score, why, flags }) => {
      const marks = flags.length > 0 ? ` [${flags.join(", ")}]` : "";
      return `${region} is ${verdict}${score === null ? "" : `, score ${score}`}${marks}: ${why}`;
    }),
    ...(service.seen ? [`Seen: ${service.seen.why}`] : []),
    ...(service.drift === null
      ? []
      : [
          `Edited in DNS, automation stands still: ${service.drift}`,
          waysOn(service.id, sources.ledger.record(spec.id).ownership.edit?.policy),
        ]),
    ...toTransferText(service.transfer, sources.ledger.record(spec.id).databases),
    ...standingText(sources.ledger.record(spec.id).approval),
    ...(service.frozen ? [`Frozen by ${service.frozen.by}: ${service.frozen.reason}`] : []),
    ...Object.entries(service.drained).map(([region, { by, reason }]) => `${region} is drained by ${by}: ${reason}`),
    ...Object.entries(sources.ledger.record(spec.id).controls.frozenRegions).map(
      ([region, { by, reason }]) => `${region} is frozen by ${by}: ${reason}`,
    ),
    ...(service.overrides ?? []).map((one) => {
      const left = `${durationText(one.until - sources.now)} left`;
      const skipped = one.breakGlass.length > 0 ? `, skipping ${one.breakGlass.join(", ")}` : "";
      return `Override ${one.id}: ${overrideText(one)} (${left}${skipped}): ${one.reason}`;
    }),
    ...(nextLookAt === null ? [] : [`Next look in ${durationText(Math.max(0, nextLookAt - sources.now))}.`]),
  ];
  return {
    service,
    sentences: sentences.map(toSentence),
    rules: [...(decision?.rules ?? [])],
    changes: [...changes],
    nextLookAt,
  };
};
