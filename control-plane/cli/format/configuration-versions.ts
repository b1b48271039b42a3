/** `regent configuration list`: what each version changed. Pure. */
import type { ConfigurationVersionPage } from "@regent/server/http/wire.ts";
import type { Paint } from "./paint.ts";

/** A first version changes everything: its text says it better. */
const LINES_MAX = 12;

export const toVersionLines = ({ versions, next }: ConfigurationVersionPage, paint: Paint): string[] => [
  ...(versions.length === 0 ? ["No configuration was ever applied."] : []),
  ...versions.flatMap(({ version, author, at, lines }) => [
    `${paint.bold(`version ${version}`)}  ${new Date(at).toISOString().slice(0, 19).replace("T", " ")}Z  ${author}`,
    ...lines.slice(0, LINES_MAX).map((line) => `  ${line}`),
    ...(lines.length > LINES_MAX
      ? [paint.dim(`  and ${lines.length - LINES_MAX} more: regent configuration show ${version}`)]
      : []),
  ]),
  ...(next === null ? [] : [paint.dim(`More: regent configuration list --cursor ${next}`)]),
];
