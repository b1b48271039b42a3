/** A day, or a part of it, on virtual time: agents probe what the weather lets them see, and the control plane judges and decides. */
import type { Weights } from "@regent/contract";
import type { Held, Story, Turn } from "../world/story.ts";
import { createVirtualWorld } from "../world/virtual-world.ts";
import { createInstallation, type InstallationOptions } from "./installation.ts";
import { type Fault, look as lookAtWeather } from "./weather.ts";

export interface DayOptions extends InstallationOptions {
  readonly seed: number;
  readonly hours: number;
  readonly faults: readonly Fault[];
  /** Looks at everything this often, beside what the reconcile loop would look at; absent: as the loop does. */
  readonly lookEveryMs?: number;
}

/** Weights that automation changed. */
export interface Move {
  readonly at: number;
  readonly service: string;
  readonly kind: string;
  readonly why: string;
  readonly weights: Weights;
}

/** Moments are milliseconds since the day began. */
export interface Day extends Pick<Story, "downs" | "reports" | "looks" | "suspectLooks" | "badEvidence"> {
  readonly moves: readonly Move[];
  readonly turns: readonly Pick<Turn, "at" | "service" | "region" | "from" | "to">[];
  /** Moves that the strategy wanted and a safety rule held back, each told once. */
  readonly heldBack: readonly Held[];
  readonly probes: number;
  readonly failures: number;
  /** Of one processor. */
  readonly tookMs: number;
}

/** Midnight of some day: the engine writes times of day. */
const STARTS_AT = 1_795_046_400_000;
const HOUR_MS = 3_600_000;

export const runDay = async ({ seed, hours, faults, lookEveryMs, ...installed }: DayOptions): Promise<Day> => {
  const began = process.cpuUsage();
  let probes = 0;
  let failures = 0;
  const world = await createVirtualWorld({
    installation: createInstallation(installed),
    seed,
    startsAt: STARTS_AT,
    probe: (start, chance) => {
      const seen = lookAtWeather(faults, start, chance);
      probes += 1;
      if (seen.outcome === "fail") failures += 1;
      return seen;
    },
    ...(lookEveryMs === undefined ? {} : { lookEveryMs }),
  });
  await world.runUntil(hours * HOUR_MS);
  const { user, system } = process.cpuUsage(began);
  const { story } = world.server;
  const { downs, reports, looks, suspectLooks, badEvidence } = story;
  return {
    downs,
    reports,
    looks,
    suspectLooks,
    badEvidence,
    moves: movesIn(story),
    turns: story.turns.map(({ at, service, region, from, to }) => ({ at: at - STARTS_AT, service, region, from, to })),
    heldBack: story.held.map((held) => ({ ...held, at: held.at - STARTS_AT })),
    probes,
    failures,
    tookMs: (user + system) / 1_000,
  };
};

/** The first write creates what nobody had; it moves nothing. */
const movesIn = ({ changes }: Story): readonly Move[] =>
  changes
    .filter(
      ({ kind, weightsBefore, weightsAfter }) =>
        kind !== "create" && JSON.stringify(weightsBefore) !== JSON.stringify(weightsAfter),
    )
    .map(({ times, service, kind, why, weightsAfter }) => ({
      at: times.decided - STARTS_AT,
      service,
      kind,
      why,
      weights: weightsAfter,
    }));
