/** The `regent` command: every verb, its help, and what happens when one fails. */
import { Command, CommanderError } from "commander";
import { addAlertCommands } from "./commands/alert.ts";
import { addChangeCommands } from "./commands/change.ts";
import { addConfigurationCommands } from "./commands/configuration.ts";
import { addConfigurationVersionCommands } from "./commands/configuration-versions.ts";
import { addDeadLetterCommands } from "./commands/dead-letters.ts";
import { addDig } from "./commands/dig.ts";
import { addIncidentCommands } from "./commands/incident.ts";
import { addLookCommands } from "./commands/look.ts";
import { addMaintenanceCommands } from "./commands/maintenance.ts";
import { addMoveCommands } from "./commands/move.ts";
import { addOfflineCommands } from "./commands/offline.ts";
import { addOpen } from "./commands/open.ts";
import { addOverrideCommands } from "./commands/override.ts";
import { addPartCommands } from "./commands/parts.ts";
import { addRegionCommands } from "./commands/region.ts";
import { addRehearse } from "./commands/rehearse.ts";
import { addSandboxCommands } from "./commands/sandbox.ts";
import { addTransferCommands } from "./commands/transfer.ts";
import { addUp } from "./commands/up.ts";
import type { Terminal } from "./context.ts";
import { CommandFailure, EXIT, EXIT_HELP, type ExitCode } from "./exit-codes.ts";

export const createProgram = (terminal: Terminal): Command => {
  const program = new Command("regent")
    .description("Multi-region DNS failover: see who is fit to serve, move traffic, let it move, and read why.")
    .version("0.1.0")
    .showSuggestionAfterError()
    .addHelpText("after", EXIT_HELP);
  for (const add of [
    addUp,
    addOpen,
    addLookCommands,
    addDig,
    addMoveCommands,
    addRegionCommands,
    addMaintenanceCommands,
    addOverrideCommands,
    addOfflineCommands,
    addChangeCommands,
    addConfigurationCommands,
    addConfigurationVersionCommands,
    addDeadLetterCommands,
    addIncidentCommands,
    addAlertCommands,
    addTransferCommands,
    addRehearse,
    addSandboxCommands,
    addPartCommands,
  ])
    add(program, terminal);
  prepare(program, terminal);
  return program;
};

/** Commander would end the process by itself and print to the real streams. */
const prepare = (command: Command, terminal: Terminal): void => {
  command.exitOverride().configureOutput({ writeOut: terminal.out, writeErr: terminal.err });
  for (const child of command.commands) prepare(child, terminal);
};

/** Runs one command line; never throws for what an operator can do wrong. */
export const runCommand = async (args: readonly string[], terminal: Terminal): Promise<ExitCode> => {
  try {
    await createProgram(terminal).parseAsync(args, { from: "user" });
    return EXIT.done;
  } catch (error) {
    if (error instanceof CommandFailure) {
      terminal.err(`${error.message}\n`);
      return error.exitCode;
    }
    // It has printed already: help and version end with 0, everything else is wrong usage.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
    throw error;
  }
};
