/**
 * How the Route 53 API misbehaves on command. A fault is taken by the next calls it fits, until its count or time is used up
 * or it is cleared. Used by the server for each call; set by tests and by the sandbox's control.
 */
import { z } from "zod";
import { DELAY_MS_MAX, FAULTS_MAX, NAME_SERVERS_MAX } from "../limits.ts";
import { compact } from "./model.ts";

const Delay = z.number().min(0).max(DELAY_MS_MAX);

/** When it stands; the same for all kinds. */
const when = {
  /** Calls it takes; absent: until cleared. */
  count: z.number().int().min(1).max(1_000_000).optional(),
  /** How long it stands, in ms; absent: until cleared. */
  forMs: Delay.optional(),
  /** Operations it fits; `*` is all. */
  operations: z.array(z.string().min(1).max(64)).min(1).max(32).default(["ChangeResourceRecordSets"]),
};

/** What it does to a call that it fits. All times in milliseconds. */
export const Fault = z.discriminatedUnion("kind", [
  /** Answers Throttling. */
  z.strictObject({ kind: z.literal("throttle"), ...when }),
  /** Answers 5xx; `isApplied` says whether the change was made nevertheless. */
  z.strictObject({
    kind: z.literal("server-error"),
    status: z.union([z.literal(500), z.literal(503)]).default(500),
    isApplied: z.boolean().default(false),
    ...when,
  }),
  /** Never answers. Nothing was done. */
  z.strictObject({ kind: z.literal("timeout-before"), ...when }),
  /** Never answers. The change was made. */
  z.strictObject({ kind: z.literal("timeout-after"), ...when }),
  /** Never answers. The change is tried after `delayMs`, with the zone as it is then. */
  z.strictObject({ kind: z.literal("late-apply"), delayMs: Delay, ...when }),
  /** Answers as always; after `delayMs` the change is lost: the zone is as before, GetChange says PENDING for ever. */
  z.strictObject({ kind: z.literal("strand"), delayMs: Delay, ...when }),
  /** Answers PriorRequestNotComplete. */
  z.strictObject({ kind: z.literal("prior-request"), ...when }),
  /** The change reaches all name servers after `delayMs`. */
  z.strictObject({ kind: z.literal("slow-propagation"), delayMs: Delay, ...when }),
  /** The change reaches name server i after `perServerMs[i]`. */
  z.strictObject({ kind: z.literal("staggered-propagation"), perServerMs: z.array(Delay).min(1).max(NAME_SERVERS_MAX), ...when }),
]);
export type FaultInput = z.input<typeof Fault>;
export type Fault = z.output<typeof Fault>;

export interface StandingFault {
  readonly id: string;
  readonly fault: Fault;
  /** Calls left; absent: no end. */
  readonly left?: number;
  /** Epoch milliseconds; absent: no end. */
  readonly until?: number;
}

export interface Faults {
  /** Throws a ZodError on a fault that isn't one. Returns the id to clear it by. */
  readonly set: (fault: FaultInput) => string;
  /** Without an id: all. Versions held back by a propagation fault then arrive as by the standing propagation. */
  readonly clear: (id?: string) => void;
  readonly list: () => readonly StandingFault[];
  /** The first standing fault that fits this call, one call used up; for the server. */
  readonly take: (operation: string) => Fault | undefined;
}

export const createFaults = ({ now, onCleared }: { now: () => number; onCleared: () => void }): Faults => {
  let standing: StandingFault[] = [];
  let made = 0;
  const prune = (): void => {
    standing = standing.filter((fault) => (fault.left ?? 1) > 0 && (fault.until ?? Number.POSITIVE_INFINITY) > now());
  };
  return {
    set: (input) => {
      const fault = Fault.parse(input);
      prune();
      if (standing.length >= FAULTS_MAX) throw new RangeError(`at most ${FAULTS_MAX} faults stand at a time`);
      const id = `fault-${++made}`;
      const until = fault.forMs === undefined ? undefined : now() + fault.forMs;
      standing.push(compact<StandingFault>({ id, fault, left: fault.count, until }));
      return id;
    },
    clear: (id) => {
      standing = id === undefined ? [] : standing.filter((fault) => fault.id !== id);
      onCleared();
    },
    list: () => {
      prune();
      return standing;
    },
    take: (operation) => {
      prune();
      const found = standing.find(({ fault }) => fault.operations.includes("*") || fault.operations.includes(operation));
      if (!found) return undefined;
      standing = standing.map((other) =>
        other === found && other.left !== undefined ? { ...other, left: other.left - 1 } : other,
      );
      return found.fault;
    },
  };
};
