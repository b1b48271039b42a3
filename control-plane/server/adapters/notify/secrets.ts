/** Where secrets of notifiers are read: at each use, so that one that was changed counts at once, and none is kept. */
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import type { SecretRef } from "@regent/contract";
import { SECRET_BYTES_MAX } from "./limits.ts";

/** Throws SecretMissing, which names the place and never the secret. */
export type ReadSecret = (ref: SecretRef) => Promise<string>;

export class SecretMissing extends Error {
  override readonly name = "SecretMissing";
}

export const createReadSecret =
  ({
    env,
    folder,
  }: {
    /** Variables of the process that begin with REGENT_SECRET_. */
    readonly env: Readonly<Record<string, string | undefined>>;
    readonly folder: string;
  }): ReadSecret =>
  async (ref) => {
    if ("env" in ref) {
      const value = env[ref.env]?.trim();
      if (!value) throw new SecretMissing(`the variable ${ref.env} isn't set`);
      return value;
    }
    const file = join(folder, ref.file);
    const found = await stat(file).catch(() => null);
    if (!found?.isFile()) throw new SecretMissing(`the file secrets/${ref.file} isn't there`);
    if (found.size > SECRET_BYTES_MAX) throw new SecretMissing(`the file secrets/${ref.file} is too large for a secret`);
    // Whoever shares the machine may read what the mode lets them.
    if ((found.mode & 0o077) !== 0) throw new SecretMissing(`the file secrets/${ref.file} can be read by others: chmod 600`);
    const value = (await readFile(file, "utf8")).trim();
    if (value === "") throw new SecretMissing(`the file secrets/${ref.file} is empty`);
    return value;
  };
