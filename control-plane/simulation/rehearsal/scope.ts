/** What the words of a rehearsal are checked against, and where findings go. Pure. */
import type { Declaration } from "@regent/contract";
import type { Path } from "@regent/server/configuration/problem-path.ts";
import { idOf } from "./outcomes.ts";
import type { WrittenTime } from "./shape.ts";
import { momentText, toMs } from "./time.ts";

export interface Scope {
  readonly declaration: Declaration;
  readonly stepMs: number;
  readonly forMs: number;
  readonly find: (path: Path, message: string) => void;
  readonly lineOf: (path: Path) => number;
}

/** Told where it is past the end; otherwise the moment. */
export const toMoment = (written: WrittenTime, path: Path, { forMs, find }: Scope): number => {
  const ms = toMs(written);
  if (ms > forMs) find(path, `${momentText(ms)} is after the end: the rehearsal lasts ${momentText(forMs).slice(1)}`);
  return ms;
};

export const vantagesOf = ({ agents }: Declaration): readonly string[] => [...new Set(agents.map(idOf))];
export const checksOf = ({ services }: Declaration): readonly string[] => [
  ...new Set(services.flatMap(({ checks }) => checks.map(({ id }) => id))),
];
export const idsOf = (all: readonly { readonly id: string }[]): readonly string[] => all.map(({ id }) => id);
