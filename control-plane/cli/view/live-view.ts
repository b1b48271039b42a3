/** The live view of `regent up` in a terminal: verdicts, weights, DNS answers, history, and what to type to break things. */
import type { Context } from "../context.ts";
import { VIEW_PERIOD_MS } from "../limits.ts";
import { REGIONS } from "../up/layout.ts";
import type { UpState } from "../up/state.ts";
import { openCanvas } from "./canvas.ts";
import { createGatherer } from "./gather.ts";
import { repeat } from "./repeat.ts";
import { toScreen } from "./screen.ts";

export interface LiveView {
  /** Something that the supervisor wants known. */
  readonly say: (line: string) => void;
  readonly close: () => void;
}

export interface Showing {
  readonly context: Context;
  readonly state: () => UpState;
  /** `performance.now()` when `up` began. */
  readonly startedAt: number;
}

export const REGION_OF: Readonly<Record<string, string>> = Object.fromEntries(
  REGIONS.map(({ id, publishedAddress }) => [publishedAddress, id]),
);

export const createLiveView = ({ context, state }: Showing): LiveView => {
  const { terminal, paint } = context;
  const canvas = openCanvas(terminal);
  const gatherer = createGatherer(context.connect, state().nameServers);
  const notes: string[] = [];
  const stop = repeat(VIEW_PERIOD_MS, async () => {
    const picture = await gatherer.look();
    const input = {
      ...picture,
      title: `Regent  ${state().server}  profile sandbox (1 s probes, short holds)`,
      regionOf: REGION_OF,
      notes,
    };
    canvas.draw(toScreen({ ...input, foot: FOOT }, paint, { columns: terminal.columns(), rows: terminal.rows() }));
  });
  return {
    say: (line) => void notes.push(line),
    close: () => {
      stop();
      canvas.close();
    },
  };
};

/** Typed in another terminal, in the same folder. */
export const FOOT: readonly string[] = [
  "now break something, in another terminal:",
  "  npx regent sandbox break eu-west refuse      the API of a region refuses; also hang, 503, database-down, dead --agents",
  "  npx regent sandbox mend                      everything is well again, and traffic returns in steps",
  "  npx regent explain checkout                  why; npx regent history, npx regent dig shop",
  "  npx regent open                              the dashboard        Ctrl-C stops everything",
];
