/**
 * Where the known agents stand, worked out once for all targets that are looked at with one list of agents. Pure. Called by cast.ts's
 * callers.
 */
import type { RegionId } from "@regent/contract";
import type { AgentEvidence, Vantage } from "../model.ts";
import { groupBy } from "./group-by.ts";

/** A vantage with the agents that stand there. One object per vantage and seating, so that two of them may be compared by identity. */
export interface SeatedVantage extends Vantage {
  /** `region/network`, the vantage's name in votes, suspects and sentences. */
  readonly id: string;
  readonly agents: readonly AgentEvidence[];
  /** Its place among all vantages in alphabetical order. */
  readonly rank: number;
}

export interface Seat {
  readonly agent: AgentEvidence;
  readonly vantage: SeatedVantage;
}

export interface Seating {
  readonly seatByAgent: ReadonlyMap<string, Seat>;
  /** In alphabetical order. */
  readonly vantages: readonly SeatedVantage[];
  readonly agentsByRegion: ReadonlyMap<RegionId, readonly AgentEvidence[]>;
}

/** One seat per agent, as it was when heard of last. `agents` may hold duplicates in any order. */
export const seatAgents = (agents: readonly AgentEvidence[]): Seating => {
  const latest = new Map<string, AgentEvidence>();
  for (const agent of agents) {
    const known = latest.get(agent.agent);
    if (known === undefined || isHeardLater(agent, known)) latest.set(agent.agent, agent);
  }
  const vantages = [...groupBy([...latest.values()], ({ vantage }) => vantageIdOf(vantage))]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([id, own], rank): SeatedVantage => {
      const { region, network } = own[0]!.vantage;
      return { id, region, network, agents: own, rank };
    });
  const seats = vantages.flatMap((vantage) => vantage.agents.map((agent): Seat => ({ agent, vantage })));
  return {
    seatByAgent: new Map(seats.map((seat) => [seat.agent.agent, seat])),
    vantages,
    agentsByRegion: groupBy([...latest.values()], ({ vantage }) => vantage.region),
  };
};

const vantageIdOf = ({ region, network }: Vantage): string => `${region}/${network}`;

/** Of two entries heard of at one moment the unwell one counts. */
const isHeardLater = (a: AgentEvidence, b: AgentEvidence): boolean =>
  a.heardAt === b.heardAt ? !a.selfHealthy && b.selfHealthy : (a.heardAt ?? -1) > (b.heardAt ?? -1);
