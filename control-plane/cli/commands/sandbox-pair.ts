/** sandbox …: the pair of databases that two regions have after `regent up --stateful`. */
import { LinkCutMode } from "@regent/sandbox/faults.ts";
import type { Command } from "commander";
import { type CommonOptions, createContext, needSandbox, type Terminal, withCommon } from "../context.ts";
import { CommandFailure, EXIT } from "../exit-codes.ts";

/** What `sandbox break` and `sandbox mend --fault` call it, though no region does it wrong. */
export const REPLICATION_CUT = "replication-cut";

export const toCutMode = (mode: string | undefined): LinkCutMode | undefined => {
  const parsed = LinkCutMode.optional().safeParse(mode);
  if (parsed.success) return parsed.data;
  throw new CommandFailure(EXIT.usage, `A cut's mode is ${LinkCutMode.options.join(", ")}; not ${mode}.`);
};

export const addPair = (sandbox: Command, terminal: Terminal): void => {
  withCommon(sandbox.command("rebuild-standby"))
    .description("make a region's half of the pair of databases anew, as the other's standby; what only it had is gone")
    .argument("<region>")
    .action(async (region: string, options: CommonOptions) => {
      const context = createContext(terminal, options);
      const changed = needSandbox(await (await context.sandbox()).rebuildStandby(region));
      context.print(changed, () => [`${region}: copied from the other half, and streams from it.`]);
    });
};
