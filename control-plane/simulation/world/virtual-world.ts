/**
 * Agents, the way between, and a control plane on virtual time: events in the order of their moments, nothing waits for a real clock, and a seed
 * gives the same world again. Days and rehearsals live in it.
 */
import { createDue } from "@regent/agents/core/due.ts";
import type { ProbeResult } from "@regent/agents/core/probe-result.ts";
import type { HookCaller } from "@regent/server/ports/hook-caller.ts";
import type { StoredWindow } from "@regent/server/ports/maintenance-store.ts";
import type { ProbeStart } from "./probe-start.ts";
import { createChance } from "./random.ts";
import type { Installation } from "./stationing.ts";
import { startAgent } from "./virtual-agent.ts";
import type { DnsFault } from "./virtual-dns.ts";
import { createVirtualServer, type VirtualServer } from "./virtual-server.ts";

export interface WorldOptions {
  readonly installation: Installation;
  readonly seed: number;
  /** Wall clock at moment 0: the engine writes times of day. */
  readonly startsAt: number;
  readonly probe: (probe: ProbeStart, chance: () => number) => ProbeResult;
  readonly isSilent?: (agent: string, at: number) => boolean;
  readonly dnsFaultAt?: (at: number) => DnsFault | null;
  /** Windows that operators planned, in wall clock times. */
  readonly maintenance?: readonly StoredWindow[];
  /** Who fences and promotes; nobody answers when absent. */
  readonly hooks?: HookCaller;
  /** Looks at everything this often, beside what the reconcile loop would look at; absent: as the loop does. */
  readonly lookEveryMs?: number;
}

export interface VirtualWorld {
  readonly server: VirtualServer;
  /** Does `work` at `at`, ms since the world began. */
  readonly later: (at: number, work: (now: number) => void | Promise<void>) => void;
  readonly runUntil: (at: number) => Promise<void>;
  readonly events: () => number;
}

const HOUR_MS = 3_600_000;

/** One way of a report: mostly quick, sometimes as long as a lost packet takes. */
const WAY_MS_MIN = 5;
const WAY_MS_SPREAD = 95;
const SLOW_WAY_PART = 0.01;
const SLOW_WAY_MS = 900;

export const createVirtualWorld = async (options: WorldOptions): Promise<VirtualWorld> => {
  const {
    installation,
    seed,
    startsAt,
    lookEveryMs,
    isSilent = () => false,
    dnsFaultAt = () => null,
    maintenance = [],
    hooks,
  } = options;
  const { applied, agents } = installation;
  const chance = createChance(seed);
  const wallAt = (at: number): number => startsAt + Math.round(at);
  const server = await createVirtualServer({
    applied,
    startsAt,
    dnsFaultAt: (at) => dnsFaultAt(at - startsAt),
    maintenance,
    ...(hooks ? { hooks } : {}),
  });
  const due = createDue<{ readonly at: number; readonly work: (at: number) => void | Promise<void> }>();
  const later = (at: number, work: (at: number) => void | Promise<void>): void => due.add(at, { at, work });
  let events = 0;
  const wayMs = (): number => Math.round(WAY_MS_MIN + chance() * WAY_MS_SPREAD + (chance() < SLOW_WAY_PART ? SLOW_WAY_MS : 0));
  for (const agent of agents)
    startAgent(agent, {
      aud: applied.aud,
      chance,
      later,
      probe: (probe) => options.probe(probe, chance),
      isSilent,
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
  // Not an event among the others: it may not change in which order those of one moment are taken.
  let lookAllAt = lookEveryMs ?? Number.POSITIVE_INFINITY;

  const runUntil = async (endsAt: number): Promise<void> => {
    for (;;) {
      const lookAt = Math.min(server.nextLookAt() - startsAt, lookAllAt);
      const next = Math.min(due.nextAt() ?? Number.POSITIVE_INFINITY, lookAt);
      if (next > endsAt) return;
      events += 1;
      // Most events are probes, which end at once: waiting for each would take longer than the probe.
      const working = due.take(next)?.work(next);
      if (working !== undefined) await working;
      const isAllDue = lookAllAt <= next;
      if (isAllDue) lookAllAt += lookEveryMs ?? Number.POSITIVE_INFINITY;
      if (isAllDue || lookAt <= next || server.isAnythingTouched()) await server.look(wallAt(next), isAllDue);
    }
  };
  return { server, later, runUntil, events: () => events };
};
