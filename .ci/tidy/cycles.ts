/** Finds folders of one package that import each other in a ring. Types count: who is read together is understood together. */
import { packageOf } from "./arrows.ts";
import { findImports, resolveRelative } from "./imports.ts";
import { isCode, isTest, type SourceFile, type Violation } from "./tree.ts";

const folderOf = (path: string): string => path.slice(0, path.lastIndexOf("/"));

type Graph = ReadonlyMap<string, ReadonlyMap<string, string>>;

/** folder -> folder it imports -> one file that does. A folder and one inside it are one place: a parent may put its children together. */
const toGraph = (files: readonly SourceFile[]): Graph => {
  const graph = new Map<string, Map<string, string>>();
  for (const file of files) {
    if (!isCode(file.path) || isTest(file.path) || packageOf(file.path) === undefined) continue;
    const from = folderOf(file.path);
    for (const { specifier } of findImports(file)) {
      const target = resolveRelative(file.path, specifier);
      if (target === undefined || packageOf(target) !== packageOf(file.path)) continue;
      const to = folderOf(target);
      if (to === from || to.startsWith(`${from}/`) || from.startsWith(`${to}/`)) continue;
      const edges = graph.get(from) ?? new Map<string, string>();
      graph.set(from, edges.set(to, file.path));
    }
  }
  return graph;
};

export const findCycles = (files: readonly SourceFile[]): readonly Violation[] => {
  const graph = toGraph(files);
  const done = new Set<string>();
  const violations: Violation[] = [];
  const visit = (folder: string, trail: readonly string[]): void => {
    const start = trail.indexOf(folder);
    if (start >= 0) {
      const ring = [...trail.slice(start), folder];
      const steps = ring.slice(1).map((to, index) => `${graph.get(ring[index] ?? "")?.get(to)} imports from ${to}`);
      violations.push(`${folder}: folders import each other in a ring: ${steps.join("; ")}`);
      return;
    }
    if (done.has(folder)) return;
    for (const to of graph.get(folder)?.keys() ?? []) visit(to, [...trail, folder]);
    done.add(folder);
  };
  for (const folder of graph.keys()) visit(folder, []);
  return violations;
};
