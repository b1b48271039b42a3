/** Entry of the sandbox's process. Configured by the JSON file in REGENT_SANDBOX_CONFIG; prints one JSON line when ready. */
import { readConfigFile, runProcess, sayReady } from "./process-life.ts";
import { startSandbox } from "./sandbox.ts";
import { SandboxConfig } from "./sandbox-config.ts";

await runProcess(async () => {
  const sandbox = await startSandbox(await readConfigFile("REGENT_SANDBOX_CONFIG", SandboxConfig));
  sayReady(sandbox.ready);
  return sandbox;
});
