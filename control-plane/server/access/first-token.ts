/**
 * The way in before anybody has one: an admin token in a file that only this user reads. It is made at the first start, and again when the file
 * is gone, the database doesn't know it, or it soon expires. Its text goes to that file and nowhere else.
 */
import { randomBytes } from "node:crypto";
import { chmod, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ADMIN_TOKEN_RENEW_MS, TOKEN_TTL_MS } from "../limits.ts";
import type { AccessStore } from "../ports/access-store.ts";
import type { Clock } from "../ports/clock.ts";
import { createSecret, hashSecret, isSecretOf } from "./secrets.ts";

export const ADMIN_TOKEN_FILE = "admin.token";

export interface FirstToken {
  readonly path: string;
  readonly isNew: boolean;
}

export const ensureAdminToken = async (deps: {
  readonly home: string;
  readonly access: Pick<AccessStore, "find" | "put">;
  readonly clock: Pick<Clock, "now">;
}): Promise<FirstToken> => {
  const path = join(deps.home, ADMIN_TOKEN_FILE);
  if (await isGood(path, deps)) {
    await chmod(path, 0o600);
    return { path, isNew: false };
  }
  const token = createSecret("token");
  const expiresAt = deps.clock.now() + TOKEN_TTL_MS;
  await deps.access.put({ hash: hashSecret(token), kind: "token", name: "admin", role: "admin", scope: null, expiresAt });
  await writePrivately(path, token);
  return { path, isNew: true };
};

const isGood = async (path: string, { access, clock }: Parameters<typeof ensureAdminToken>[0]): Promise<boolean> => {
  const token = await readToken(path);
  if (token === null || !isSecretOf("token", token)) return false;
  const credential = await access.find(hashSecret(token));
  if (credential?.kind !== "token") return false;
  return credential.expiresAt === null || credential.expiresAt - clock.now() > ADMIN_TOKEN_RENEW_MS;
};

const readToken = async (path: string): Promise<string | null> => {
  try {
    return (await readFile(path, "utf8")).trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
};

/** A reader never sees half a token, and the file is private from its first byte. */
const writePrivately = async (path: string, token: string): Promise<void> => {
  const draft = `${path}.${randomBytes(6).toString("hex")}`;
  await writeFile(draft, `${token}\n`, { mode: 0o600, flag: "wx" });
  await rename(draft, path);
};
