/** Where each declared agent stands, and what it is assigned: made by the same functions that a server makes it with. */
import { generateKeyPairSync } from "node:crypto";
import type { AgentDeclaration, Assignment, Declaration } from "@regent/contract";
import { toAgentConfiguration } from "@regent/server/configuration/to-agent-configuration.ts";
import { type Applied, prepareConfiguration } from "@regent/server/operations/configuration/configuration-in-force.ts";

export interface StationedAgent {
  readonly declared: AgentDeclaration;
  readonly assignments: readonly Assignment[];
  readonly reportIntervalMs: number;
}

export interface Installation {
  readonly applied: Applied;
  readonly agents: readonly StationedAgent[];
}

/** Asked for by the server's functions, and signs nothing: signatures have their own tests and would take a virtual world's time. */
const newSigner = () => ({ keyId: "virtual", privateKey: generateKeyPairSync("ed25519").privateKey });

export const toInstallation = (declaration: Declaration, version = 1): Installation => ({
  applied: prepareConfiguration({ version, declaration, text: "", author: "virtual", at: 0, lines: [] }, newSigner()),
  agents: declaration.agents.map((declared) => {
    const configuration = toAgentConfiguration(declaration, declared.id, { version, issuedAt: 0 });
    if (configuration === null) throw new Error(`agent ${declared.id} is not declared`);
    const { assignments, reportIntervalMs } = configuration;
    return { declared, assignments, reportIntervalMs };
  }),
});
