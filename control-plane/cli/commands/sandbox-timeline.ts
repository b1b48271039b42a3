/**
 * Draws an outage: script and seed to a timeline of breaks and mends. Pure: the same seed gives the same timeline. Called by sandbox-play.ts.
 *
 * A thing is broken in one way at a time, as in the sandbox itself: a later break of the same thing takes its place, and the end of the earlier
 * one then leaves it alone.
 */
import { ApiFault, DatabaseFault, type RegionFault } from "@regent/sandbox/faults.ts";
import { createDraw } from "@regent/sandbox/regions/misbehaviour.ts";
import type { Doing, OutageScript, OutageStep, Span } from "./sandbox-script.ts";
import type { Break, Mend, OutageWorld } from "./sandbox-script-words.ts";
import { toBreakText, toMendText, toOverText } from "./sandbox-texts.ts";

/** The smallest thing that is broken and mended by itself. */
export type Thing =
  | { readonly kind: "database"; readonly region: string }
  | { readonly kind: "api"; readonly region: string }
  | { readonly kind: "agent"; readonly id: string; readonly region: string }
  | { readonly kind: "link"; readonly from: string; readonly to: string }
  /** Each fault of Route 53 stands for itself; `breakId` is that of its act. */
  | { readonly kind: "route53"; readonly breakId: number; readonly fault: string }
  | { readonly kind: "part"; readonly part: string };

interface ActFields {
  /** From the start of the outage. */
  readonly atMs: number;
  /** Of the step in the file, from 1; 0 for the mend at the end. */
  readonly line: number;
  /** For a person. */
  readonly text: string;
  readonly things: readonly Thing[];
}
export interface BreakAct extends ActFields {
  readonly kind: "break";
  /** From 0, in the order of the timeline. */
  readonly id: number;
  readonly what: Break;
  readonly note: string | undefined;
}
export interface MendAct extends ActFields {
  readonly kind: "mend";
  /** The break's `for` is over, a step says so, or the outage ends. Only a step may find nothing to mend. */
  readonly why: "over" | "step" | "end";
}
export type Act = BreakAct | MendAct;

export interface Timeline {
  readonly name: string;
  readonly seed: number;
  /** In order of time; after the last one nothing is broken any more. */
  readonly acts: readonly Act[];
  readonly endMs: number;
}

/** @param seed in place of the script's own */
export const drawTimeline = (script: OutageScript, world: OutageWorld, seed = script.seed): Timeline => {
  const events = drawEvents(script, seed);
  const endMs = script.lastsMs ?? Math.max(...events.map(({ atMs }) => atMs));
  const acts: Act[] = [];
  const standing = new Map<string, { readonly thing: Thing; readonly id: number }>();
  const end = (isMeant: (thing: Thing, id: number) => boolean): Thing[] => {
    const ended = [...standing].filter(([, { thing, id }]) => isMeant(thing, id));
    for (const [key] of ended) standing.delete(key);
    return ended.map(([, { thing }]) => thing);
  };
  for (const event of events) {
    if (event.atMs > endMs) break;
    const { atMs, step, doing, id } = event;
    const { line, note } = step;
    if (event.kind === "over") {
      const things = end((_, owner) => owner === id);
      if (things.length > 0) acts.push({ kind: "mend", why: "over", atMs, line, text: toOverText(event.doing.what), things });
    } else if (doing.kind === "mend") {
      const things = end((thing) => isMeantBy(doing.what, thing));
      acts.push({ kind: "mend", why: "step", atMs, line, text: toMendText(doing.what), things });
    } else {
      const things = thingsOf(doing.what, world, id);
      for (const thing of things) standing.set(keyOf(thing), { thing, id });
      acts.push({ kind: "break", id, atMs, line, text: toBreakText(doing.what), what: doing.what, things, note });
    }
  }
  const left = end(() => true);
  if (left.length > 0) acts.push({ kind: "mend", why: "end", atMs: endMs, line: 0, text: "what still stands", things: left });
  return { name: script.name, seed, acts, endMs };
};

type Broken = Extract<Doing, { kind: "break" }>;

type Event = {
  readonly atMs: number;
  readonly step: OutageStep;
  /** Of the break that begins or is over; that of a mend says nothing. */
  readonly id: number;
} & ({ readonly kind: "begin"; readonly doing: Doing } | { readonly kind: "over"; readonly doing: Broken });

/** Of two at the same time, what is over goes first, so that a thing mended and broken at once ends up broken; then the file's order. */
const drawEvents = ({ steps }: OutageScript, seed: number): Event[] => {
  const begun = steps.flatMap((step, index) => drawStep(step, createDraw(mix(seed, index))));
  begun.sort((a, b) => a.atMs - b.atMs);
  const events = begun.flatMap(({ atMs, step, doing, standsMs }, id): Event[] => {
    const begin: Event = { kind: "begin", atMs, step, doing, id };
    if (doing.kind !== "break" || standsMs === undefined) return [begin];
    return [begin, { kind: "over", atMs: atMs + standsMs, step, doing, id }];
  });
  return events.sort((a, b) => a.atMs - b.atMs || (a.kind === b.kind ? a.id - b.id : a.kind === "over" ? -1 : 1));
};

