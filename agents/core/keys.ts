/** Ed25519 keys through WebCrypto, which Node, Lambda and Workers share. Private keys are never printed or exported. */
import { fromBase64, toBase64 } from "./base64.ts";

export interface AgentKey {
  /** First 16 hex digits of SHA-256 over the raw public key. */
  readonly keyId: string;
  /** Raw public key, base64. */
  readonly publicKey: string;
  readonly sign: (bytes: Uint8Array<ArrayBuffer>) => Promise<Uint8Array>;
}

export interface PinnedKey {
  readonly keyId: string;
  readonly verify: (bytes: Uint8Array<ArrayBuffer>, signature: Uint8Array<ArrayBuffer>) => Promise<boolean>;
}

const ALGORITHM = "Ed25519";
const RAW_KEY_BYTES = 32;
/** A PKCS8 Ed25519 private key is this prefix and the 32-byte seed (RFC 8410). */
const PKCS8_PREFIX = Uint8Array.from([0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20]);

export const keyIdOf = async (publicKey: Uint8Array<ArrayBuffer>): Promise<string> => {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", publicKey));
  return Array.from(digest.subarray(0, 8), (byte) => byte.toString(16).padStart(2, "0")).join("");
};

/** Takes a PKCS8 PEM or the base64 of a raw 32-byte seed. Throws on anything else, without quoting it. */
export const readAgentKey = async (text: string): Promise<AgentKey> => {
  const pkcs8 = toPkcs8(text.trim());
  const extractable = await crypto.subtle.importKey("pkcs8", pkcs8, ALGORITHM, true, ["sign"]).catch(() => {
    throw new Error("the private key is neither an Ed25519 PKCS8 PEM nor the base64 of a 32-byte seed");
  });
  const { x } = await crypto.subtle.exportKey("jwk", extractable);
  const publicKey = fromBase64((x ?? "").replaceAll("-", "+").replaceAll("_", "/"));
  const key = await crypto.subtle.importKey("pkcs8", pkcs8, ALGORITHM, false, ["sign"]);
  return {
    keyId: await keyIdOf(publicKey),
    publicKey: toBase64(publicKey),
    sign: async (bytes) => new Uint8Array(await crypto.subtle.sign(ALGORITHM, key, bytes)),
  };
};

/** `publicKey` is the base64 of a raw 32-byte key. */
export const readPinnedKey = async (publicKey: string): Promise<PinnedKey> => {
  const raw = fromBase64(publicKey);
  const key = await crypto.subtle.importKey("raw", raw, ALGORITHM, false, ["verify"]);
  return { keyId: await keyIdOf(raw), verify: (bytes, signature) => crypto.subtle.verify(ALGORITHM, key, signature, bytes) };
};

const toPkcs8 = (text: string): Uint8Array<ArrayBuffer> => {
  const body = /^-----BEGIN PRIVATE KEY-----([\s\S]+)-----END PRIVATE KEY-----$/.exec(text)?.[1];
  const bytes = decode((body ?? text).replaceAll(/\s/g, ""));
  if (body !== undefined) return bytes;
  if (bytes.length !== RAW_KEY_BYTES) throw new Error("a raw private key is the base64 of 32 bytes");
  const pkcs8 = new Uint8Array(PKCS8_PREFIX.length + RAW_KEY_BYTES);
  pkcs8.set(PKCS8_PREFIX);
  pkcs8.set(bytes, PKCS8_PREFIX.length);
  return pkcs8;
};

const decode = (text: string): Uint8Array<ArrayBuffer> => {
  try {
    return fromBase64(text);
  } catch {
    throw new Error("the private key is not base64");
  }
};
