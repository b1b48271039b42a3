/**
 * What is allowed and will disappoint: too few places to look from, too little room to take over, answers cached for too long,
 * limits that hold everything back. Pure.
 * Called by check-declaration.ts on valid declarations; each warning is one sentence with its numbers.
 */
import type { Declaration, Service } from "@regent/contract";
import { isInsideZone } from "./problems/names.ts";
import { toServiceSettings, toTtlSeconds } from "./service-settings.ts";
import { REGION_PLACEHOLDER } from "./to-agent-configuration.ts";
import { findCapacityWarnings } from "./warnings/capacity.ts";
import { findCoverageWarnings } from "./warnings/coverage.ts";
import { findMaintenanceWarnings } from "./warnings/maintenance.ts";
import { findSafetyWarnings } from "./warnings/safety.ts";
import { findStatefulWarnings } from "./warnings/stateful.ts";

/** Resolvers keep an answer for its TTL: above this a failover is felt for minutes. */
const TTL_SECONDS_CALM = 60;

export const findDeclarationWarnings = (declaration: Declaration): string[] => [
  ...findCoverageWarnings(declaration),
  ...findSafetyWarnings(declaration),
  ...findMaintenanceWarnings(declaration),
  ...findStatefulWarnings(declaration),
  ...declaration.services.flatMap((service) =>
    [
      ...findTtlWarnings(declaration, service),
      ...findCheckWarnings(service),
      ...findZoneWarnings(declaration, service),
      ...findCapacityWarnings(service),
    ].map((warning) => `service ${service.id}: ${warning}`),
  ),
];

const findTtlWarnings = (declaration: Declaration, service: Service): string[] => {
  const ttl = toTtlSeconds(declaration, service);
  const { rampMs, rampStepMs } = toServiceSettings(declaration, service);
  return [
    ...(ttl > TTL_SECONDS_CALM
      ? [`TTL ${ttl} s: resolvers keep a dead region's answer that long, at most ${TTL_SECONDS_CALM} s is advised`]
      : []),
    ...(rampMs > 0 && rampStepMs > rampMs
      ? [
          `at TTL ${ttl} s a ramp step takes ${rampStepMs / 1_000} s and the whole return ${rampMs / 1_000} s: it will be a single step`,
        ]
      : []),
    ...(rampMs > 0 && rampStepMs < ttl * 1_000
      ? [
          `a ramp step of ${rampStepMs / 1_000} s is shorter than the TTL of ${ttl} s: the next step is taken before the last one is felt`,
        ]
      : []),
  ];
};

const findCheckWarnings = ({ checks, endpoints }: Service): string[] => [
  ...(checks.some(({ scope, criticality }) => scope === "region" && criticality === "critical")
    ? []
    : ["no check is critical and of scope region: nothing can ever make a region unhealthy"]),
  ...checks.flatMap((check) => {
    const value = check.kind === "http" ? check.regionHeader?.value : undefined;
    return value !== undefined && !value.includes(REGION_PLACEHOLDER) && endpoints.length > 1
      ? [
          `check ${check.id} expects the region header "${value}" of all ${endpoints.length} regions; "${REGION_PLACEHOLDER}" stands for each one's id`,
        ]
      : [];
  }),
];

const findZoneWarnings = ({ zones }: Declaration, { name, zone }: Service): string[] =>
  zones
    .filter((other) => other.name.length > zone.length && isInsideZone(name, other.name))
    .map(
      (other) =>
        `${name} lies in the declared zone ${other.name} too: if that is delegated, records in ${zone} are never asked for`,
    );
