/**
 * What is remembered of time when the database's clock has jumped. Pure. Durations are what counts: after a jump forward every moment moves
 * along, so that no hold, ramp, cool-down or penalty runs out by it; and nothing that has happened lies ahead of now, so that after a jump back
 * every clock begins anew instead of standing still for as long.
 */
import type { Instant } from "@regent/contract";
import type { Control, DatabaseView, HealthMemory, Override, PassiveMemory, Ramp, TrafficMemory } from "@regent/engine";
import type { Declared, ServiceRecord, StoredApproval, StoredTransfer } from "../../ports/decision-store.ts";

export interface Jump {
  /** How far forward the clock jumped; 0 when it didn't, or jumped back. */
  readonly forwardMs: number;
  readonly now: Instant;
}

/** The same record when no moment had to move. */
export const followClock = (record: ServiceRecord, { forwardMs, now }: Jump): ServiceRecord => {
  const move: Move = (at) => Math.min(at + forwardMs, Math.max(now, 0));
  const next: ServiceRecord = {
    ...record,
    health: mapValues(record.health, (memory) => moveHealth(memory, move)),
    traffic: moveTraffic(record.traffic, move),
    controls: moveControls(record.controls, move, now),
    approval: record.approval && moveApproval(record.approval, move),
    declared: record.declared && moveDeclared(record.declared, move),
    databases: record.databases.map((view) => moveView(view, move)),
    transfer: record.transfer && moveTransfer(record.transfer, move),
    ownership: { ...record.ownership, reverts: record.ownership.reverts.map(move) },
  };
  return JSON.stringify(next) === JSON.stringify(record) ? record : next;
};

type Move = (at: Instant) => Instant;

/** Whether a region failed before or after it was chosen is asked for as long as the choice stands; when a person froze or drained is only told. */
const moveControls = (controls: ServiceRecord["controls"], move: Move, now: Instant): ServiceRecord["controls"] => {
  const notAhead = (control: Control): Control => ({ ...control, at: Math.min(control.at, Math.max(now, 0)) });
  const { frozen, frozenRegions, drained, placement, overrides } = controls;
  return {
    ...controls,
    frozen: frozen && notAhead(frozen),
    frozenRegions: mapValues(frozenRegions, notAhead),
    drained: mapValues(drained, notAhead),
    placement: placement && { ...placement, at: move(placement.at) },
    overrides: overrides.map((override) => moveOverride(override, move)),
  };
};

/** It counts as long as its operator said. */
const moveOverride = (override: Override, move: Move): Override => {
  const at = move(override.at);
  return { ...override, at, until: at + (override.until - override.at) };
};

/** It waits as long as it would have: its end lies ahead, and stays as far behind its beginning. */
const moveApproval = (approval: StoredApproval, move: Move): StoredApproval => {
  const askedAt = move(approval.askedAt);
  return {
    ...approval,
    askedAt,
    lapsesAt: askedAt + (approval.lapsesAt - approval.askedAt),
    answeredAt: moveKnown(approval.answeredAt, move),
  };
};

const moveDeclared = (declared: Declared, move: Move): Declared => ({
  ...declared,
  since: moveKnown(declared.since, move),
  ...(declared.earlier && { earlier: declared.earlier.map((one) => ({ ...one, at: move(one.at) })) }),
});

/** Its phases last as long as they would have; a lease that readers hold runs by their own clocks, and is waited for in full. */
const moveTransfer = (transfer: StoredTransfer, move: Move): StoredTransfer => ({
  ...transfer,
  startedAt: move(transfer.startedAt),
  phaseAt: move(transfer.phaseAt),
  hook: { ...transfer.hook, lastAt: moveKnown(transfer.hook.lastAt, move) },
});

const moveView = (view: DatabaseView, move: Move): DatabaseView => ({
  ...view,
  lagAt: moveKnown(view.lagAt, move),
  linkLostAt: moveKnown(view.linkLostAt, move),
  seenAt: moveKnown(view.seenAt, move),
});

const moveHealth = (memory: HealthMemory, move: Move): HealthMemory => ({
  ...memory,
  since: move(memory.since),
  evidenceSince: move(memory.evidenceSince),
  detectedAt: moveKnown(memory.detectedAt, move),
  penaltyAt: move(memory.penaltyAt),
});

const moveTraffic = (traffic: TrafficMemory, move: Move): TrafficMemory => ({
  ...traffic,
  passive: mapValues(traffic.passive, (passive) => movePassive(passive, move)),
  out: mapValues(traffic.out, (out) => ({ ...out, since: move(out.since) })),
  ramps: mapValues(traffic.ramps, (ramp) => moveRamp(ramp, move)),
  returnedAt: mapValues(traffic.returnedAt, move),
  failedReturns: mapValues(traffic.failedReturns, (failed) => failed.map(move)),
  lastAutomaticFailoverAt: moveKnown(traffic.lastAutomaticFailoverAt, move),
  failStaticSince: moveKnown(traffic.failStaticSince, move),
  departures: traffic.departures.map((departure) => ({ ...departure, at: move(departure.at) })),
});

const movePassive = ({ returning, ...passive }: PassiveMemory, move: Move): PassiveMemory => ({
  ...passive,
  returning: returning && { ...returning, ramp: moveRamp(returning.ramp, move) },
});

const moveRamp = (ramp: Ramp, move: Move): Ramp => ({
  ...ramp,
  startedAt: move(ramp.startedAt),
  steppedAt: move(ramp.steppedAt),
});

const moveKnown = (at: Instant | null, move: Move): Instant | null => (at === null ? null : move(at));

const mapValues = <T, U>(record: Readonly<Record<string, T>>, change: (value: T) => U): Record<string, U> =>
  Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value)]));
