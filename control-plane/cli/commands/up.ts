/** up: everything on one machine, under supervision, with a live view. What `npm start` runs. */
import type { Command } from "commander";
import { type CommonOptions, createContext, type Terminal, withCommon } from "../context.ts";
import { runUp } from "./run-up.ts";

export const addUp = (program: Command, terminal: Terminal): void => {
  withCommon(program.command("up"))
    .description("run everything on this machine: a sandbox Route 53, three regions to break, six agents, the control plane")
    .option("--no-watch", "no live view: a line for each thing that happens")
    .option("--fresh", "forget everything that an earlier run left in the home")
    .option("--stateful", "with a pair of databases, of which one streams to the other, and a service whose data stands there")
    .action((options: CommonOptions & { watch: boolean; fresh?: boolean; stateful?: boolean }) =>
      runUp(createContext(terminal, options), {
        isWatched: options.watch,
        isFresh: options.fresh === true,
        isStateful: options.stateful === true,
      }),
    );
};
