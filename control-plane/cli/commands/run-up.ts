/** The life of `regent up`: one at a time in a home, started, shown, and stopped by Ctrl-C, SIGTERM, or whoever holds its pipe. */
import { connect } from "node:net";
import { type Context, logOf } from "../context.ts";
import { CommandFailure, EXIT } from "../exit-codes.ts";
import { emptyHome } from "../up/home.ts";
import { readUpState } from "../up/state.ts";
import { type Supervisor, startSupervisor } from "../up/supervisor.ts";
import { createLineLog } from "../view/line-log.ts";
import { createLiveView, type LiveView } from "../view/live-view.ts";

export const runUp = async (
  context: Context,
  { isWatched, isFresh, isStateful }: { readonly isWatched: boolean; readonly isFresh: boolean; readonly isStateful: boolean },
): Promise<void> => {
  const { home, terminal } = context;
  await refuseSecond(context);
  if (isFresh && !(await emptyHome(home)))
    throw new CommandFailure(
      EXIT.refused,
      `${home.folder} doesn't look like a home of Regent: it is not emptied. Remove it yourself.`,
    );

  const startedAt = performance.now();
  let supervisor: Supervisor | undefined;
  let view: LiveView | undefined;
  const asked = stopAsked(terminal.env);
  const say = (line: string): void => (view === undefined ? terminal.err(`${line}\n`) : view.say(line));
  say(`Starting in ${home.folder}, profile sandbox: 1 s probes and short holds, made for looking at.`);

  const starting = startSupervisor({ home, say, isStateful }, (started) => {
    supervisor = started;
  });
  const outcome = await Promise.race([
    starting.then(() => "ready" as const).catch((error: unknown) => (error instanceof Error ? error : new Error(String(error)))),
    asked.then(() => "stopped" as const),
  ]);
  if (outcome === "ready") {
    const showing = { context, state: () => supervisor!.state(), startedAt };
    view = isWatched && terminal.isInteractive && !context.isJson ? createLiveView(showing) : createLineLog(showing);
    await asked;
  }
  view?.close();
  terminal.err("Stopping.\n");
  await supervisor?.stop();
  // A start that was interrupted may still have been about to start something; it sees that it must not, and what it did start is stopped.
  await starting.catch(() => undefined);
  await supervisor?.stop();
  if (outcome instanceof Error) throw new CommandFailure(EXIT.refused, `${outcome.message}\nLogs: ${logOf(home, "*")}`);
};

const refuseSecond = async ({ home }: Context): Promise<void> => {
  const state = await readUpState(home);
  if (state === null) return;
  // The process id may be another program's by now; the supervisor's door tells.
  if (!(await isOpen(Number(new URL(state.door).port)))) return;
  throw new CommandFailure(
    EXIT.refused,
    `\`regent up\` runs in ${home.folder} already (process ${state.pid}). Stop it first, or use another home with --home.`,
  );
};

const isOpen = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ port, host: "127.0.0.1" });
    const end = (isThere: boolean): void => {
      socket.destroy();
      resolve(isThere);
    };
    socket.setTimeout(500, () => end(false));
    socket.once("connect", () => end(true));
    socket.once("error", () => end(false));
  });

/** Resolves at the first signal. Ctrl-C under npm arrives twice; a second one changes nothing, as the stop has its own deadline. */
const stopAsked = (env: NodeJS.ProcessEnv): Promise<void> =>
  new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => resolve());
    if (env.REGENT_STOP_WITH_STDIN === "1")
      process.stdin
        .once("close", () => resolve())
        .on("error", () => resolve())
        .resume();
  });