/** Each step has a generator of its own, so that changing one leaves what the others drew. */
const mix = (seed: number, index: number): number => (seed ^ Math.imul(index + 1, 0x9e37_79b1)) >>> 0;

interface Begun {
  readonly atMs: number;
  readonly step: OutageStep;
  readonly doing: Doing;
  readonly standsMs: number | undefined;
}

const drawStep = (step: OutageStep, draw: () => number): Begun[] => {
  const within = ({ minMs, maxMs }: Span): number => minMs + Math.round((maxMs - minMs) * draw());
  const begun: Begun[] = [];
  let atMs = within(step.at);
  for (let time = 0; time < step.times; time++) {
    if (time > 0) atMs += within(step.every);
    const doing = step.choices[Math.floor(draw() * step.choices.length)]!;
    const standsMs = doing.kind === "break" && doing.stands !== undefined ? within(doing.stands) : undefined;
    begun.push({ atMs, step, doing, standsMs });
  }
  return begun;
};

const thingsOf = (what: Break, world: OutageWorld, id: number): Thing[] => {
  const agents = (isMeant: (agent: OutageWorld["agents"][number]) => boolean): Thing[] =>
    world.agents.filter(isMeant).map((agent) => ({ kind: "agent", ...agent }));
  switch (what.on) {
    case "region":
      return thingsOfRegion(what.region, what.fault, agents);
    case "links": {
      const { from, to } = what.cut;
      const targets = world.targets.filter((target) => to === undefined || to === target);
      const vantages = world.vantages.filter((vantage) => from === undefined || from === vantage);
      return vantages.flatMap((vantage) => targets.map((target): Thing => ({ kind: "link", from: vantage, to: target })));
    }
    case "route53":
      return [{ kind: "route53", breakId: id, fault: what.fault.kind }];
    case "agents":
      return agents((agent) => what.ids.includes(agent.id));
    case "part":
      return [{ kind: "part", part: what.part }];
  }
};

const thingsOfRegion = (
  region: string,
  fault: RegionFault,
  agents: (isMeant: (agent: OutageWorld["agents"][number]) => boolean) => Thing[],
): Thing[] => {
  const [database, api]: [Thing, Thing] = [
    { kind: "database", region },
    { kind: "api", region },
  ];
  const here = (ids?: readonly string[]): Thing[] =>
    agents((agent) => agent.region === region && (ids === undefined || ids.includes(agent.id)));
  if (fault.fault === "agents-dead") return here(fault.agents);
  // The database first, as it is mended first: an API whose deep check still fails would look like a failed return.
  if (fault.fault === "dead") return [database, api, ...(fault.agents ? here() : [])];
  return [isDatabaseFault(fault.fault) ? database : api];
};

const API_FAULTS: readonly string[] = ApiFault.options.map((option) => option.shape.fault.value);
const DATABASE_FAULTS: readonly string[] = DatabaseFault.options.map((option) => option.shape.fault.value);
const isDatabaseFault = (fault: string): boolean => DATABASE_FAULTS.includes(fault);

const isMeantBy = (mend: Mend, thing: Thing): boolean => {
  switch (mend.on) {
    case "everything":
      return true;
    case "region":
      return isOfRegion(thing, mend);
    case "links": {
      const { from = undefined, to = undefined } = mend.choice;
      return thing.kind === "link" && (from === undefined || from === thing.from) && (to === undefined || to === thing.to);
    }
    case "route53":
      return thing.kind === "route53" && (mend.kind === "all" || mend.kind === thing.fault);
    case "agents":
      return thing.kind === "agent" && mend.ids.includes(thing.id);
    case "part":
      return thing.kind === "part" && thing.part === mend.part;
  }
};

const isOfRegion = (thing: Thing, { region, fault }: Extract<Mend, { on: "region" }>): boolean => {
  if (!("region" in thing) || thing.region !== region) return false;
  if (fault === undefined || fault === "dead") return true;
  if (fault === "agents-dead") return thing.kind === "agent";
  return thing.kind === (isDatabaseFault(fault) ? "database" : API_FAULTS.includes(fault) ? "api" : undefined);
};

/** The same for the same thing, whichever act names it. */
export const keyOf = (thing: Thing): string => {
  switch (thing.kind) {
    case "database":
    case "api":
      return `${thing.kind} ${thing.region}`;
    case "agent":
      return `agent ${thing.id}`;
    case "link":
      return `link ${thing.from} ${thing.to}`;
    case "route53":
      return `route53 ${thing.breakId}`;
    case "part":
      return `part ${thing.part}`;
  }
};
