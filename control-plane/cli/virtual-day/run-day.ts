/**
 * A day, or a part of it, on virtual time: agents probe what the weather lets them see, reports take their way, the control plane judges and
 * decides. Nothing waits for a real clock, and a seed gives the same day again.
 */
import { createDue } from "@regent/agents/core/due.ts";
import { createSeededRandom } from "@regent/sandbox/dns/random.ts";
import { createInstallation, type InstallationOptions } from "./installation.ts";
import { startAgent } from "./virtual-agent.ts";
import { createVirtualServer, type Move, type ServerStory, type Turn } from "./virtual-server.ts";
import { type Fault, look as lookAtWeather, type ProbeStart } from "./weather.ts";

export interface DayOptions extends InstallationOptions {
  readonly seed: number;
  readonly hours: number;
  readonly faults: readonly Fault[];
  /** Looks at everything this often, beside what the reconcile loop would look at; absent: as the loop does. */
  readonly lookEveryMs?: number;
}

/** Moments are milliseconds since the day began. */
export interface Day extends Omit<ServerStory, "moves" | "turns"> {
  readonly moves: readonly Move[];
  readonly turns: readonly Turn[];
  readonly probes: number;
  readonly failures: number;
  /** Of one processor. */
  readonly tookMs: number;
}

/** Midnight of some day: the engine writes times of day. */
const STARTS_AT = 1_795_046_400_000;
const HOUR_MS = 3_600_000;

/** One way of a report: mostly quick, sometimes as long as a lost packet takes. */
const WAY_MS_MIN = 5;
const WAY_MS_SPREAD = 95;
const SLOW_WAY_PART = 0.01;
const SLOW_WAY_MS = 900;

export const runDay = async ({ seed, hours, faults, lookEveryMs, ...installed }: DayOptions): Promise<Day> => {
  const began = process.cpuUsage();
  const { applied, agents } = createInstallation(installed);
  const chance = createSeededRandom(seed);
  const server = await createVirtualServer(applied, STARTS_AT);
  const due = createDue<{ readonly at: number; readonly work: () => void | Promise<void> }>();
  const later = (at: number, work: () => void | Promise<void>): void => due.add(at, { at, work });
  let probes = 0;
  let failures = 0;

  const probe = (start: ProbeStart) => {
    const seen = lookAtWeather(faults, start, chance);
    probes += 1;
    if (seen.outcome === "fail") failures += 1;
    return seen;
  };
  const wayMs = (): number => Math.round(WAY_MS_MIN + chance() * WAY_MS_SPREAD + (chance() < SLOW_WAY_PART ? SLOW_WAY_MS : 0));
  const wallAt = (at: number): number => STARTS_AT + Math.round(at);
  for (const agent of agents)
    startAgent(agent, {
      aud: applied.aud,
      chance,
      later,
      probe,
      wayMs,
      wallAt,
      deliver: (report, at) => server.take(report, wallAt(at)),
    });
  const everyHour = (at: number): void =>
    later(at, async () => {
      await server.forget(wallAt(at) - HOUR_MS);
      everyHour(at + HOUR_MS);
    });
  everyHour(HOUR_MS);
  const endsAt = hours * HOUR_MS;
  // Not an event among the others: it may not change in which order those of one moment are taken.
  let lookAllAt = lookEveryMs ?? Number.POSITIVE_INFINITY;
  for (;;) {
    const lookAt = Math.min(server.nextLookAt() - STARTS_AT, lookAllAt);
    const next = Math.min(due.nextAt() ?? endsAt, lookAt);
    if (next > endsAt) break;
    // Most events are probes, which end at once: waiting for each would take longer than the probe.
    const working = due.take(next)?.work();
    if (working !== undefined) await working;
    const isAllDue = lookAllAt <= next;
    if (isAllDue) lookAllAt += lookEveryMs ?? Number.POSITIVE_INFINITY;
    if (isAllDue || lookAt <= next || server.isAnythingTouched()) await server.look(wallAt(next), isAllDue);
  }
  const { user, system } = process.cpuUsage(began);
  const sinceStart = <T extends { readonly at: number }>(told: readonly T[]): T[] =>
    told.map((one) => ({ ...one, at: one.at - STARTS_AT }));
  const { story } = server;
  return {
    ...story,
    moves: sinceStart(story.moves),
    turns: sinceStart(story.turns),
    heldBack: sinceStart(story.heldBack),
    probes,
    failures,
    tookMs: (user + system) / 1_000,
  };
};
