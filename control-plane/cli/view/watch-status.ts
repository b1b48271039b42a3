/**
 * `regent status --watch` in a terminal: the live screen of any server, with keys for the common actions. What a key does is asked back for:
 * region and reason are typed, and a dry run is shown before anything moves.
 */
import { emitKeypressEvents } from "node:readline";
import { createInterface } from "node:readline/promises";
import type { Client, ClientAnswer } from "@regent/server/http/client.ts";
import { type Context, problemText } from "../context.ts";
import { toMove } from "../format/move.ts";
import { WATCH_PERIOD_MS } from "../limits.ts";
import { openCanvas } from "./canvas.ts";
import { createGatherer } from "./gather.ts";
import { REGION_OF } from "./live-view.ts";
import { repeat } from "./repeat.ts";
import { toScreen } from "./screen.ts";

const FOOT = ["f failover   b failback   d drain   u undrain   z freeze   x unfreeze   q quit"];

type Verb = "failover" | "failback" | "drain" | "undrain" | "freeze" | "unfreeze";
const KEYS: Readonly<Record<string, Verb>> = {
  f: "failover",
  b: "failback",
  d: "drain",
  u: "undrain",
  z: "freeze",
  x: "unfreeze",
};

export const watchStatus = async (context: Context, client: Client): Promise<void> => {
  const { terminal, paint } = context;
  const state = await context.up();
  const gatherer = createGatherer(async () => client, state?.nameServers ?? []);
  const notes: string[] = [];
  const show = () => {
    const canvas = openCanvas(terminal);
    const stop = repeat(WATCH_PERIOD_MS, async () => {
      const picture = await gatherer.look();
      const input = { ...picture, title: "Regent", regionOf: REGION_OF, notes, foot: FOOT };
      canvas.draw(toScreen(input, paint, { columns: terminal.columns(), rows: terminal.rows() }));
    });
    return () => {
      stop();
      canvas.close();
    };
  };
  for (;;) {
    const hide = show();
    const verb = await nextVerb();
    hide();
    if (verb === null) return;
    notes.push(await act(context, client, verb));
  }
};

/** null to quit. Keys come one by one only while the terminal is raw. */
const nextVerb = (): Promise<Verb | null> =>
  new Promise((resolve) => {
    const { stdin } = process;
    emitKeypressEvents(stdin);
    stdin.setRawMode?.(true);
    stdin.resume();
    const end = (verb: Verb | null): void => {
      stdin.off("keypress", onKey);
      stdin.setRawMode?.(false);
      stdin.pause();
      resolve(verb);
    };
    const onKey = (_: string, key: { readonly name?: string; readonly ctrl?: boolean }): void => {
      const verb = KEYS[key.name ?? ""];
      if (key.name === "q" || (key.ctrl === true && key.name === "c")) end(null);
      else if (verb !== undefined) end(verb);
    };
    stdin.on("keypress", onKey);
  });

/** Answers the line that the screen then shows. */
const act = async ({ terminal, paint }: Context, client: Client, verb: Verb): Promise<string> => {
  const typed = createInterface({ input: process.stdin, output: process.stdout });
  try {
    const question = async (what: string): Promise<string> => (await typed.question(`${what}: `)).trim();
    const service = await question(`${verb} which service`);
    if (service === "") return `${verb}: left`;
    if (verb === "freeze" || verb === "unfreeze") {
      const reason = await question("reason");
      return lineOf(await client[verb]({ service }, reason), ({ why }) => why, paint);
    }
    const region = verb === "failback" ? "" : await question("region");
    const reason = await question("reason");
    const send = (dryRun: boolean) =>
      verb === "failover"
        ? client.failover(service, { to: region, reason, dryRun })
        : verb === "failback"
          ? client.failback(service, { reason, dryRun })
          : client[verb](service, { region, reason, dryRun });
    const rehearsed = await send(true);
    if (rehearsed.kind !== "ok") return lineOf(rehearsed, () => "", paint);
    terminal.out(`${toMove(rehearsed.value, paint).join("\n")}\n`);
    if ((await question("send it? type yes")) !== "yes") return `${verb}: left`;
    return lineOf(await send(false), ({ why }) => `${verb} ${service}: ${why}`, paint);
  } finally {
    typed.close();
  }
};

const lineOf = <T>(answer: ClientAnswer<T>, text: (value: T) => string, paint: Context["paint"]): string => {
  switch (answer.kind) {
    case "ok":
      return text(answer.value);
    case "problem":
      return `✖ ${problemText(answer.problem, paint).split("\n")[0]}`;
    case "unreachable":
      return `✖ ${answer.why}`;
  }
};
