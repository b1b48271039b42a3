/** Sizes are a guide, so this reports and never fails. */
import { isCode, isTest, type SourceFile } from "./tree.ts";

/** Past this, ask what wants to be a thing of its own. */
export const LINES_GUIDE = 400;

export interface Sized {
  readonly path: string;
  readonly lines: number;
}

export const findLongFiles = (files: readonly SourceFile[]): readonly Sized[] =>
  files
    .filter(({ path }) => isCode(path) && !isTest(path))
    .map(({ path, text }) => ({ path, lines: text.split("\n").length - 1 }))
    .filter(({ lines }) => lines > LINES_GUIDE)
    .sort((a, b) => b.lines - a.lines);
