/** Settings that contradict each other or can never find a failure, judged as they come out: the service's own over its profile's. Pure. */
import type { Check, Declaration, Settings as DeclaredSettings, Service } from "@regent/contract";
import type { Settings } from "@regent/engine";
import type { ConfigurationProblem, Path } from "../problem-path.ts";
import { toServiceSettings } from "../service-settings.ts";

export const findSettingProblems = (declaration: Declaration): ConfigurationProblem[] =>
  declaration.services.flatMap((service, at) => {
    const path = ["services", at];
    const settings = toServiceSettings(declaration, service);
    return [
      ...LIMITS.flatMap((limit) => breach(limit, settings, { service, path })),
      ...RULES.flatMap((rule) => contradiction(rule, settings, { service, path })),
      ...service.checks.flatMap((check, checkAt) => findLatencyProblems(check, settings, [...path, "checks", checkAt])),
    ];
  });

type Name = keyof DeclaredSettings;

interface At {
  readonly service: Service;
  readonly path: Path;
}

/** What an agent's configuration can carry, seconds. */
const LIMITS = [
  { name: "intervalSeconds", key: "intervalMs", min: 0.01, max: 3_600 },
  { name: "recheckSeconds", key: "recheckMs", min: 0.01, max: 3_600 },
  { name: "timeoutSeconds", key: "timeoutMs", min: 0.01, max: 3_600 },
  { name: "reportSeconds", key: "reportMs", min: 0.1, max: 600 },
] as const satisfies readonly { name: Name; key: keyof Settings; min: number; max: number }[];

const breach = ({ name, key, min, max }: (typeof LIMITS)[number], settings: Settings, at: At): ConfigurationProblem[] => {
  const value = settings[key] / 1_000;
  return value >= min && value <= max
    ? []
    : [{ ...placeOf([name], at), message: `${name} is ${value}, it must lie between ${min} and ${max}` }];
};

interface Rule {
  /** Where to point: the last of these that the service declares. */
  readonly names: readonly Name[];
  readonly isBroken: (settings: Settings) => boolean;
  readonly message: (settings: Settings) => string;
  readonly suggestion: (settings: Settings) => string;
}

const seconds = (ms: number): string => `${Math.round(ms) / 1_000} s`;
const evidenceAge = ({ intervalMs, timeoutMs, reportMs }: Settings): number => intervalMs + timeoutMs + reportMs;

const RULES: readonly Rule[] = [
  {
    names: ["intervalSeconds", "timeoutSeconds"],
    isBroken: ({ timeoutMs, intervalMs }) => timeoutMs > intervalMs,
    message: ({ timeoutMs, intervalMs }) =>
      `the timeout, ${seconds(timeoutMs)}, is longer than the interval, ${seconds(intervalMs)}`,
    suggestion: ({ intervalMs }) => `timeoutSeconds at most ${intervalMs / 1_000}`,
  },
  {
    names: ["intervalSeconds", "recheckSeconds"],
    isBroken: ({ recheckMs, intervalMs }) => recheckMs > intervalMs,
    message: ({ recheckMs, intervalMs }) =>
      `the re-check, ${seconds(recheckMs)}, is slower than the interval, ${seconds(intervalMs)}`,
    suggestion: ({ intervalMs }) => `recheckSeconds at most ${intervalMs / 1_000}`,
  },
  {
    names: ["holdMaxSeconds", "holdMinSeconds"],
    isBroken: ({ holdMinMs, holdMaxMs }) => holdMinMs > holdMaxMs,
    message: ({ holdMinMs, holdMaxMs }) =>
      `the shortest hold, ${seconds(holdMinMs)}, is longer than the longest, ${seconds(holdMaxMs)}`,
    suggestion: ({ holdMaxMs }) => `holdMinSeconds at most ${holdMaxMs / 1_000}`,
  },
  {
    names: ["intervalSeconds", "timeoutSeconds", "reportSeconds", "freshnessSeconds"],
    isBroken: (settings) => settings.freshnessMs <= evidenceAge(settings),
    message: (settings) =>
      `evidence is stale after ${seconds(settings.freshnessMs)}, and can be ${seconds(evidenceAge(settings))} old when it arrives ` +
      "(interval + timeout + report): nothing would ever be known",
    suggestion: (settings) => `freshnessSeconds above ${evidenceAge(settings) / 1_000}`,
  },
  {
    names: ["dampingHalfLifeSeconds"],
    isBroken: ({ dampingHalfLifeMs }) => dampingHalfLifeMs <= 0,
    message: () => "penalties need a half-life above 0",
    suggestion: () => "dampingSuppress: null suppresses nothing",
  },
  {
    names: ["dampingSuppress", "dampingReuse"],
    isBroken: ({ dampingSuppress, dampingReuse }) => dampingSuppress !== null && dampingReuse >= dampingSuppress,
    message: ({ dampingSuppress, dampingReuse }) =>
      `dampingReuse, ${dampingReuse}, is not below dampingSuppress, ${dampingSuppress}`,
    suggestion: ({ dampingSuppress }) => `dampingReuse below ${dampingSuppress}`,
  },
  {
    names: ["rampSeconds", "rampStepSeconds"],
    isBroken: ({ rampMs, rampStepMs }) => rampMs > 0 && (rampStepMs <= 0 || rampStepMs > rampMs),
    message: ({ rampMs, rampStepMs }) => `a return of ${seconds(rampMs)} has no room for steps of ${seconds(rampStepMs)}`,
    suggestion: () => "rampSeconds: 0 returns at once; otherwise at least two steps long",
  },
];

/** A profile alone is consistent, so a broken rule that the service says nothing about comes from its TTL, and a warning tells that. */
const contradiction = ({ names, isBroken, message, suggestion }: Rule, settings: Settings, at: At): ConfigurationProblem[] =>
  isBroken(settings) && names.some((name) => at.service.settings?.[name] !== undefined)
    ? [{ ...placeOf(names, at), message: message(settings), suggestion: suggestion(settings) }]
    : [];

const placeOf = (names: readonly Name[], { service, path }: At): Pick<ConfigurationProblem, "path" | "restsOn"> => {
  const name = names.findLast((candidate) => service.settings?.[candidate] !== undefined);
  return {
    path: name === undefined ? path : [...path, "settings", name],
    restsOn: basisOf(path),
  };
};

/** What a service's resolved settings rest on. */
const basisOf = (path: Path): Path[] => [["profile"], [...path, "profile"], [...path, "settings"], [...path, "ttl"]];

const findLatencyProblems = (check: Check, settings: Settings, path: Path): ConfigurationProblem[] => {
  const { latencyWarnMs, latencyCritMs } = check;
  const restsOn = [path, ...basisOf(path.slice(0, 2))];
  const key = latencyCritMs === undefined ? "latencyWarnMs" : "latencyCritMs";
  if (latencyWarnMs !== undefined && latencyCritMs !== undefined && latencyWarnMs > latencyCritMs)
    return [
      {
        path: [...path, "latencyWarnMs"],
        message: `latencyWarnMs, ${latencyWarnMs}, is above latencyCritMs, ${latencyCritMs}`,
        restsOn,
      },
    ];
  const highest = latencyCritMs ?? latencyWarnMs;
  if (highest === undefined || highest < settings.timeoutMs) return [];
  return [
    {
      path: [...path, key],
      message: `${key}, ${highest}, can never be reached: the probe ends after ${settings.timeoutMs} ms`,
      suggestion: `below ${settings.timeoutMs}, or a longer timeoutSeconds`,
      restsOn,
    },
  ];
};
