/** The sandbox: Route 53 on a laptop, regions that one can break, and links that one can cut. */
import { REGION_PROCESS_ENTRY } from "./regions/spawn-region.ts";

export { AgentsWanted } from "./agents-wanted.ts";
export { createSandboxClient, type SandboxAnswer, type SandboxClient } from "./control-client.ts";
export {
  LinkChoice,
  LinkCut,
  LinkCutMode,
  type LinkCutRequest,
  LinkTarget,
  REGION_FAULT_NAMES,
  RegionFault,
  RegionFaultName,
  type RegionFaultRequest,
  SandboxAgentId,
  SandboxRegionId,
  SandboxVantage,
} from "./faults.ts";
export { PROBE_ROLE, REGION_DATABASE, RegionConfig, type RegionConfigFile, RegionReady } from "./regions/region-config.ts";
export { type SpawnedRegion, spawnRegion } from "./regions/spawn-region.ts";
export {
  Fault as Route53Fault,
  type FaultInput as Route53FaultRequest,
  ROUTE53_FAULT_KINDS,
  type Route53FaultKind,
} from "./route53/index.ts";
export { type Route53Sandbox, type Route53SandboxOptions, startRoute53Sandbox } from "./route53-sandbox.ts";
export { type RunningSandbox, startSandbox } from "./sandbox.ts";
export { SandboxConfig, type SandboxConfigFile, SandboxReady } from "./sandbox-config.ts";
export { LinksChanged, RegionChanged, SandboxLink, SandboxPorts, SandboxRegion, SandboxState } from "./sandbox-state.ts";

/** Entry of the sandbox's process: run it with process.execPath and REGENT_SANDBOX_CONFIG naming a file of the shape SandboxConfigFile. */
export const SANDBOX_ENTRY = new URL("./main.ts", import.meta.url);
/** Entry of a region's process: run it with process.execPath and REGENT_REGION_CONFIG naming a file of the shape RegionConfigFile. */
export const REGION_ENTRY = REGION_PROCESS_ENTRY;
