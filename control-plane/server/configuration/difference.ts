/**
 * What changes between two declarations, as lines that a person reads in review: settings first, then zones, regions, agents, services; each in
 * declared order, what was taken out last. For services it says what that means in DNS. Pure. Called by plan, apply and the first start.
 */
import type { AgentDeclaration, Declaration, Region, Service, Zone } from "@regent/contract";
import { toAlertLines } from "./difference-alerts.ts";
import { toMaintenanceLines } from "./difference-maintenance.ts";
import { toNotifyLines } from "./difference-notify.ts";
import { toSafetyLines } from "./difference-safety.ts";
import { toAddedServiceLines, toChangedServiceLines, toRemovedServiceLines } from "./difference-service.ts";
import { toFieldLines } from "./field-lines.ts";
import { type Pair, pairById } from "./pair-by-id.ts";
import { resolveSafety } from "./profiles.ts";

/** No lines when nothing changes. `before` is null at the first start. */
export const toDifference = (before: Declaration | null, after: Declaration): string[] => [
  ...toGlobalLines(before, after),
  ...toZoneLines(before?.zones ?? [], after.zones),
  ...toRegionLines(before?.regions ?? [], after.regions),
  ...toAgentLines(before?.agents ?? [], after.agents),
  ...toServiceLines(before, after),
  ...toMaintenanceLines(before?.maintenance, after.maintenance),
  ...toNotifyLines(before?.notify, after.notify),
  ...toAlertLines(before?.alerts, after.alerts),
];

const toGlobalLines = (before: Declaration | null, after: Declaration): string[] => {
  const { owner, profile, quorum, drift, safety, epochLabel } = after;
  if (before === null)
    return [`owner ${owner}, profile ${profile}, quorum over ${quorum.networks} network${quorum.networks === 1 ? "" : "s"}`];
  const lines = toFieldLines({ profile: before.profile, quorum: before.quorum, drift: before.drift }, { profile, quorum, drift });
  return [
    ...(before.owner === owner
      ? []
      : [
          `owner: ${before.owner} -> ${owner}; every epoch record says ${before.owner}, so writing needs a takeover of each service first`,
        ]),
    ...lines.map((line) => (line.startsWith("profile") ? `${line} for every service without a profile of its own` : line)),
    ...toSafetyLines(before.safety, safety, { limits: resolveSafety(profile, safety), isForAll: true }),
    ...(before.epochLabel === epochLabel
      ? []
      : [
          `epochLabel: ${before.epochLabel} -> ${epochLabel}; every epoch record gets another name, and the old ones must be adopted`,
        ]),
  ];
};

const toZoneLines = (before: readonly Zone[], after: readonly Zone[]): string[] =>
  pairById(before, after, ({ name }) => name).flatMap(toZoneLine);

const toZoneLine = (pair: Pair<Zone>): string[] => {
  switch (pair.kind) {
    case "added":
      return [`zone ${pair.id}: added (${pair.after.id})`];
    case "removed":
      return [`zone ${pair.id}: removed; its records stay as they are`];
    case "kept":
      return pair.before.id === pair.after.id ? [] : [`zone ${pair.id}: id ${pair.before.id} -> ${pair.after.id}`];
  }
};

const toRegionLines = (before: readonly Region[], after: readonly Region[]): string[] =>
  pairById(before, after, ({ id }) => id).flatMap((pair) => {
    if (pair.kind !== "kept") return [`region ${pair.id}: ${pair.kind}`];
    return toFieldLines(pair.before, pair.after).map((line) => `region ${pair.id}: ${line}`);
  });

const toAgentLines = (before: readonly AgentDeclaration[], after: readonly AgentDeclaration[]): string[] =>
  pairById(before, after, ({ id }) => id).flatMap(toAgentLine);

const toAgentLine = (pair: Pair<AgentDeclaration>): string[] => {
  switch (pair.kind) {
    case "added":
      return [`agent ${pair.id}: added, stands in ${pair.after.region} on network ${pair.after.network}`];
    case "removed":
      return [`agent ${pair.id}: removed; its reports are no longer taken`];
    case "kept":
      return toFieldLines(withShortKeys(pair.before), withShortKeys(pair.after)).map((line) => `agent ${pair.id}: ${line}`);
  }
};

/** A public key is recognised by its first letters; 44 of them drown the line. */
const withShortKeys = (agent: AgentDeclaration): object => ({
  ...agent,
  publicKeys: agent.publicKeys.map((key) => `${key.slice(0, 12)}...`),
});

const toServiceLines = (before: Declaration | null, after: Declaration): string[] =>
  pairById(before?.services ?? [], after.services, ({ id }) => id).flatMap((pair) => toOneServiceLines(pair, before, after));

const toOneServiceLines = (pair: Pair<Service>, before: Declaration | null, after: Declaration): string[] => {
  switch (pair.kind) {
    case "added":
      return toAddedServiceLines(pair.after, after, before);
    case "removed":
      return toRemovedServiceLines(pair.before, after);
    case "kept":
      return toChangedServiceLines(pair.before, pair.after, after);
  }
};
