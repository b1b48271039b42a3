/** Limits of safety rules that are allowed and will disappoint: they hold everything back, hold nothing back, or leave a person no time. Pure. */
import type { Declaration, Safety as DeclaredSafety, RuleId, Service } from "@regent/contract";
import type { SafetyLimits } from "@regent/engine";
import { isSized, sizeOf } from "../endpoint-size.ts";
import { SAFETY } from "../profiles.ts";
import { findSafetyHolders, RULES_THAT_MAY_PROCEED, type SafetyHolder } from "../safety-holders.ts";
import { toProfile, toServiceSafety } from "../service-settings.ts";

/** Who is paged reads, looks and answers; nobody does in less. */
const APPROVAL_SECONDS_CALM = 30;

/** Each names its service where it has one. */
export const findSafetyWarnings = (declaration: Declaration): string[] => [
  ...findSafetyHolders(declaration).flatMap((holder) =>
    [...findSpentWarnings(holder), ...findTimeWarnings(holder), ...findPlaygroundWarnings(holder, declaration)].map((warning) =>
      holder.service === null ? warning : `service ${holder.service.id}: ${warning}`,
    ),
  ),
  ...declaration.services.flatMap((service) =>
    [
      ...findUnaskedWarnings(service, toServiceSafety(declaration, service)),
      ...findShareWarnings(declaration, service),
      ...findCapacityWarnings(service, service.safety?.capacityMin ?? declaration.safety?.capacityMin),
    ].map((warning) => `service ${service.id}: ${warning}`),
  ),
];

const BUDGETS = {
  failoversPerHour: "A9",
  failoversPerDay: "A9",
  failoversPerHourOfAll: "A9",
  regionsOutMax: "A10",
  incidentsMax: "A10",
} as const satisfies Partial<Record<keyof DeclaredSafety, RuleId>>;

/** Budgets that are spent before anything happened, or that another one always ends first. */
const findSpentWarnings = ({ declared, limits, service }: SafetyHolder): string[] => {
  const { failoversPerHour: own, failoversPerHourOfAll: ofAll } = limits;
  const isNamed = declared.failoversPerHour !== undefined || declared.failoversPerHourOfAll !== undefined;
  return [
    ...Object.entries(BUDGETS)
      .filter(([name]) => declared[name as keyof typeof BUDGETS] === 0 && (service?.mode ?? "automatic") === "automatic")
      .filter(([, rule]) => limits.onApprovalTimeout[rule] !== "proceed")
      .map(
        ([name, rule]) =>
          `safety.${name} is 0: ${rule} asks a person about every failover, so automation never makes one; ` +
          "mode: approve says so for every move, mode: advisory only tells",
      ),
    ...(isNamed && own !== null && ofAll !== null && own > ofAll
      ? [`safety.failoversPerHour, ${own}, is never reached: all services together have ${ofAll} an hour (failoversPerHourOfAll)`]
      : []),
  ];
};

const findTimeWarnings = ({ declared: { approvalSeconds } }: SafetyHolder): string[] =>
  approvalSeconds !== undefined && approvalSeconds < APPROVAL_SECONDS_CALM
    ? [
        `safety.approvalSeconds is ${approvalSeconds}: nobody reads, looks and answers in that time, so what follows a timeout ` +
          `always follows; at least ${APPROVAL_SECONDS_CALM} is advised`,
      ]
    : [];

const findPlaygroundWarnings = ({ service }: SafetyHolder, declaration: Declaration): string[] =>
  service !== null && toProfile(declaration, service) === "sandbox"
    ? [
        "safety is declared, and profile sandbox turns most other limits off, so that nothing runs out while one plays; " +
          "for traffic that matters choose standard or careful",
      ]
    : [];

