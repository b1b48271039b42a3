/** sandbox play FILE: draws a scripted outage from its seed, shows it, plays it, and leaves nothing broken. */
import type { SandboxClient } from "@regent/sandbox/control-client.ts";
import { pairTarget } from "@regent/sandbox/pair.ts";
import type { Command } from "commander";
import {
  type CommonOptions,
  type Context,
  createContext,
  needSandbox,
  readGiven,
  type Terminal,
  withCommon,
} from "../context.ts";
import { CommandFailure, EXIT } from "../exit-codes.ts";
import { readText } from "../up/home.ts";
import { AGENTS, LINK_TARGETS, REGIONS } from "../up/layout.ts";
import { Ports } from "../up/ports.ts";
import { toWholeNumber } from "./sandbox-numbers.ts";
import { tellSupervisor } from "./sandbox-own-parts.ts";
import { type Hands, type Played, type PlayedAct, playTimeline } from "./sandbox-player.ts";
import { parseOutageScript } from "./sandbox-script.ts";
import type { OutageWorld } from "./sandbox-script-words.ts";
import { type Act, drawTimeline, type Thing, type Timeline } from "./sandbox-timeline.ts";

/** What `regent up` runs. */
export const LAID_OUT: OutageWorld = {
  regions: REGIONS.map(({ id }) => id),
  agents: AGENTS.map(({ id, region }) => ({ id, region })),
  vantages: AGENTS.map(({ vantage }) => vantage),
  targets: LINK_TARGETS,
};

interface PlayOptions extends CommonOptions {
  readonly seed?: number;
  readonly dryRun?: boolean;
}

export const addPlay = (sandbox: Command, terminal: Terminal): void => {
  withCommon(sandbox.command("play"))
    .description("play a scripted outage; at its end, and on Ctrl-C, everything that it broke is mended")
    .argument("<file>", "a script; docs/SANDBOX.md says how one looks, docs/example/outages has some")
    .option("--seed <n>", "draw from this seed instead of the script's", toWholeNumber)
    .option("--dry-run", "only show what this seed draws")
    .action(async (file: string, options: PlayOptions) => {
      const context = createContext(terminal, options);
      const timeline = await readTimeline(file, options.seed, await worldOf(context));
      if (options.dryRun === true) return context.print(timeline, () => toTimelineLines(timeline));
      const hands = createHands(context, await context.sandbox());
      if (!context.isJson) terminal.out(`${toTimelineLines(timeline).join("\n")}\n\n`);
      const played = await playWatched(timeline, hands, context);
      if (context.isJson) context.print(toReport(timeline, played), () => []);
      judge(played, context);
    });
};

/** A home with a pair of databases has links to its halves as well, which a cut of all links of a vantage cuts. */
const worldOf = async ({ home }: Context): Promise<OutageWorld> => {
  const ports = Ports.safeParse(JSON.parse((await readText(home.ports)) ?? "null"));
  const halves = Object.keys(ports.data?.pair?.halves ?? {});
  return { ...LAID_OUT, targets: [...LAID_OUT.targets, ...halves.map(pairTarget)] };
};

const readTimeline = async (file: string, seed: number | undefined, world: OutageWorld): Promise<Timeline> => {
  const parsed = parseOutageScript(await readGiven(file), file, world);
  if (parsed.kind === "valid") return drawTimeline(parsed.script, world, seed);
  const { lines } = parsed;
  throw new CommandFailure(
    EXIT.usage,
    [...lines, `${lines.length} ${lines.length === 1 ? "error" : "errors"}; nothing was broken.`].join("\n"),
  );
};

const playWatched = async (timeline: Timeline, hands: Hands, { terminal, isJson }: Context): Promise<Played> => {
  const stop = new AbortController();
  const onSignal = (): void => {
    if (!isJson) terminal.err("Interrupted: mending what was broken. Again to leave it broken.\n");
    stop.abort();
  };
  // Once only: whoever asks a second time gets away at once.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, onSignal);
  try {
    return await playTimeline(timeline, {
      hands,
      now: () => performance.now(),
      sleep,
      signal: stop.signal,
      onPlayed: (played) => {
        if (!isJson) terminal.out(`${toPlayedLine(played)}\n`);
      },
    });
  } finally {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.off(signal, onSignal);
  }
};

