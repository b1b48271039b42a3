/**
 * Which of many moves goes out first. An account lets few calls through, and others may use them up: then the order decides who gets an answer
 * this second and who in half a minute. Pure.
 */
import type { Actor, ChangeKind } from "@regent/contract";

/**
 * `rescue`: traffic leaves where it can't be served, or goes where a person sends it. `recovery`: it is served, and will be served better.
 * `upkeep`: what is answered stays the same.
 */
export type Urgency = "rescue" | "recovery" | "upkeep";

export interface Move {
  readonly kind: ChangeKind;
  readonly actor: Actor;
}

const urgencyByKind: Readonly<Record<ChangeKind, Urgency>> = {
  failover: "rescue",
  failback: "recovery",
  return: "recovery",
  rebalance: "recovery",
  revert: "recovery",
  drain: "recovery",
  undrain: "recovery",
  create: "upkeep",
  adopt: "upkeep",
  release: "upkeep",
  configure: "upkeep",
  freeze: "upkeep",
  unfreeze: "upkeep",
};

/** A person's mark in DNS waits like any other mark: it moves nothing, and automation obeys it from its commit on. */
export const urgencyOf = ({ kind, actor }: Move): Urgency => {
  const urgency = urgencyByKind[kind];
  return actor.kind === "operator" && urgency === "recovery" ? "rescue" : urgency;
};

/** More than the largest declared priority, so that no priority outweighs an urgency. */
const STEP = 10_000;
const steps: Readonly<Record<Urgency, number>> = { rescue: 0, recovery: STEP, upkeep: 2 * STEP };

/** Lower goes first: by urgency, then by the service's priority (1 to 1,000, 1 first). */
export const rankOf = (move: Move, priority: number): number => steps[urgencyOf(move)] + priority;

/** Does traffic suffer while a move of this rank waits? */
export const isRescue = (rank: number): boolean => rank < STEP;

/** By rank, lowest first; those of one rank stay in the order in which they came. */
export const inOrder = <T extends { readonly rank: number }>(moves: readonly T[]): readonly T[] =>
  [...moves].sort((a, b) => a.rank - b.rank);
