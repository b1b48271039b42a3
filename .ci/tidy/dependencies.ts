/** Every dependency is pinned to one version, the same everywhere, and docs/DEPENDENCIES.md says why it is there. */
import type { SourceFile, Violation } from "./tree.ts";

const EXACT = /^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?$/;
const SECTIONS = ["dependencies", "devDependencies", "optionalDependencies", "peerDependencies"] as const;

interface Wanted {
  readonly path: string;
  readonly name: string;
  readonly version: string;
}

const toWanted = ({ path, text }: SourceFile): readonly Wanted[] => {
  const manifest = JSON.parse(text) as Partial<Record<(typeof SECTIONS)[number], Readonly<Record<string, string>>>>;
  return SECTIONS.flatMap((section) =>
    Object.entries(manifest[section] ?? {}).map(([name, version]) => ({ path, name, version })),
  );
};

/** The catalog's lines, read as text: two spaces, a name, a version. */
const toCatalog = ({ path, text }: SourceFile): readonly Wanted[] => {
  const block = /^catalog:\n((?: {2}.+\n)+)/m.exec(text)?.[1] ?? "";
  return block
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line) => /^ {2}"?([^":]+)"?: (.+)$/.exec(line))
    .map((found) => ({ path, name: found?.[1] ?? "", version: found?.[2] ?? "" }));
};

const isOfOurs = ({ version }: Wanted): boolean => version.startsWith("workspace:");

const readAll = (files: readonly SourceFile[]): readonly Wanted[] => [
  ...files.filter(({ path }) => /(^|\/)package\.json$/.test(path)).flatMap(toWanted),
  ...files.filter(({ path }) => path === "pnpm-workspace.yaml").flatMap(toCatalog),
];

export const findLooseVersions = (files: readonly SourceFile[]): readonly Violation[] =>
  readAll(files)
    .filter((wanted) => !isOfOurs(wanted) && wanted.version !== "catalog:" && !EXACT.test(wanted.version))
    .map(({ path, name, version }) => `${path}: ${name} is "${version}"; write one exact version, or catalog:`);

export const findSplitVersions = (files: readonly SourceFile[]): readonly Violation[] => {
  const first = new Map<string, Wanted>();
  return readAll(files)
    .filter((wanted) => EXACT.test(wanted.version))
    .flatMap((wanted) => {
      const other = first.get(wanted.name);
      if (other === undefined) first.set(wanted.name, wanted);
      if (other === undefined || other.version === wanted.version) return [];
      return [
        `${wanted.path}: ${wanted.name} is ${wanted.version} here and ${other.version} in ${other.path}: move it to the catalog`,
      ];
    });
};

/** `listed` is the document's text; a dependency stands at the beginning of a table row, in backticks. */
export const findUnexplained = (files: readonly SourceFile[], listed: string): readonly Violation[] => {
  const rows = listed.split("\n").map((line) => /^\|((?:[^|])+)\|/.exec(line)?.[1] ?? "");
  const explained = new Set(rows.flatMap((cell) => [...cell.matchAll(/`([^`]+)`/g)].map((found) => found[1] ?? "")));
  const wanted = new Set(
    readAll(files)
      .filter((entry) => !isOfOurs(entry))
      .map(({ name }) => name),
  );
  return [
    ...[...wanted]
      .filter((name) => !explained.has(name))
      .map((name) => `docs/DEPENDENCIES.md: ${name} is missing: say why it is there`),
    ...[...explained]
      .filter((name) => !wanted.has(name))
      .map((name) => `docs/DEPENDENCIES.md: ${name} is no dependency (any more)`),
  ];
};