/** A person is asked, and it makes no difference whether one answers. */
const findUnaskedWarnings = ({ mode }: Service, { onApprovalTimeout, approvalMs }: SafetyLimits): string[] => {
  if (mode === "advisory") return [];
  const areAllIdle = RULES_THAT_MAY_PROCEED.every((rule) => onApprovalTimeout[rule] === "proceed");
  const after = `after ${approvalMs / 1_000} s without anybody's word`;
  if (mode === "approve" && onApprovalTimeout.mode === "proceed")
    return [
      `mode is approve, and onApprovalTimeout.mode is proceed: ${areAllIdle ? "every move that A18 doesn't ask about" : "every move that no rule asks about"} ` +
        `is made ${after}, which is automatic with a delay; mode: stay waits for a person`,
    ];
  return areAllIdle && mode === "automatic"
    ? [`every rule that asks, but A18, proceeds ${after}: these rules only delay; say stay for those that shall hold`]
    : [];
};

/** Limits that are closer than the profile's, or said of just this service, against what one of its regions carries. */
const findShareWarnings = (declaration: Declaration, service: Service): string[] => {
  const { strategy, endpoints, safety } = service;
  const removedMax = safety?.removedMax ?? declaration.safety?.removedMax;
  const stepMax = safety?.stepMax;
  const profile = SAFETY[toProfile(declaration, service)];
  const least = leastShare(service);
  const steps = stepMax === undefined ? 1 : Math.ceil(0.5 / stepMax - 1e-9);
  return [
    ...(removedMax !== undefined && removedMax < profile.removedMax && removedMax < least - 1e-9
      ? [
          `safety.removedMax, ${removedMax}, is less than any one region carries (${toPercent(least)} of the traffic or more): ` +
            "A17 asks a person already at the first departure that it counts",
        ]
      : []),
    ...(strategy.kind === "round-robin" && endpoints.length === 2 && steps > 1
      ? [
          `safety.stepMax is ${stepMax}, and two regions in round-robin differ by half of the traffic: a voluntary move between one ` +
            `and both takes ${steps} steps, with unequal parts meanwhile; 0.5 makes it one`,
        ]
      : []),
  ];
};

/** Of the regions that serve when all are well, the part that the smallest one has. */
const leastShare = ({ strategy, endpoints }: Service): number => {
  switch (strategy.kind) {
    case "active-passive":
      return 1 - strategy.trickle * (endpoints.length - 1);
    case "active-active": {
      const capacities = endpoints.map((endpoint) => sizeOf(endpoint).capacity);
      return Math.min(...capacities) / capacities.reduce((sum, capacity) => sum + capacity, 0);
    }
    case "round-robin":
      return 1 / endpoints.length;
  }
};

/** A3 as the engine counts it: a region carries its part with its headroom; of active-passive one serves, measured by the largest. */
const findCapacityWarnings = (service: Service, capacityMin: number | undefined): string[] => {
  const { strategy, endpoints } = service;
  if (capacityMin === undefined || endpoints.length < 2 || !isSized(service)) return [];
  const isPassive = strategy.kind === "active-passive";
  const sizes = endpoints.map((endpoint) => sizeOf(endpoint).capacity);
  const whole = isPassive ? Math.max(...sizes) : sizes.reduce((sum, size) => sum + size, 0);
  const carried = endpoints.map(sizeOf).map(({ capacity, headroom }) => Math.min(1, (headroom * capacity) / whole));
  const left = carried.map((_, lost) => {
    const others = carried.filter((__, at) => at !== lost);
    return isPassive
      ? Math.max(...others)
      : Math.min(
          1,
          others.reduce((sum, part) => sum + part, 0),
        );
  });
  const best = Math.max(...left);
  return best < capacityMin - 1e-9
    ? [
        `safety.capacityMin is ${capacityMin}, and whichever region is lost, the others carry ${toPercent(best)} at best, headroom included: ` +
          "A3 then asks a person about every move that doesn't leave a dead region; a lower limit, or more headroom",
      ]
    : [];
};

const toPercent = (part: number): string => `${Math.round(part * 100)} %`;
