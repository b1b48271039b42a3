/** Columns that line up, whatever the cells' colour. Pure. */
import { stripVTControlCharacters } from "node:util";

/** Characters that a terminal shows; our texts have no wide ones. */
export const widthOf = (text: string): number => [...stripVTControlCharacters(text)].length;

export const padTo = (text: string, width: number): string => text + " ".repeat(Math.max(0, width - widthOf(text)));

/** Rows of cells as lines; two spaces between columns, no trailing ones. The last column is never padded. */
export const toTable = (rows: readonly (readonly string[])[]): string[] => {
  const widths: number[] = [];
  for (const row of rows) for (const [index, cell] of row.entries()) widths[index] = Math.max(widths[index] ?? 0, widthOf(cell));
  return rows.map((row) =>
    row
      .map((cell, index) => (index === row.length - 1 ? cell : padTo(cell, widths[index] ?? 0)))
      .join("  ")
      .trimEnd(),
  );
};

/** At most `width` shown characters, an ellipsis for what was cut. Colour is given up where something is cut. */
export const clip = (text: string, width: number): string => {
  if (widthOf(text) <= width) return text;
  return `${[...stripVTControlCharacters(text)].slice(0, Math.max(0, width - 1)).join("")}…`;
};

/** A text in lines of at most `width`, each further one indented. */
export const wrap = (text: string, width: number, indent = ""): string[] => {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    const prefix = lines.length === 0 ? "" : indent;
    if (line !== "" && widthOf(prefix + line) + 1 + widthOf(word) > width) {
      lines.push(prefix + line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  if (line !== "") lines.push((lines.length === 0 ? "" : indent) + line);
  return lines;
};

/** `████░░░░` for 0..1. */
export const toBar = (part: number, width = 20): string => {
  const full = Math.round(Math.min(1, Math.max(0, part)) * width);
  return "█".repeat(full) + "░".repeat(width - full);
};
