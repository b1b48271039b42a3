/** Which package may import which (DESIGN: arrows point inward only), and which folder inside a package may import which. */
import { findImports, type Import, resolveRelative } from "./imports.ts";
import { isCode, isTest, type SourceFile, type Violation } from "./tree.ts";

const FOLDER_BY_PACKAGE = {
  contract: "control-plane/contract",
  engine: "control-plane/engine",
  server: "control-plane/server",
  simulation: "control-plane/simulation",
  cli: "control-plane/cli",
  agents: "agents",
  sandbox: "infra/sandbox",
  dashboard: "dashboard",
} as const;

export type PackageName = keyof typeof FOLDER_BY_PACKAGE;
const PACKAGES = Object.keys(FOLDER_BY_PACKAGE) as readonly PackageName[];

const MAY_IMPORT: Readonly<Record<PackageName, readonly PackageName[]>> = {
  contract: [],
  engine: ["contract"],
  server: ["contract", "engine"],
  simulation: ["contract", "engine", "server", "agents"],
  cli: PACKAGES,
  agents: ["contract", "engine"],
  // Nothing of ours, so that it can't share a mistake with the adapter it tests. Its tests neither.
  sandbox: [],
  dashboard: ["contract", "engine"],
};

/** A test may start the real neighbour. */
const TEST_MAY_IMPORT: Partial<Readonly<Record<PackageName, readonly PackageName[]>>> = {
  server: ["sandbox", "agents"],
  agents: ["sandbox"],
};

/** What agents may have of the engine: the streak is counted where the probe runs. */
const STREAK = /^(@regent\/engine\/(health\/)?streak(\.ts)?|control-plane\/engine\/health\/streak\.ts)$/;

/** What a virtual world may have of the agents: what they decide, and the limits of the runtime whose timers it plays. No probe, no socket. */
const AGENT_CORE = /^@regent\/agents\/(core\/|runtimes\/node\/limits\.ts$)/;

export const packageOf = (path: string): PackageName | undefined =>
  PACKAGES.find((name) => path.startsWith(`${FOLDER_BY_PACKAGE[name]}/`));

const targetOf = (from: string, specifier: string): PackageName | "elsewhere" | undefined => {
  const named = /^@regent\/([a-z-]+)(\/|$)/.exec(specifier)?.[1];
  if (named !== undefined) return PACKAGES.find((name) => name === named) ?? "elsewhere";
  const path = resolveRelative(from, specifier);
  if (path === undefined) return undefined;
  return packageOf(path) ?? "elsewhere";
};

const objectionTo = (path: string, own: PackageName, { specifier, isType }: Import): string | undefined => {
  const target = targetOf(path, specifier);
  if (target === undefined || target === own) return undefined;
  if (target === "elsewhere") return `"${specifier}" lies outside the packages`;
  const allowed = [...MAY_IMPORT[own], ...(isTest(path) ? (TEST_MAY_IMPORT[own] ?? []) : [])];
  if (!allowed.includes(target)) return `${own} must not import ${target} ("${specifier}")`;
  if (own === "engine" && !isType) return `the engine takes types only: write \`import type\` for "${specifier}"`;
  if (own === "agents" && target === "engine" && !isTest(path) && !STREAK.test(specifier))
    return `agents have only engine/health/streak, not "${specifier}"`;
  if (own === "simulation" && target === "agents" && !isTest(path) && !AGENT_CORE.test(specifier))
    return `a simulation has only agents/core of the agents, not "${specifier}"`;
  return undefined;
};

export const findArrowViolations = (files: readonly SourceFile[]): readonly Violation[] =>
  files.flatMap((file) => {
    const own = packageOf(file.path);
    if (own === undefined || !isCode(file.path)) return [];
    return findImports(file).flatMap((found) => {
      const objection = objectionTo(file.path, own, found);
      return objection === undefined ? [] : [`${file.path}:${found.line}: ${objection}`];
    });
  });

interface InnerRule {
  readonly from: RegExp;
  readonly to: RegExp;
  readonly why: string;
  /** These may: they put things together. */
  readonly except?: RegExp;
}

const INNER_RULES: readonly InnerRule[] = [
  {
    from: /^control-plane\/server\//,
    except: /^control-plane\/server\/(main\.ts|adapters\/)/,
    to: /^control-plane\/server\/adapters\//,
    why: "adapters are built in main.ts and reached through ports",
  },
  {
    from: /^control-plane\/server\/ports\//,
    to: /^control-plane\/server\/(?!ports\/|limits\.ts)/,
    why: "a port knows nothing of who fulfils it or asks it",
  },
  {
    from: /^control-plane\/server\/operations\//,
    to: /^control-plane\/server\/(http|loop|access|main\.ts)/,
    why: "an operation doesn't know who calls it",
  },
  { from: /^agents\/core\//, to: /^agents\/(probes|runtimes)\//, why: "the core is pure: probes and runtimes call it" },
  { from: /^agents\/probes\//, to: /^agents\/runtimes\//, why: "a probe runs in every runtime" },
];

export const findLayerViolations = (files: readonly SourceFile[]): readonly Violation[] =>
  files.flatMap((file) => {
    if (!isCode(file.path) || isTest(file.path)) return [];
    const rules = INNER_RULES.filter(({ from, except }) => from.test(file.path) && !except?.test(file.path));
    return findImports(file).flatMap(({ specifier, line }) => {
      const to = resolveRelative(file.path, specifier);
      if (to === undefined) return [];
      return rules
        .filter((rule) => rule.to.test(to))
        .map(({ why }) => `${file.path}:${line}: must not import "${specifier}": ${why}`);
    });
  });
