/** What the rest of Regent needs of the agents: to start one, to configure it and to make its key. */
import { fileURLToPath } from "node:url";

export { type AgentKey, keyIdOf, type PinnedKey, readAgentKey, readPinnedKey } from "./core/keys.ts";
export { loadConfig, NodeAgentConfig, type NodeAgentConfigInput, SecretsFile } from "./runtimes/node/config.ts";
export { type GeneratedAgentKey, generateAgentKey } from "./runtimes/node/keys.ts";
export { AGENT_BUILD, type NodeAgent, runNodeAgent } from "./runtimes/node/main.ts";

/** To be started with `process.execPath` and REGENT_AGENT_CONFIG. */
export const NODE_AGENT_ENTRY: string = fileURLToPath(new URL("./runtimes/node/agent.ts", import.meta.url));

/** V8 flags for that process. V8 grows its heap as far as the machine's memory invites; an agent with 1,000 checks needs about 25 MB of it. */
export const NODE_AGENT_ARGS: readonly string[] = ["--max-semi-space-size=4", "--max-old-space-size=128"];
