/** What zod says of a value that isn't a declaration, in words that help whoever wrote it. Pure. */
import type * as z from "zod";
import { findKnownKeys } from "./known-keys.ts";
import { DECLARATION_ERRORS_MAX } from "./limits.ts";
import { suggestNearest } from "./nearest.ts";
import { type ConfigurationProblem, fromZodPath, type Path, readAt, toValueText } from "./problem-path.ts";

type Issue = z.core.$ZodIssue;

export const toShapeProblems = (issues: readonly Issue[], value: unknown): ConfigurationProblem[] => {
  const problems = issues.flatMap((issue) => toProblems(issue, value, []));
  // Two rules of one field may both complain (a key that is no base64 and too short): the first says enough.
  const seen = new Set<string>();
  return problems.filter(({ path, isAboutKey }) => {
    const key = JSON.stringify([path, isAboutKey === true]);
    return seen.has(key) ? false : seen.add(key);
  });
};

const toProblems = (issue: Issue, root: unknown, base: Path): ConfigurationProblem[] => {
  const path = [...base, ...fromZodPath(issue.path)];
  const value = readAt(root, path);
  switch (issue.code) {
    case "unrecognized_keys":
      return toKeyProblems(issue.keys, path, findKnownKeys(root, path));
    case "invalid_union":
      return fromUnion(issue, { root, path, value });
    case "invalid_key":
      return [
        { path, message: `the key ${toValueText(path.at(-1))} is not accepted (${first(issue.issues)})`, isAboutKey: true },
      ];
    case "invalid_value":
      return value === undefined ? [missing(path)] : [{ path, ...notOneOf(value, issue.values) }];
    case "invalid_type":
      return value === undefined ? [missing(path)] : [{ path, ...wrongType(value, [issue.expected]) }];
    case "too_small":
      return [{ path, message: outOfRange(issue.origin, value, `at least ${issue.minimum}`, issue.message) }];
    case "too_big":
      return [{ path, message: outOfRange(issue.origin, value, `at most ${issue.maximum}`, issue.message) }];
    default:
      return [{ path, message: `${toValueText(value)} is not accepted (${issue.message})` }];
  }
};

/** A map with a hundred unknown keys isn't a declaration; each costs a search for its line. */
const toKeyProblems = (keys: readonly string[], path: Path, known: readonly string[]): ConfigurationProblem[] =>
  keys.slice(0, DECLARATION_ERRORS_MAX).map((key) => ({
    path: [...path, key],
    message: `unknown key "${key}"`,
    suggestion: suggestNearest(key, known) ?? listKeys(known),
    isAboutKey: true,
  }));

type Union = Extract<Issue, { code: "invalid_union" }>;

const fromUnion = (issue: Union, at: { root: unknown; path: Path; value: unknown }): ConfigurationProblem[] => {
  const { root, path, value } = at;
  if (issue.errors.length === 0) {
    const options = "options" in issue && Array.isArray(issue.options) ? issue.options : [];
    return value === undefined ? [missing(path, options)] : [{ path, ...notOneOf(value, options) }];
  }
  // The alternative that was meant is the one whose complaint lies deeper than "this is another type".
  const meant = issue.errors.find((errors) => !errors.some((error) => error.code === "invalid_type" && error.path.length === 0));
  if (meant !== undefined) return meant.flatMap((error) => toProblems(error, root, path));
  const expected = issue.errors.flatMap((errors) => errors.flatMap((error) => ("expected" in error ? [error.expected] : [])));
  return [{ path, ...wrongType(value, expected) }];
};

const missing = (path: Path, options: readonly unknown[] = []): ConfigurationProblem => ({
  path,
  message: `"${String(path.at(-1))}" is missing`,
  ...(options.length === 0 ? {} : { suggestion: `one of ${options.join(", ")}` }),
});

const notOneOf = (value: unknown, known: readonly unknown[]): { message: string; suggestion?: string | undefined } => ({
  message:
    known.length === 1 ? `${toValueText(value)} must be ${known[0]}` : `${toValueText(value)} is not one of ${known.join(", ")}`,
  suggestion: suggestNearest(String(value), known.map(String)),
});

const TYPE_WORDS: Readonly<Record<string, string>> = {
  string: "a text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  array: "a list",
  object: "a map of keys",
  record: "a map of keys",
  null: "empty",
};

const wrongType = (value: unknown, expected: readonly string[]): { message: string; suggestion?: string | undefined } => ({
  message: `must be ${expected.map((type) => TYPE_WORDS[type] ?? type).join(" or ")}, not ${describe(value)}`,
  suggestion: suggestType(value, expected),
});

const describe = (value: unknown): string => {
  if (value === null) return "empty";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object") return "a map of keys";
  return `${typeof value === "string" ? "the text " : ""}${toValueText(value)}`;
};

const suggestType = (value: unknown, expected: readonly string[]): string | undefined => {
  const isScalar = typeof value === "string" || typeof value === "number";
  if (isScalar && expected.includes("array")) return `write a list: [${value}]`;
  if (typeof value === "string" && value.trim() !== "" && Number.isFinite(Number(value)) && expected[0] !== "string")
    return "write it without quotes";
  if ((typeof value === "number" || typeof value === "boolean") && expected[0] === "string")
    return `put it in quotes: "${value}"`;
  return undefined;
};

const outOfRange = (origin: string, value: unknown, bound: string, message: string): string => {
  // A message of our own schema says more than the bound does.
  if (!message.startsWith("Too ")) return `${toValueText(value)} is not accepted (${message})`;
  if (origin === "array") return `must have ${bound} entries, has ${Array.isArray(value) ? value.length : 0}`;
  if (origin === "string") return `must have ${bound} characters, has ${String(value).length}`;
  return `${toValueText(value)} must be ${bound}`;
};

const listKeys = (keys: readonly string[]): string | undefined =>
  keys.length === 0 ? undefined : `known here: ${keys.join(", ")}`;

const first = (issues: readonly Issue[]): string => issues[0]?.message ?? "not valid";
