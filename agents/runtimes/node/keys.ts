/** Makes an agent's key pair, for `regent agent` and `regent up`. The caller stores the private half in a 0600 file. */
import { generateKeyPairSync } from "node:crypto";
import { readAgentKey } from "../../core/keys.ts";

export interface GeneratedAgentKey {
  /** PKCS8. */
  readonly privateKeyPem: string;
  /** Raw 32 bytes, base64. */
  readonly publicKey: string;
  readonly keyId: string;
}

export const generateAgentKey = async (): Promise<GeneratedAgentKey> => {
  const privateKeyPem = generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  const { publicKey, keyId } = await readAgentKey(privateKeyPem);
  return { privateKeyPem, publicKey, keyId };
};
