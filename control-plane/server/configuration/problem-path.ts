/** Where in a declaration something is wrong, before and after it is written for people. Pure. */

export type Path = readonly (string | number)[];

/** One error of a declaration. */
export interface ConfigurationProblem {
  readonly path: Path;
  /** What is wrong, with the value. */
  readonly message: string;
  /** What to write instead. */
  readonly suggestion?: string | undefined;
  /** True when the key itself is wrong, not its value. */
  readonly isAboutKey?: boolean;
  /** Parts this finding depends on beside its own place: when one of them is itself in error, this one may be its echo and isn't told. */
  readonly restsOn?: readonly Path[];
}

/** `services[2].endpoints[0].region`; keys that aren't plain words are quoted: `targets["a b"]`. The whole file is the empty text. */
export const toPathText = (path: Path): string =>
  path.reduce<string>((text, part) => {
    if (typeof part === "number") return `${text}[${part}]`;
    if (!/^[A-Za-z_][A-Za-z0-9_-]*$/.test(part)) return `${text}[${JSON.stringify(part)}]`;
    return text === "" ? part : `${text}.${part}`;
  }, "");

export const isWithin = (path: Path, prefix: Path): boolean =>
  prefix.length <= path.length && prefix.every((part, at) => part === path[at]);

/** A value as a message shows it: JSON, shortened, never a wall of text. */
export const toValueText = (value: unknown): string => {
  const text = typeof value === "bigint" ? String(value) : (JSON.stringify(value) ?? String(value));
  return text.length <= 60 ? text : `${text.slice(0, 57)}...`;
};

/** What stands at a path of a plain value; undefined when it leads nowhere. */
export const readAt = (root: unknown, path: Path): unknown =>
  path.reduce<unknown>(
    (value, part) =>
      typeof value === "object" && value !== null && Object.hasOwn(value, part)
        ? (value as Readonly<Record<string | number, unknown>>)[part]
        : undefined,
    root,
  );

/** zod's path as ours. */
export const fromZodPath = (path: readonly PropertyKey[]): (string | number)[] =>
  path.map((part) => (typeof part === "number" ? part : String(part)));
