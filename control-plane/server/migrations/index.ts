/** Reads the migrations from disk. In a bundle the SQL files lie beside it or in `migrations/` beside it. */
import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export interface Migration {
  /** 0, 1, 2, … without a gap. */
  readonly number: number;
  /** File name without extension: `0000_what-it-does`. */
  readonly name: string;
  readonly text: string;
  /** SHA-256 of the text with unix line ends, hex. */
  readonly checksum: string;
}

const FILE_NAME = /^(\d{4})_[a-z0-9-]+\.sql$/;

/** In order. Throws when the folder has none, or when a number is missing or there twice. */
export const readMigrations = async (folder?: string): Promise<readonly Migration[]> => {
  const here = fileURLToPath(new URL(".", import.meta.url));
  const candidates = folder === undefined ? [here, join(here, "migrations")] : [folder];
  for (const candidate of candidates) {
    const names = (await readdir(candidate).catch(() => [])).filter((name) => FILE_NAME.test(name)).sort();
    if (names.length > 0) return Promise.all(names.map((name, index) => readMigration(candidate, name, index)));
  }
  throw new Error(`No migrations in ${candidates.join(" or ")}.`);
};

const readMigration = async (folder: string, file: string, index: number): Promise<Migration> => {
  const number = Number(file.slice(0, 4));
  if (number !== index) throw new Error(`Migration ${String(index).padStart(4, "0")} is missing, or there twice, in ${folder}.`);
  const text = (await readFile(join(folder, file), "utf8")).replaceAll("\r\n", "\n");
  return { number, name: file.slice(0, -4), text, checksum: createHash("sha256").update(text).digest("hex") };
};
