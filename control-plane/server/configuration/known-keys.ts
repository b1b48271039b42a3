/** Which keys may stand at a path of the declaration, read off its JSON Schema. Pure. Called by shape-problems.ts. */
import { toDeclarationJsonSchema } from "./json-schema.ts";
import type { Path } from "./problem-path.ts";

interface SchemaNode {
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly items?: SchemaNode;
  readonly additionalProperties?: SchemaNode | boolean;
  /** Of a map whose keys are told one by one, such as rules. */
  readonly propertyNames?: SchemaNode;
  readonly enum?: readonly string[];
  readonly anyOf?: readonly SchemaNode[];
  readonly oneOf?: readonly SchemaNode[];
  readonly const?: unknown;
}

let schemaRead: SchemaNode | undefined;

/** Keys known at `path`; where the kind of a check or strategy is given, those of that kind. `value` is what was written. */
export const findKnownKeys = (value: unknown, path: Path): string[] => {
  schemaRead ??= toDeclarationJsonSchema() as SchemaNode;
  let nodes: readonly SchemaNode[] = [schemaRead];
  let current: unknown = value;
  for (const part of path) {
    nodes = alternatives(nodes, current).flatMap((node) => child(node, part));
    current = (current as Readonly<Record<string | number, unknown>> | null | undefined)?.[part];
  }
  return [
    ...new Set(
      alternatives(nodes, current).flatMap((node) => [...Object.keys(node.properties ?? {}), ...wordsOf(node.propertyNames)]),
    ),
  ];
};

const wordsOf = (node: SchemaNode | undefined): string[] => {
  if (node === undefined) return [];
  return [...(node.enum ?? []), ...(typeof node.const === "string" ? [node.const] : []), ...(node.anyOf ?? []).flatMap(wordsOf)];
};

const child = (node: SchemaNode, part: string | number): SchemaNode[] => {
  if (typeof part === "number") return node.items === undefined ? [] : [node.items];
  const property = Object.hasOwn(node.properties ?? {}, part) ? node.properties?.[part] : undefined;
  if (property !== undefined) return [property];
  return typeof node.additionalProperties === "object" ? [node.additionalProperties] : [];
};

/** The members of unions; of those told apart by `kind`, the one that was meant, if any was. */
const alternatives = (nodes: readonly SchemaNode[], value: unknown): SchemaNode[] => {
  const flat = nodes.flatMap((node) => [node, ...(node.anyOf ?? []), ...(node.oneOf ?? [])]);
  const kind = (value as { readonly kind?: unknown } | null | undefined)?.kind;
  const meant = flat.filter((node) => node.properties?.kind !== undefined && node.properties.kind.const === kind);
  return meant.length > 0 ? meant : flat;
};