const sleep = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const wake = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", wake);
      resolve();
    };
    const timer = setTimeout(wake, ms);
    signal.addEventListener("abort", wake);
  });

const createHands = (context: Context, client: SandboxClient): Hands => ({
  break: async (what) => {
    switch (what.on) {
      case "region":
        needSandbox(await client.breakRegion(what.region, what.fault));
        return undefined;
      case "links":
        needSandbox(await client.cutLinks(what.cut));
        return undefined;
      case "route53":
        return needSandbox(await client.breakRoute53(what.fault)).id;
      case "agents":
        needSandbox(await client.killAgents({ agents: [...what.ids] }));
        return undefined;
      case "part":
        await tellSupervisor(context, what.part, what.by);
        return undefined;
    }
  },
  mend: async (things, faultIdOf) => {
    // All are tried: one that can't be mended leaves no other broken.
    const failures: unknown[] = [];
    for (const thing of things)
      await mendThing(context, client, { thing, faultIdOf }).catch((error: unknown) => failures.push(error));
    if (failures.length > 0) throw failures[0];
  },
});

const mendThing = async (
  context: Context,
  client: SandboxClient,
  { thing, faultIdOf }: { readonly thing: Thing; readonly faultIdOf: (breakId: number) => string | undefined },
): Promise<void> => {
  switch (thing.kind) {
    // Any fault of the part names it.
    case "database":
      return void needSandbox(await client.mendRegion(thing.region, { fault: "database-down" }));
    case "api":
      return void needSandbox(await client.mendRegion(thing.region, { fault: "refuse" }));
    case "agent":
      return void needSandbox(await client.startAgent(thing.id));
    case "link":
      return void needSandbox(await client.mendLinks({ from: thing.from, to: thing.to }));
    case "route53": {
      const id = faultIdOf(thing.breakId);
      return id === undefined ? undefined : void needSandbox(await client.mendRoute53({ id }));
    }
    case "part":
      return void (await tellSupervisor(context, thing.part, "start"));
  }
};

const toTimelineLines = ({ name, seed, acts, endMs }: Timeline): string[] => [
  `${name}, seed ${seed}: ${acts.length} acts in ${seconds(endMs)}`,
  ...acts.map((act) => `${seconds(act.atMs).padStart(9)}  ${toActText(act)}`),
];

const toActText = (act: Act): string => {
  if (act.kind === "break") return `break  ${act.text}${act.note === undefined ? "" : `  # ${act.note}`}`;
  return `mend   ${act.text}${act.things.length === 0 ? " (nothing of this script stands there)" : ""}`;
};

const toPlayedLine = ({ act, beganMs, tookMs, failed }: PlayedAct): string => {
  const outcome = failed === undefined ? `done in ${Math.round(tookMs)} ms` : `FAILED: ${failed}`;
  return `${`+${seconds(beganMs)}`.padStart(9)}  ${toActText(act)}  ${outcome}`;
};

const seconds = (ms: number): string => `${(ms / 1_000).toFixed(2)} s`;

const toReport = ({ name, seed }: Timeline, { acts, isInterrupted, left }: Played): object => ({
  name,
  seed,
  isInterrupted,
  acts: acts.map(({ act, beganMs, tookMs, failed }) => ({
    kind: act.kind,
    atMs: act.atMs,
    line: act.line,
    text: act.text,
    beganMs: Math.round(beganMs),
    tookMs: Math.round(tookMs),
    ...(failed === undefined ? {} : { failed }),
  })),
  left: left?.things ?? [],
});

/** The exit code: everything was done as drawn, or it wasn't. */
const judge = ({ acts, isInterrupted, left }: Played, { isJson, terminal }: Context): void => {
  if (left !== undefined)
    throw new CommandFailure(EXIT.refused, `Not all could be mended: ${left.why} \`regent sandbox mend\` tries again.`);
  const failed = acts.filter((played) => played.failed !== undefined).length;
  if (failed > 0) throw new CommandFailure(EXIT.refused, `${failed} of ${acts.length} acts failed. What was broken is mended.`);
  if (isInterrupted) throw new CommandFailure(EXIT.refused, "Interrupted. What was broken is mended.");
  if (!isJson) terminal.out("Over. What was broken is mended.\n");
};
