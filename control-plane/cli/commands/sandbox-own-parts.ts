/** sandbox stop|kill|start PART: our own parts. With the server stopped one sees that the answers stay, and native checks leave a dead primary. */
import type { Command } from "commander";
import { type CommonOptions, type Context, createContext, notRunning, type Terminal, withCommon } from "../context.ts";
import { CommandFailure, EXIT } from "../exit-codes.ts";
import { readText } from "../up/home.ts";

const DESCRIPTIONS = {
  stop: "stop a part of `regent up` in order, and leave it stopped",
  kill: "kill -9 a part of `regent up`, and leave it dead",
  start: "start a stopped part again",
} as const;

type Verb = keyof typeof DESCRIPTIONS;

export const addOwnParts = (sandbox: Command, terminal: Terminal): void => {
  for (const verb of ["stop", "kill", "start"] as const)
    withCommon(sandbox.command(verb))
      .description(DESCRIPTIONS[verb])
      .argument("<part>", "server, sandbox, hook, region-REGION or agent-AGENT")
      .action(async (part: string, options: CommonOptions) => {
        const context = createContext(terminal, options);
        const view = await tellSupervisor(context, part, verb);
        context.print(view, () => [`${part}: ${view.state}`]);
      });
};

/** Throws a CommandFailure when the supervisor is away, knows no such part, or could not do it. */
export const tellSupervisor = async ({ home, up }: Context, part: string, verb: Verb): Promise<{ readonly state?: string }> => {
  const state = await up();
  const token = await readText(home.sandboxToken);
  if (state === null || token === null) throw notRunning(home);
  const response = await fetch(new URL(`/v1/up/parts/${encodeURIComponent(part)}/${verb}`, state.door), {
    method: "POST",
    headers: { authorization: `Bearer ${token.trim()}` },
  }).catch(() => {
    throw notRunning(home);
  });
  const body = (await response.json()) as { readonly state?: string; readonly detail?: string };
  if (response.ok) return body;
  throw new CommandFailure(response.status === 404 ? EXIT.notFound : EXIT.refused, body.detail ?? response.statusText);
};
