/** The repository as plain values: rules get these files and return violations, so each rule can be shown a bad file in a test. */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, statSync } from "node:fs";
import { join, resolve } from "node:path";

export interface SourceFile {
  /** From the root, with slashes. */
  readonly path: string;
  readonly text: string;
}

/** One sentence that starts with the path and says what to do instead. */
export type Violation = string;

export const ROOT = resolve(import.meta.dirname, "../..");

/** Longer files are data (a lock file, an embedded asset), and no rule has anything to say about them. */
const BYTES_MAX = 1_000_000;

/** What a commit would hold: tracked files, and new ones that nothing ignores. */
export const listPaths = (): readonly string[] =>
  execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard", "-z"], { cwd: ROOT, encoding: "utf8" })
    .split("\0")
    .filter((path) => path !== "" && existsSync(join(ROOT, path)) && statSync(join(ROOT, path)).isFile());

export const readFiles = (): readonly SourceFile[] =>
  [...new Set(listPaths())]
    .filter((path) => statSync(join(ROOT, path)).size <= BYTES_MAX)
    .map((path) => ({ path, text: readFileSync(join(ROOT, path), "utf8") }));

export const isCode = (path: string): boolean => /\.(ts|tsx|mts|mjs|js|cjs)$/.test(path) && !path.endsWith(".d.ts");

/** Tests, and what only tests load. */
export const isTest = (path: string): boolean =>
  /\.(test|suite)\.tsx?$/.test(path) ||
  /(^|\/)(testing|suites|e2e|conformance|bench)\//.test(path) ||
  /(^|\/)(test-[^/]+|testing\.ts)$/.test(path);

/** Comments become blanks, so that a rule meets code only and line numbers stay. Strings stay as they are. */
export const withoutComments = (text: string): string =>
  text.replace(/\/\*[\s\S]*?\*\/|(^|[\s;,{}()[\]])\/\/[^\n]*/g, (found, before: string | undefined) =>
    before === undefined ? found.replace(/[^\n]/g, " ") : before,
  );

export const lineOf = (text: string, index: number): number => text.slice(0, index).split("\n").length;
