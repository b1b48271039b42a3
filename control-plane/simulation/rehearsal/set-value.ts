/** `services.checkout.strategy.failback=automatic`: one value of a plain declaration replaced. Items of a list are named by id, region or number. Pure. */
import { readYaml } from "@regent/server/configuration/yaml-source.ts";

export type SetValue = { readonly kind: "set"; readonly value: unknown } | { readonly kind: "wrong"; readonly why: string };

export const setValue = (root: unknown, assignment: string): SetValue => {
  const equals = assignment.indexOf("=");
  if (equals < 1) return { kind: "wrong", why: `"${assignment}" is not path=value` };
  const source = readYaml(assignment.slice(equals + 1));
  if (source.kind === "unreadable") return { kind: "wrong", why: `the value of "${assignment}" can't be read` };
  return place(root, assignment.slice(0, equals).trim().split("."), source.value);
};

const place = (node: unknown, [part, ...rest]: readonly string[], value: unknown): SetValue => {
  if (part === undefined) return { kind: "set", value };
  if (Array.isArray(node)) {
    const index = node.findIndex((item, at) => namesOf(item).includes(part) || String(at) === part);
    if (index < 0) return { kind: "wrong", why: `there is no ${part} among ${node.flatMap(namesOf).join(", ")}` };
    const placed = place(node[index], rest, value);
    return placed.kind === "wrong" ? placed : { kind: "set", value: node.with(index, placed.value) };
  }
  if (node !== undefined && (typeof node !== "object" || node === null))
    return { kind: "wrong", why: `${part} lies below a plain value` };
  const known = (node ?? {}) as Readonly<Record<string, unknown>>;
  const placed = place(Object.hasOwn(known, part) ? known[part] : undefined, rest, value);
  // Never an assignment by name: a path may say __proto__.
  return placed.kind === "wrong"
    ? placed
    : {
        kind: "set",
        value: Object.fromEntries([...Object.entries(known).filter(([key]) => key !== part), [part, placed.value]]),
      };
};

const namesOf = (item: unknown): string[] => {
  const { id, region, name } = (item ?? {}) as Readonly<Record<string, unknown>>;
  return [id, region, name].filter((one) => typeof one === "string");
};
