/** Finds what a file imports. By its text: the compiler that could say so has no JavaScript API, and the formatter keeps imports regular. */
import { posix } from "node:path";
import { lineOf, type SourceFile, withoutComments } from "./tree.ts";

export interface Import {
  readonly specifier: string;
  /** `import type` or `export type`: nothing of it is left in what runs. */
  readonly isType: boolean;
  readonly line: number;
}

const STATEMENT = /^(?:import|export)\s+(type\s+)?(?:[^;'"`]*?\sfrom\s+)?["']([^"']+)["']/gm;
const DYNAMIC = /\b(?:import|require|require\.resolve)\(\s*["']([^"']+)["']/g;
/** Code only: a test may read a document. */
const FILE_URL = /new URL\(\s*["'](\.[^"']+\.[mc]?[jt]sx?)["'],\s*import\.meta\.url/g;

export const findImports = ({ text }: SourceFile): readonly Import[] => {
  const code = withoutComments(text);
  const at = (index: number): number => lineOf(code, index);
  return [
    ...[...code.matchAll(STATEMENT)].map((found) => ({
      specifier: found[2] ?? "",
      isType: found[1] !== undefined,
      line: at(found.index),
    })),
    ...[DYNAMIC, FILE_URL].flatMap((pattern) =>
      [...code.matchAll(pattern)].map((found) => ({ specifier: found[1] ?? "", isType: false, line: at(found.index) })),
    ),
  ];
};

/** The imported file from the root, or undefined for a package. */
export const resolveRelative = (from: string, specifier: string): string | undefined =>
  specifier.startsWith(".") ? posix.normalize(posix.join(posix.dirname(from), specifier)) : undefined;
