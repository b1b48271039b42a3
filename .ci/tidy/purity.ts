/** What the compiler can't see: the engine's purity beyond missing types, and who may read the environment. */
import { isCode, isTest, lineOf, type SourceFile, type Violation, withoutComments } from "./tree.ts";

interface Ban {
  readonly pattern: RegExp;
  readonly cure: string;
}

const IMPURITIES: readonly Ban[] = [
  { pattern: /\bDate\s*\.\s*now\b|\bnew Date\(\s*\)|\bDate\(\s*\)/g, cure: "take `now: Instant` as an argument" },
  { pattern: /\bMath\s*\.\s*random\b/g, cure: "take what chance decided as an argument" },
  {
    pattern: /\b(setTimeout|setInterval|queueMicrotask|fetch|process|globalThis)\b\s*[.(]/g,
    cure: "return what to do; the shell does it",
  },
  { pattern: /\b(async|await)\s/g, cure: "the engine waits for nothing" },
  { pattern: /\bfrom\s+"node:/g, cure: "the engine runs in a browser too" },
  { pattern: /^(export )?let\s/gm, cure: "a module-level variable is a memory: take it as an argument" },
];

const findBans = (file: SourceFile, bans: readonly Ban[]): readonly Violation[] => {
  const code = withoutComments(file.text);
  return bans.flatMap(({ pattern, cure }) =>
    [...code.matchAll(pattern)].map((found) => `${file.path}:${lineOf(code, found.index)}: "${found[0].trim()}": ${cure}`),
  );
};

const isEngine = (path: string): boolean => path.startsWith("control-plane/engine/") && isCode(path) && !isTest(path);

export const findImpurities = (files: readonly SourceFile[]): readonly Violation[] =>
  files.filter(({ path }) => isEngine(path)).flatMap((file) => findBans(file, IMPURITIES));

/** The core of an agent runs in a Worker and in a simulated world: it reads no clock and draws no lots either. */
export const findAgentCoreImpurities = (files: readonly SourceFile[]): readonly Violation[] =>
  files
    .filter(({ path }) => path.startsWith("agents/core/") && isCode(path) && !isTest(path))
    .flatMap((file) => findBans(file, IMPURITIES.slice(0, 2)));

/** Files that start a process, and those that turn the environment into a checked value. */
const READS_ENVIRONMENT = /(^|\/)(main|config|agent|process-life)\.m?ts$|^control-plane\/cli\/|^\.ci\/|(^|\/)[a-z.-]*config\.ts$/;
/** Node takes the number of its threads from the environment alone, and name resolution has to know it. */
const NODES_OWN = /\bprocess\.env\.UV_THREADPOOL_SIZE\b/g;
/** Handing the whole environment on to a child reads nothing of it. */
const HANDED_ON = /\.\.\.process\.env\b/g;

export const findEnvironmentReads = (files: readonly SourceFile[]): readonly Violation[] =>
  files
    .filter(({ path }) => isCode(path) && !isTest(path) && !READS_ENVIRONMENT.test(path))
    .map((file) => ({ ...file, text: blank(blank(file.text, HANDED_ON), NODES_OWN) }))
    .flatMap((file) => findBans(file, [{ pattern: /\bprocess\.env\b/g, cure: "read the environment in main.ts or config.ts" }]));

/** Same length, so that line numbers stay. */
const blank = (text: string, pattern: RegExp): string => text.replace(pattern, (found) => " ".repeat(found.length));
