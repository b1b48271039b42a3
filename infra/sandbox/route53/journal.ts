/**
 * The append-only file that the account lives in: one JSON line for each thing that happened, synced before anyone is told.
 * A torn last line (killed in the middle of a write) is cut off when the file is opened; it was never acknowledged.
 */
import {
  closeSync,
  existsSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";
import type { ChangeRecord, HealthCheck, RecordSet, ZoneHead } from "./model.ts";

/** `names` hold everything that is left at each touched name, so that replaying needs no rules. */
export type Entry =
  | { readonly kind: "zone"; readonly zone: ZoneHead; readonly names: readonly NameEntry[] }
  | { readonly kind: "zone-deleted"; readonly id: string }
  | { readonly kind: "change"; readonly change: ChangeRecord; readonly names: readonly NameEntry[] }
  | { readonly kind: "health-check"; readonly check: HealthCheck }
  | { readonly kind: "health-check-deleted"; readonly id: string };
export type NameEntry = readonly [name: string, sets: readonly RecordSet[]];

export interface Journal {
  /** Returns once the entry is on disk. */
  readonly append: (entry: Entry) => void;
  /** Replaces the whole file by these entries, atomically. */
  readonly rewrite: (entries: readonly Entry[]) => void;
  readonly bytes: () => number;
  readonly close: () => void;
}

const newline = 0x0a;

const parseLines = (bytes: Buffer): { entries: Entry[]; good: number } => {
  const entries: Entry[] = [];
  let good = 0;
  for (let end = bytes.indexOf(newline); end !== -1; end = bytes.indexOf(newline, good)) {
    const line = bytes.toString("utf8", good, end);
    try {
      entries.push(JSON.parse(line) as Entry);
    } catch {
      // Only the last write can be torn: anything after a broken line means that the file was damaged otherwise.
      if (end + 1 < bytes.length) throw new Error(`journal: line ${entries.length + 1} is damaged`);
      break;
    }
    good = end + 1;
  }
  return { entries, good };
};

const syncDirectory = (path: string): void => {
  const directory = openSync(dirname(path), "r");
  fsyncSync(directory);
  closeSync(directory);
};

const writeAll = (file: number, text: string): number => {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at);
  fsyncSync(file);
  return bytes.length;
};

const toLine = (entry: Entry): string => `${JSON.stringify(entry)}\n`;

/** Opens or makes the file and gives what it holds. Throws if a line other than the last is damaged. */
export const openJournal = (path: string): { journal: Journal; entries: readonly Entry[] } => {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const { entries, good } = existsSync(path) ? parseLines(readFileSync(path)) : { entries: [], good: 0 };
  let file = openSync(path, "a", 0o600);
  ftruncateSync(file, good);
  fsyncSync(file);
  syncDirectory(path);
  let size = good;
  const journal: Journal = {
    append: (entry) => {
      size += writeAll(file, toLine(entry));
    },
    rewrite: (all) => {
      const draft = openSync(`${path}.draft`, "w", 0o600);
      size = writeAll(draft, all.map(toLine).join(""));
      closeSync(draft);
      renameSync(`${path}.draft`, path);
      syncDirectory(path);
      closeSync(file);
      file = openSync(path, "a", 0o600);
    },
    bytes: () => size,
    close: () => closeSync(file),
  };
  return { journal, entries };
};

/** For an account that needs no memory. */
export const createVolatileJournal = (): Journal => ({ append: () => {}, rewrite: () => {}, bytes: () => 0, close: () => {} });
