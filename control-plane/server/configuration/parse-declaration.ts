/** `regent.yaml` as text to a declaration, or all of its errors at once, each with line and path. Pure. Called by the CLI and at first start. */
import type { Declaration } from "@regent/contract";
import { checkDeclaration } from "./check-declaration.ts";
import { DECLARATION_ERRORS_MAX } from "./limits.ts";
import { type ConfigurationProblem, toPathText } from "./problem-path.ts";
import { type DeclarationError, type Place, readYaml } from "./yaml-source.ts";

export type { DeclarationError } from "./yaml-source.ts";

export type ParsedDeclaration =
  | { readonly kind: "valid"; readonly declaration: Declaration; readonly warnings: string[] }
  | {
      readonly kind: "invalid";
      readonly fileName: string;
      /** In the order of the file, at most DECLARATION_ERRORS_MAX. */
      readonly errors: DeclarationError[];
    };

/** Never throws, whatever the text. `fileName` is for messages only: nothing is read from disk. */
export const parseDeclaration = (text: string, fileName: string): ParsedDeclaration => {
  const source = readYaml(text);
  if (source.kind === "unreadable") return invalid(fileName, source.errors);
  const checked = checkDeclaration(source.value);
  if (checked.kind === "valid" && source.errors.length === 0)
    return { kind: "valid", declaration: checked.declaration, warnings: [...checked.warnings] };
  const problems = checked.kind === "valid" ? [] : checked.problems;
  return invalid(fileName, [
    ...source.errors,
    ...problems.map((problem) => toError(problem, source.place(problem.path, problem.isAboutKey ? "key" : "value"))),
  ]);
};

/** `regent.yaml:12:15 services[0].zone: unknown zone "exmple.com"; did you mean "example.com"?`, one line per error. */
export const toErrorLines = ({ fileName, errors }: Extract<ParsedDeclaration, { kind: "invalid" }>): string[] =>
  errors.map(({ path, message, line, column, suggestion }) =>
    [
      `${fileName}:${line}:${column} `,
      path === "" ? "" : `${path}: `,
      message,
      suggestion === undefined ? "" : `; ${suggestion}`,
    ].join(""),
  );

const invalid = (fileName: string, errors: readonly DeclarationError[]): ParsedDeclaration => ({
  kind: "invalid",
  fileName,
  errors: [...errors].sort((a, b) => a.line - b.line || a.column - b.column).slice(0, DECLARATION_ERRORS_MAX),
});

const toError = ({ path, message, suggestion }: ConfigurationProblem, place: Place): DeclarationError => ({
  path: toPathText(path),
  message,
  ...place,
  ...(suggestion === undefined ? {} : { suggestion }),
});
