/** Words in exported names, and how much a port may ask for. */
import { isCode, lineOf, type SourceFile, type Violation, withoutComments } from "./tree.ts";

const BANNED = new Set([
  "status",
  "statuses",
  "data",
  "info",
  "infos",
  "manager",
  "managers",
  "helper",
  "helpers",
  "util",
  "utils",
]);

/** Names that keep such a word because it isn't ours to choose. */
export const NAME_EXCEPTIONS: ReadonlyMap<string, string> = new Map([
  ["toStatus", "it shows what `regent status` prints, and that command is named so in the design"],
  ["watchStatus", "`regent status --watch`"],
  ["getHealthCheckStatus", "the sandbox names its operations as Route 53 does: GetHealthCheckStatus"],
]);

const EXPORTED =
  /^export (?:declare |abstract |async |default )*(?:const|let|function\*?|class|interface|type|enum) ([A-Za-z0-9_$]+)/gm;

const wordsOf = (name: string): readonly string[] =>
  name
    .replace(/([a-z0-9])([A-Z])/g, "$1 $2")
    .replace(/([A-Z]+)([A-Z][a-z])/g, "$1 $2")
    .split(/[\s_]+/)
    .map((word) => word.toLowerCase());

export const findBannedNames = (files: readonly SourceFile[]): readonly Violation[] =>
  files
    .filter(({ path }) => isCode(path))
    .flatMap(({ path, text }) =>
      [...withoutComments(text).matchAll(EXPORTED)].flatMap((found) => {
        const name = found[1] ?? "";
        const word = wordsOf(name).find((part) => BANNED.has(part));
        if (word === undefined || NAME_EXCEPTIONS.has(name)) return [];
        return [`${path}:${lineOf(text, found.index)}: ${name}: "${word}" says nothing; use a word of docs/GLOSSARY.md`];
      }),
    );

/** A port that asks for more is two ports. */
export const PORT_METHODS_MAX = 6;

const INTERFACE = /^export interface ([A-Za-z0-9]+)[^{]*\{\n([\s\S]*?)^\}/gm;
const METHOD = /^ {2}(?:readonly )?[a-zA-Z0-9]+\??(?:: (?:<[^>]*>)?\(|(?:<[^>]*>)?\()/gm;

export const findWidePorts = (files: readonly SourceFile[]): readonly Violation[] =>
  files
    .filter(({ path }) => /\/ports\/[^/]+\.ts$/.test(path))
    .flatMap(({ path, text }) =>
      [...withoutComments(text).matchAll(INTERFACE)].flatMap((found) => {
        const count = [...(found[2] ?? "").matchAll(METHOD)].length;
        if (count <= PORT_METHODS_MAX) return [];
        return [
          `${path}:${lineOf(text, found.index)}: ${found[1]} has ${count} methods, ${PORT_METHODS_MAX} allowed: split it by who calls`,
        ];
      }),
    );
