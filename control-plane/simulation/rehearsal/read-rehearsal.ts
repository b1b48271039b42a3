/** A rehearsal file as text to something that can be run, or all of its errors at once, each with its line. Reads its configuration by `readConfig`. */
import type { Declaration } from "@regent/contract";
import { checkDeclaration } from "@regent/server/configuration/check-declaration.ts";
import { suggestNearest } from "@regent/server/configuration/nearest.ts";
import { parseDeclaration, toErrorLines } from "@regent/server/configuration/parse-declaration.ts";
import { fromZodPath, type Path, toPathText, toValueText } from "@regent/server/configuration/problem-path.ts";
import { type DeclarationError, readYaml } from "@regent/server/configuration/yaml-source.ts";
import type * as z from "zod";
import { REHEARSAL_EVENTS_MAX, REHEARSAL_MS_MAX, REHEARSAL_STEP_MS_MAX, REHEARSAL_STEP_MS_MIN, WARM_UP_MS } from "../limits.ts";
import { type Installation, toInstallation } from "../world/stationing.ts";
import { compile } from "./compile.ts";
import { toList } from "./names.ts";
import type { ConfigurationLine, Rehearsal } from "./rehearsal.ts";
import { type Scope, toMoment } from "./scope.ts";
import { setValue } from "./set-value.ts";
import { WrittenRehearsal } from "./shape.ts";
import { momentText, toMs } from "./time.ts";

export type ReadRehearsal =
  | { readonly kind: "valid"; readonly rehearsal: Rehearsal }
  /** `tonight.yaml:12:9 outcomes[3].what: …`, in the order of the file. */
  | { readonly kind: "invalid"; readonly lines: readonly string[] };

/** Text of a file named as seen from the rehearsal's; null when it can't be read. */
export type ReadConfig = (path: string) => Promise<{ readonly text: string; readonly fileName: string } | null>;

interface Finding {
  readonly path: Path;
  readonly message: string;
  readonly at: "key" | "value";
}

/** Never throws, whatever the text. `vary` makes another configuration of each version, as if it had been written so. */
export const readRehearsal = async (
  text: string,
  fileName: string,
  readConfig: ReadConfig,
  vary: (written: unknown) => unknown = (written) => written,
): Promise<ReadRehearsal> => {
  const invalid = (errors: readonly DeclarationError[], more: readonly string[] = []): ReadRehearsal => {
    const inOrder = [...errors].sort((a, b) => a.line - b.line || a.column - b.column);
    return { kind: "invalid", lines: [...toErrorLines({ kind: "invalid", fileName, errors: inOrder }), ...more] };
  };
  const source = readYaml(text);
  if (source.kind === "unreadable") return invalid(source.errors);
  const findings: Finding[] = [];
  const placed = (): DeclarationError[] => [
    ...source.errors,
    ...findings.map(({ path, message, at }) => ({ path: toPathText(path), message, ...source.place(path, at) })),
  ];
  const find = (path: Path, message: string): void => void findings.push({ path, message, at: "value" });
  const parsed = WrittenRehearsal.safeParse(source.value);
  if (!parsed.success) {
    findings.push(...parsed.error.issues.flatMap((issue) => toFindings(issue, source.value)));
    return invalid(placed());
  }
  const written = parsed.data;
  const times = checkTimes(written, find);
  const given = await readGiven(written, readConfig, find);
  if (given.kind === "invalid") return invalid(placed(), given.lines);
  const base = { ...times, find, lineOf: (path: Path) => source.place(path).line };
  const versions = applySets(written, given.value, vary, base);
  if (versions === null) return invalid(placed());
  const scope: Scope = { ...base, declaration: versions.first.applied.declaration };
  const compiled = compile(written, scope);
  checkCost(versions.first, times.forMs, find);
  if (findings.length > 0 || source.errors.length > 0) return invalid(placed());
  const { name, why, seed, hook } = written;
  const { first: installation, later: configuration } = versions;
  return {
    kind: "valid",
    rehearsal: { fileName, name, why: why ?? null, seed, hook, ...times, installation, configuration, ...compiled },
  };
};

/** Keys and values that don't belong; what zod says of a union is the last of its choices, the one for text. */
const toFindings = (issue: z.core.$ZodIssue, root: unknown): Finding[] => {
  const path = fromZodPath(issue.path);
  if (issue.code === "unrecognized_keys")
    return issue.keys.map((key) => {
      const known = suggestNearest(key, KEYS);
      return { path: [...path, key], message: `unknown key "${key}"${known === undefined ? "" : `; ${known}`}`, at: "key" };
    });
  const value = path.reduce<unknown>((node, part) => (node as Readonly<Record<string, unknown>> | undefined)?.[part], root);
  const said = issue.code === "invalid_union" ? (issue.errors.at(-1)?.[0]?.message ?? issue.message) : issue.message;
  return [{ path, message: value === undefined ? `missing (${said})` : `${toValueText(value)}: ${said}`, at: "value" }];
};

const KEYS = [...Object.keys(WrittenRehearsal.shape), "vantages", "services", "regions", "checks", "what", "latency", "exactly"];

