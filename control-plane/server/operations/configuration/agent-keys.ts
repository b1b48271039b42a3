/** The keys that the declared agents sign with, ready to verify with. */
import { createHash, createPublicKey, type KeyObject } from "node:crypto";
import type { AgentDeclaration } from "@regent/contract";

export interface AgentKeys {
  readonly find: (agent: string, keyId: string) => { readonly key: KeyObject; readonly declaration: AgentDeclaration } | null;
}

/** DER prefix of an Ed25519 SubjectPublicKeyInfo (RFC 8410). */
const SPKI_PREFIX = Buffer.from("302a300506032b6570032100", "hex");

export const toKeyId = (publicKey: string): string =>
  createHash("sha256").update(Buffer.from(publicKey, "base64")).digest("hex").slice(0, 16);

/** Key objects are made once per configuration: making one costs as much as a verification. */
export const createAgentKeys = (agents: readonly AgentDeclaration[]): AgentKeys => {
  const known = new Map<string, { key: KeyObject; declaration: AgentDeclaration }>();
  for (const declaration of agents)
    for (const publicKey of declaration.publicKeys) {
      const key = createPublicKey({
        key: Buffer.concat([SPKI_PREFIX, Buffer.from(publicKey, "base64")]),
        format: "der",
        type: "spki",
      });
      known.set(`${declaration.id} ${toKeyId(publicKey)}`, { key, declaration });
    }
  return { find: (agent, keyId) => known.get(`${agent} ${keyId}`) ?? null };
};
