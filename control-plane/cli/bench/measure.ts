/** Percentiles and machine facts that every benchmark prints beside its figures. */
import { cpus, totalmem } from "node:os";

export interface Row {
  readonly what: string;
  readonly target: string;
  readonly figure: string;
  /** null: a figure without a target. */
  readonly isReached: boolean | null;
  readonly numbers: Readonly<Record<string, number>>;
}

export const percentile = (values: readonly number[], part: number): number => {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(part * sorted.length) - 1)] ?? Number.NaN;
};

export const median = (values: readonly number[]): number => percentile(values, 0.5);

export const round = (value: number, digits = 1): number => Number(value.toFixed(digits));

export const machine = (): string =>
  `${cpus().length} x ${cpus()[0]?.model ?? "unknown"}, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.versions.node}, ${process.platform} ${process.arch}`;

export const toTable = (rows: readonly Row[]): string => {
  const cells = [
    ["what", "target", "measured", ""],
    ...rows.map((row) => [row.what, row.target, row.figure, markOf(row.isReached)]),
  ];
  const widths = [0, 1, 2, 3].map((i) => Math.max(...cells.map((line) => line[i]?.length ?? 0)));
  return cells
    .map((line) =>
      line
        .map((cell, i) => cell.padEnd(widths[i] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
};

const markOf = (isReached: boolean | null): string => (isReached === null ? "" : isReached ? "reached" : "MISSED");
