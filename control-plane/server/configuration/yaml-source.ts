/**
 * YAML text to a plain value that remembers its lines. Pure. Called by parse-declaration.ts.
 * Bounded: size, depth and aliases are limited, tags and self-references refused, duplicate keys found here because the parser's own check
 * takes quadratic time.
 */
import {
  Composer,
  type CST,
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  Parser,
  visit,
  YAMLParseError,
} from "yaml";
import { DECLARATION_ALIASES_MAX, DECLARATION_BYTES_MAX, DECLARATION_DEPTH_MAX, DECLARATION_ERRORS_MAX } from "./limits.ts";
import { type Path, toPathText } from "./problem-path.ts";

/** One error, placed for a person: lines and columns count from 1. `path` is empty where the text as a whole is meant. */
export interface DeclarationError {
  readonly path: string;
  readonly message: string;
  readonly line: number;
  readonly column: number;
  readonly suggestion?: string;
}

export interface Place {
  readonly line: number;
  readonly column: number;
}

export type YamlSource =
  | { readonly kind: "unreadable"; readonly errors: readonly DeclarationError[] }
  | {
      readonly kind: "read";
      readonly value: unknown;
      /** Duplicate keys: wrong, but the rest can be read. */
      readonly errors: readonly DeclarationError[];
      /** Where a path stands; of a path that isn't there, its nearest parent. `key`: the key rather than its value. */
      readonly place: (path: Path, at?: "key" | "value") => Place;
    };

export const readYaml = (text: string): YamlSource => {
  if (Buffer.byteLength(text) > DECLARATION_BYTES_MAX)
    return unreadable(`the file is larger than ${DECLARATION_BYTES_MAX / 1024 / 1024} MiB`);
  const lines = new LineCounter();
  const document = compose(text, lines);
  const toPlace = (offset: number): Place => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  };
  const broken = [...document.errors, ...document.warnings].slice(0, DECLARATION_ERRORS_MAX);
  if (broken.length > 0)
    return { kind: "unreadable", errors: broken.map((error) => ({ path: "", ...toWords(error), ...toPlace(error.pos[0]) })) };
  if (document.contents === null) return unreadable("the file is empty");

  const findings = inspect(document);
  const errors = findings.map(({ path, message, offset }) => ({ path: toPathText(path), message, ...toPlace(offset) }));
  if (findings.some(({ isFatal }) => isFatal)) return { kind: "unreadable", errors: errors.slice(0, DECLARATION_ERRORS_MAX) };
  try {
    const value: unknown = document.toJS({ maxAliasCount: DECLARATION_ALIASES_MAX });
    return { kind: "read", value, errors, place: (path, at = "value") => toPlace(findOffset(document, path, at)) };
  } catch (error) {
    // The parser throws a ReferenceError when aliases multiply beyond the limit.
    if (error instanceof ReferenceError) return unreadable(TOO_MANY_ALIASES);
    throw error;
  }
};

/**
 * The library's parseDocument, except that it stops reading at the hundredth stray token: a file of brackets would otherwise hold the process
 * for many seconds.
 */
const compose = (text: string, lines: LineCounter): Document => {
  const composer = new Composer({
    version: "1.2",
    schema: "core",
    merge: false,
    resolveKnownTags: false,
    uniqueKeys: false,
    logLevel: "error",
  });
  const [document, second] = withoutStacks(() => [
    ...composer.compose(untilBroken(new Parser(lines.addNewLine).parse(text)), true, text.length),
  ]);
  if (document === undefined) throw new Error("The composer was told to make a document of anything, and made none.");
  if (second !== undefined) document.errors.push(new YAMLParseError([second.range[0], second.range[1]], "MULTIPLE_DOCS", ""));
  return document;
};

/** The composer makes an error of every stray quote and tells them all at the end: a megabyte of them took 7 s, most of it for their stacks. */
const withoutStacks = <T>(run: () => T): T => {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    return run();
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
};

function* untilBroken(tokens: Iterable<CST.Token>): Generator<CST.Token> {
  let errors = 0;
  for (const token of tokens) {
    yield token;
    if (token.type === "error") errors += 1;
    if (errors >= DECLARATION_ERRORS_MAX) return;
  }
}

const TOO_MANY_ALIASES = `more than ${DECLARATION_ALIASES_MAX} uses of anchored values (&name, *name)`;
const TOO_DEEP = `nested deeper than ${DECLARATION_DEPTH_MAX} levels`;