const checkTimes = (written: WrittenRehearsal, find: Scope["find"]): { readonly stepMs: number; readonly forMs: number } => {
  const [stepMs, forMs] = [toMs(written.step), toMs(written.for)];
  if (stepMs < REHEARSAL_STEP_MS_MIN || stepMs > REHEARSAL_STEP_MS_MAX)
    find(["step"], `a step lasts ${REHEARSAL_STEP_MS_MIN} ms to ${REHEARSAL_STEP_MS_MAX / 3_600_000} h`);
  if (forMs < stepMs) find(["for"], "it lasts less than one step");
  if (forMs > REHEARSAL_MS_MAX) find(["for"], `it lasts longer than ${REHEARSAL_MS_MAX / 86_400_000} days`);
  return { stepMs, forMs };
};

// ------------------------------------------------------------------------------------------------ configuration

type Given =
  | { readonly kind: "given"; readonly value: unknown }
  | { readonly kind: "invalid"; readonly lines: readonly string[] };

const readGiven = async (written: WrittenRehearsal, readConfig: ReadConfig, find: Scope["find"]): Promise<Given> => {
  const { config, declaration } = written;
  if ((config === undefined) === (declaration === undefined)) {
    find([], "a rehearsal names a `config`, or holds a `declaration`: one of the two");
    return { kind: "invalid", lines: [] };
  }
  if (config === undefined) return { kind: "given", value: declaration };
  const file = await readConfig(config);
  if (file === null) {
    find(["config"], `${config} can't be read`);
    return { kind: "invalid", lines: [] };
  }
  const parsed = parseDeclaration(file.text, file.fileName);
  if (parsed.kind === "invalid") return { kind: "invalid", lines: toErrorLines(parsed) };
  const source = readYaml(file.text);
  return { kind: "given", value: source.kind === "read" ? source.value : null };
};

interface Versions {
  readonly first: Installation;
  readonly later: readonly ConfigurationLine[];
}

/** Every `set` in the order of its moment; those at 0 are the configuration that the timeline begins with. Null when one is wrong. */
const applySets = (
  written: WrittenRehearsal,
  given: unknown,
  vary: (written: unknown) => unknown,
  scope: Omit<Scope, "declaration">,
): Versions | null => {
  const lines = written.configuration
    .map((line, index) => {
      const path = ["configuration", index];
      return { ...line, path, atMs: toMoment(line.at, [...path, "at"], { ...scope, declaration: null as never }) };
    })
    .sort((a, b) => a.atMs - b.atMs);
  let value = given;
  const set = (line: (typeof lines)[number]): boolean => {
    for (const assignment of toList(line.set)) {
      const placed = setValue(value, assignment);
      if (placed.kind === "wrong") {
        scope.find([...line.path, "set"], placed.why);
        return false;
      }
      value = placed.value;
    }
    return true;
  };
  for (const line of lines.filter(({ atMs }) => atMs === 0)) if (!set(line)) return null;
  const base = written.declaration === undefined ? ["config"] : ["declaration"];
  const declaration = check(vary(value), written.declaration === undefined ? null : base, scope, base);
  if (declaration === null) return null;
  const first = toInstallation(declaration, 1);
  const later: ConfigurationLine[] = [];
  for (const line of lines.filter(({ atMs }) => atMs > 0)) {
    const next = set(line) ? check(vary(value), null, scope, line.path) : null;
    if (next === null) return null;
    const installation = toInstallation(next, later.length + 2);
    if (JSON.stringify(installation.agents) !== JSON.stringify(first.agents))
      scope.find(line.path, "this changes what agents probe or when: a rehearsal can only do that at 0s");
    later.push({ atMs: line.atMs, installation, text: toList(line.set).join(", ") });
  }
  return { first, later };
};

/** `inside`: where the value stands in this file, so that its problems have lines of their own; null: told at `place`. */
const check = (value: unknown, inside: Path | null, { find }: Pick<Scope, "find">, place: Path): Declaration | null => {
  const checked = checkDeclaration(value);
  if (checked.kind === "valid") return checked.declaration;
  for (const { path, message, suggestion } of checked.problems) {
    const words = suggestion === undefined ? message : `${message}; ${suggestion}`;
    find(inside === null ? place : [...inside, ...path], inside === null ? `${toPathText(path)}: ${words}` : words);
  }
  return null;
};

/** A bound from above: every check probed as often as a falling one, every agent reporting as often as it may. */
const checkCost = ({ agents, applied }: Installation, forMs: number, find: Scope["find"]): void => {
  if (agents.length === 0) find([], "the configuration declares no agents: nothing would be seen");
  if (applied.specs.size === 0) find([], "the configuration declares no services: nothing would be decided");
  const perMs = agents.reduce(
    (sum, { assignments, reportIntervalMs }) =>
      sum +
      1 / reportIntervalMs +
      assignments.reduce((all, { cadence }) => all + 1 / Math.min(cadence.intervalMs, cadence.recheckMs), 0),
    0,
  );
  const events = Math.ceil(perMs * (forMs + WARM_UP_MS));
  if (events > REHEARSAL_EVENTS_MAX)
    find(
      ["for"],
      `${momentText(forMs).slice(1)} of this configuration may take ${events.toLocaleString("en")} probes and reports; at most ${REHEARSAL_EVENTS_MAX.toLocaleString("en")}: rehearse less time, or fewer services`,
    );
};
