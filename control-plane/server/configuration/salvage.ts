/**
 * Takes the invalid parts out of a declaration, so that what is left can be cross-checked and all errors are told at once. Pure.
 * Called by check-declaration.ts. The smallest part goes first: a bad optional key alone, a list entry when a key that it needs is bad.
 */
import { Declaration } from "@regent/contract";
import type * as z from "zod";
import { SALVAGE_ROUNDS_MAX } from "./limits.ts";
import { fromZodPath, type Path } from "./problem-path.ts";

export interface Salvage {
  readonly declaration: Declaration;
  /** Paths that were taken out, as written. */
  readonly taken: readonly Path[];
  /** A path of `declaration` as it is in what was written: entries taken out of lists no longer shift the numbers. */
  readonly toWrittenPath: (path: Path) => Path;
}

/** null when nothing can be saved (not a map at all). */
export const salvageDeclaration = (value: unknown): Salvage | null => {
  const copy = clone(value);
  if (!isMap(copy)) return null;
  const work: Work = { root: copy, taken: [], writtenIndexes: new Map() };
  for (let round = 0; round < SALVAGE_ROUNDS_MAX; round += 1) {
    const parsed = Declaration.safeParse(copy);
    if (parsed.success)
      return { declaration: parsed.data, taken: work.taken, toWrittenPath: (path) => toWrittenPath(work, path) };
    takeOut(work, parsed.error.issues);
  }
  return null;
};

/**
 * Stands where the real one was unusable, so that a bad strategy doesn't hide what else is wrong with its service. Findings about these parts
 * rest on a taken path and are never told.
 */
const TOP_FALLBACKS: Readonly<Record<string, unknown>> = {
  regent: 1,
  owner: "unknown",
  zones: [{ id: "UNKNOWN", name: "unknown.invalid" }],
  regions: [{ id: "unknown" }],
};
const SERVICE_FALLBACKS: Readonly<Record<string, unknown>> = {
  strategy: { kind: "round-robin" },
  checks: [{ kind: "tcp", id: "unknown", port: 1 }],
};

const fallbackFor = (path: Path): unknown => {
  const key = String(path.at(-1));
  if (path.length === 1) return TOP_FALLBACKS[key];
  return path.length === 3 && path[0] === "services" ? SERVICE_FALLBACKS[key] : undefined;
};

type Container = Record<string | number, unknown>;

interface Work {
  readonly root: Container;
  readonly taken: Path[];
  /** Per list from which entries were taken: the written index of each that is left. */
  readonly writtenIndexes: Map<unknown, number[]>;
}

const takeOut = (work: Work, issues: readonly z.core.$ZodIssue[]): void => {
  const targets = issues.flatMap((issue) => {
    const path = fromZodPath(issue.path);
    return issue.code === "unrecognized_keys" ? issue.keys.map((key) => [...path, key]) : [existing(work.root, path)];
  });
  // Each once, and from the end of each list, so that the numbers before stay true.
  const once = new Map(targets.map((target) => [JSON.stringify(target), target]));
  for (const target of [...once.values()].sort(compareBackwards)) takeOne(work, target);
};

/** The path itself, or of a missing key the map that lacks it; what stands at the top is replaced instead. */
const existing = (root: Container, path: Path): Path => {
  const at = path.findIndex((_, depth) => !has(readContainer(root, path.slice(0, depth)), path[depth] ?? ""));
  if (at === -1 || fallbackFor(path) !== undefined) return path;
  return path.slice(0, Math.max(at, 1));
};

const takeOne = (work: Work, path: Path): void => {
  const key = path.at(-1);
  const container = readContainer(work.root, path.slice(0, -1));
  if (key === undefined || container === undefined) return;
  const fallback = fallbackFor(path);
  if (!has(container, key) && fallback === undefined) return;
  work.taken.push(toWrittenPath(work, path));
  if (Array.isArray(container) && typeof key === "number") {
    const indexes = work.writtenIndexes.get(container) ?? container.map((_, at) => at);
    indexes.splice(key, 1);
    container.splice(key, 1);
    work.writtenIndexes.set(container, indexes);
  } else if (fallback !== undefined) container[key] = clone(fallback);
  else delete container[key];
};

const toWrittenPath = (work: Work, path: Path): Path => {
  let current: unknown = work.root;
  return path.map((part) => {
    const written = typeof part === "number" ? work.writtenIndexes.get(current)?.[part] : undefined;
    current = isContainer(current) ? current[part] : undefined;
    return written ?? part;
  });
};

const readContainer = (root: Container, path: Path): Container | undefined => {
  let current: unknown = root;
  for (const part of path) current = isContainer(current) && has(current, part) ? current[part] : undefined;
  return isContainer(current) ? current : undefined;
};

const has = (container: Container | undefined, key: string | number): boolean =>
  container !== undefined && Object.hasOwn(container, key);

const isContainer = (value: unknown): value is Container => typeof value === "object" && value !== null;
const isMap = (value: unknown): value is Container => isContainer(value) && !Array.isArray(value);

/** Shared parts (aliases) become separate ones, so that taking a piece out of one leaves the other alone. */
export const clone = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(clone);
  if (!isContainer(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, clone(part)]));
};

const compareBackwards = (a: Path, b: Path): number => {
  for (let at = 0; at < Math.min(a.length, b.length); at += 1) {
    const [left, right] = [a[at], b[at]];
    if (left === right) continue;
    if (typeof left === "number" && typeof right === "number") return right - left;
    return String(left) < String(right) ? -1 : 1;
  }
  return b.length - a.length;
};
