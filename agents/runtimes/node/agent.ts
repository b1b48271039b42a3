/** Entry of the Node agent's process. REGENT_AGENT_CONFIG names its file; SIGTERM and SIGINT end it with what is left delivered. */
import "./threads.ts";
import { loadConfig } from "./config.ts";
import { createLog } from "./log.ts";
import { runNodeAgent } from "./main.ts";

const path = process.env.REGENT_AGENT_CONFIG;
const startLog = createLog("unconfigured", process.env.LOG_LEVEL);

const fatal = (error: unknown): never => {
  startLog.error({ why: error instanceof Error ? error.message : String(error) }, "the agent can't start");
  process.exit(1);
};

if (path === undefined) fatal(new Error("REGENT_AGENT_CONFIG must name the agent's configuration file"));

const agent = await loadConfig(path!)
  .then((config) => runNodeAgent(config))
  .catch(fatal);

let isStopping = false;
const stop = (): void => {
  // A second signal is from somebody who does not want to wait.
  if (isStopping) process.exit(1);
  isStopping = true;
  agent.stop().then(
    () => process.exit(0),
    () => process.exit(1),
  );
};
process.on("SIGTERM", stop);
process.on("SIGINT", stop);
// Started with a channel to a supervisor: when that is gone, so is the reason to go on.
process.on("disconnect", stop);