const unreadable = (message: string): YamlSource => ({
  kind: "unreadable",
  errors: [{ path: "", message, line: 1, column: 1 }],
});

const toWords = ({ code, message }: { code: string; message: string }): { message: string; suggestion?: string } => {
  switch (code) {
    case "RESOURCE_EXHAUSTION":
      return { message: TOO_DEEP };
    case "TAG_RESOLVE_FAILED":
      return { message: "tags (!name) are not accepted", suggestion: "write the plain value" };
    case "TAB_AS_INDENT":
      return { message: "a tab is not accepted as indentation", suggestion: "indent with spaces" };
    case "MULTIPLE_DOCS":
      return { message: "a second document starts here (---)", suggestion: "one file holds one declaration" };
    default:
      return { message: `not valid YAML: ${message}` };
  }
};

interface Finding {
  readonly path: Path;
  readonly message: string;
  readonly offset: number;
  /** The text has no value that could be checked further. */
  readonly isFatal: boolean;
}

type Keep = (finding: Finding) => void;

/** What the parser lets pass and we don't: aliases without end, keys that aren't text, the same key twice, depth. */
const inspect = (document: Document): Finding[] => {
  const findings: Finding[] = [];
  const keep: Keep = (finding) => {
    if (findings.length < DECLARATION_ERRORS_MAX) findings.push(finding);
  };
  const aliases = countAliases(document);
  if (aliases > DECLARATION_ALIASES_MAX) keep({ path: [], message: TOO_MANY_ALIASES, offset: 0, isFatal: true });
  else inspectNode({ document, keep }, { node: document.contents, path: [], above: [] });
  return findings;
};

const countAliases = (document: Document): number => {
  let count = 0;
  visit(document, {
    Alias: () => {
      count += 1;
      return count > DECLARATION_ALIASES_MAX ? visit.BREAK : undefined;
    },
  });
  return count;
};

interface Inspection {
  readonly document: Document;
  readonly keep: Keep;
}

interface Spot {
  readonly node: unknown;
  readonly path: Path;
  readonly above: readonly unknown[];
}

const inspectNode = ({ document, keep }: Inspection, { node, path, above }: Spot): void => {
  const offset = offsetOf(node);
  if (above.length > DECLARATION_DEPTH_MAX) {
    keep({ path, message: TOO_DEEP, offset, isFatal: true });
    return;
  }
  if (isAlias(node)) {
    const source = node.resolve(document);
    if (source === undefined) keep({ path, message: `no value is anchored as &${node.source}`, offset, isFatal: true });
    else if (above.includes(source)) keep({ path, message: `*${node.source} refers to itself`, offset, isFatal: true });
    return;
  }
  const below = [...above, node];
  if (isSeq(node)) {
    for (const [at, item] of node.items.entries())
      inspectNode({ document, keep }, { node: item, path: [...path, at], above: below });
  }
  if (!isMap(node)) return;
  const known = new Set<string>();
  for (const pair of node.items) {
    const key = toKeyText(pair);
    const place = { path, offset: offsetOf(pair.key), isFatal: false };
    if (key === null) {
      keep({ ...place, message: "a key must be plain text", isFatal: true });
      continue;
    }
    if (known.has(key)) keep({ ...place, path: [...path, key], message: `the key "${key}" stands here twice` });
    known.add(key);
    inspectNode({ document, keep }, { node: pair.value, path: [...path, key], above: below });
  }
};

const toKeyText = ({ key }: Pair): string | null => {
  if (!isScalar(key) || key.value === null || key.value === undefined || typeof key.value === "object") return null;
  return String(key.value);
};

const offsetOf = (node: unknown): number => {
  const range = (node as Partial<Node> | null | undefined)?.range;
  return range?.[0] ?? 0;
};

/** A scalar's own place; of a map or list under a key, the key's, because that is the line that a person looks for. */
const findOffset = (document: Document, path: Path, at: "key" | "value"): number => {
  let node: unknown = document.contents;
  let offset = offsetOf(node);
  for (const part of path) {
    const container: unknown = isAlias(node) ? node.resolve(document) : node;
    if (isSeq(container) && typeof part === "number") {
      if (part >= container.items.length) return offset;
      node = container.items[part];
      offset = offsetOf(node);
    } else if (isMap(container)) {
      const pair = container.items.findLast((item) => toKeyText(item) === String(part));
      if (pair === undefined) return offset;
      node = pair.value;
      offset = offsetOf(isScalar(node) && at === "value" && part === path.at(-1) ? node : pair.key);
    } else return offset;
  }
  return offset;
};
