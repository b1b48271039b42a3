/**
 * The key that signs what agents are told. It is made once per installation and kept in the database, sealed under the master key
 * (AES-256-GCM): reading the database alone doesn't let anybody instruct agents.
 */
import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createPrivateKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
} from "node:crypto";
import { chmod, mkdir, open, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import type { ConfigurationStore, SigningKey } from "../../ports/configuration-store.ts";

export interface OpenedSigningKey {
  readonly keyId: string;
  readonly privateKey: KeyObject;
  /** Raw 32 bytes, base64: what agents pin. */
  readonly publicKey: string;
}

/** 32 bytes from the environment, else from a 0600 file of the home that is made at first start. Throws when others may read it. */
export const readMasterKey = async (home: string, fromEnvironment: string | null): Promise<Buffer> => {
  if (fromEnvironment !== null) return Buffer.from(fromEnvironment, "base64");
  await mkdir(home, { recursive: true, mode: 0o700 });
  const file = join(home, "master.key");
  try {
    const handle = await open(file, "wx", 0o600);
    const key = randomBytes(32);
    await handle.writeFile(`${key.toString("base64")}\n`);
    await handle.sync();
    await handle.close();
    return key;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
  const { mode } = await stat(file);
  if ((mode & 0o077) !== 0)
    throw new Error(
      `${file} can be read by others (mode ${(mode & 0o777).toString(8)}): chmod 600 it, and rotate the key if it may have been read`,
    );
  return Buffer.from((await readFile(file, "utf8")).trim(), "base64");
};

export const openSigningKey = async (store: ConfigurationStore, masterKey: Buffer): Promise<OpenedSigningKey> => {
  const kept = (await store.readSigningKey()) ?? (await store.keepSigningKey(createSealed(masterKey)));
  const privateKey = createPrivateKey(unseal(kept.sealed, masterKey));
  return { keyId: kept.keyId, privateKey, publicKey: kept.publicKey };
};

const createSealed = (masterKey: Buffer): SigningKey => {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  const raw = publicKey.export({ format: "der", type: "spki" }).subarray(-32);
  const pem = privateKey.export({ format: "pem", type: "pkcs8" }).toString();
  return {
    keyId: createHash("sha256").update(raw).digest("hex").slice(0, 16),
    sealed: seal(pem, masterKey),
    publicKey: raw.toString("base64"),
  };
};

/** nonce (12) | tag (16) | text */
const seal = (text: string, key: Buffer): string => {
  const nonce = randomBytes(12);
  const cipher = createCipheriv("aes-256-gcm", key, nonce);
  const sealed = Buffer.concat([cipher.update(text, "utf8"), cipher.final()]);
  return Buffer.concat([nonce, cipher.getAuthTag(), sealed]).toString("base64");
};

const unseal = (sealed: string, key: Buffer): string => {
  const bytes = Buffer.from(sealed, "base64");
  const decipher = createDecipheriv("aes-256-gcm", key, bytes.subarray(0, 12));
  decipher.setAuthTag(bytes.subarray(12, 28));
  try {
    return Buffer.concat([decipher.update(bytes.subarray(28)), decipher.final()]).toString("utf8");
  } catch {
    throw new Error(
      "The configuration signing key can't be opened: the master key (REGENT_MASTER_KEY, or master.key of the home) is not the one it was sealed with.",
    );
  }
};

/** The home holds secrets: nobody else may look into it. */
export const ensureHome = async (home: string): Promise<void> => {
  await mkdir(home, { recursive: true, mode: 0o700 });
  await chmod(home, 0o700);
};
