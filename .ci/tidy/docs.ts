/** Every path that a document names must exist: a map with a wrong street is worse than none. */
import { posix } from "node:path";
import { lineOf, type SourceFile, type Violation } from "./tree.ts";

/** First parts that mean "a path of this repository". */
const TOP = /^(control-plane|agents|infra|dashboard|docs|\.ci)\//;
const SOURCE_ENDING = /\.(ts|tsx|mjs|js|json|md|sql|yaml|yml)$/;
const PATH = /^[\w.@-]+(\/[\w.@-]+)+\/?$/;
const LINK = /\]\((?!https?:|mailto:|#)([^)\s#]+)(?:#[^)\s]*)?\)/g;

/** Fenced code is an example of what one types, often in another place: only prose is held to this. */
const withoutFences = (text: string): string => text.replace(/^```[\s\S]*?^```/gm, (found) => found.replace(/[^\n]/g, " "));

const looksLikePath = (text: string): boolean => PATH.test(text) && (TOP.test(text) || SOURCE_ENDING.test(text));

export const findDeadPaths = (files: readonly SourceFile[], paths: ReadonlySet<string>): readonly Violation[] => {
  const folders = new Set(
    [...paths].flatMap((path) => path.split("/").map((_, index, parts) => parts.slice(0, index).join("/"))),
  );
  const exists = (path: string): boolean => paths.has(path) || folders.has(path.replace(/\/$/, ""));
  return files
    .filter(({ path }) => path.endsWith(".md"))
    .flatMap(({ path, text }) => {
      const prose = withoutFences(text);
      const named = [...prose.matchAll(/`([^`\n]+)`/g)].map((found) => ({
        name: (found[1] ?? "").replace(/:\d+$/, ""),
        index: found.index,
      }));
      const linked = [...prose.matchAll(LINK)].map((found) => ({
        name: posix.normalize(posix.join(posix.dirname(path), found[1] ?? "")),
        index: found.index,
      }));
      return [...named.filter(({ name }) => looksLikePath(name)), ...linked]
        .filter(({ name }) => !exists(name))
        .map(({ name, index }) => `${path}:${lineOf(prose, index)}: ${name} doesn't exist`);
    });
};

const VARIABLE = /^ {2}([A-Z][A-Z0-9_]{3,}):/gm;

/** What an operator may set must be told: the variables of the server's schema against the page's table. */
export const findUntoldVariables = (config: string, page: string): readonly Violation[] =>
  [...config.matchAll(VARIABLE)]
    .map((found) => found[1] ?? "")
    .filter((name) => !page.includes(`| \`${name}\` |`))
    .map((name) => `docs/OPERATIONS.md: ${name} is missing in the server's table`);

const SHOWN_BY = /^\|.*\| `([^`]+\.test\.ts)`(?:: "([^"]+)")? \|$/gm;

/** A row of the failure table that names a test must name one that is there. */
export const findUnshownFailures = (page: string, files: readonly SourceFile[]): readonly Violation[] => {
  const textByPath = new Map(files.map(({ path, text }) => [path, text]));
  return [...page.matchAll(SHOWN_BY)]
    .filter(([, path = "", title = ""]) => !(textByPath.get(path)?.includes(title) ?? false))
    .map(([, path, title]) => `docs/OPERATIONS.md: ${path} shows no "${title}"`);
};
