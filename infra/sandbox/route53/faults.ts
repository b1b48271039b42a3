/**
 * How the Route 53 API misbehaves on command. A fault is taken by the next calls it fits, until its count or time is used up
 * or it is cleared. Used by the server for each call; set by tests and by the sandbox's control.
 */
import { z } from "zod";
import { DELAY_MS_MAX, FAULTS_MAX, NAME_SERVERS_MAX, OTHER_TRAFFIC_PER_SECOND_MAX } from "../limits.ts";
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

/** Of an answer that doesn't say what happened: whether it happened. */
const damaged = { isApplied: z.boolean().default(true) };

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
  /**
   * The answer ends in its middle. `document`: the body says that this is all of it. `connection`: it promised more and the connection breaks.
   */
  z.strictObject({
    kind: z.literal("truncated"),
    form: z.enum(["document", "connection"]).default("document"),
    ...damaged,
    ...when,
  }),
  /** Status 200 with nothing in it. `body`: not one byte. `document`: well-formed, the right root, and no content. */
  z.strictObject({ kind: z.literal("empty"), form: z.enum(["body", "document"]).default("body"), ...damaged, ...when }),
  /** Status 200 with something else. `bytes`: noise. `page`: the HTML of a proxy that stepped in between. */
  z.strictObject({ kind: z.literal("garbage"), form: z.enum(["bytes", "page"]).default("bytes"), ...damaged, ...when }),
  /** The request arrives twice, the second time `delayMs` after the first; the caller hears what came of the `answered` one. */
  z.strictObject({
    kind: z.literal("duplicate"),
    answered: z.enum(["first", "second"]).default("first"),
    delayMs: Delay.default(0),
    ...when,
  }),
  /** Somebody else calls this often and eats the account's bucket. Fits no call of ours, so it takes neither count nor operations. */
  z.strictObject({
    kind: z.literal("other-traffic"),
    perSecond: z.number().positive().max(OTHER_TRAFFIC_PER_SECOND_MAX),
    forMs: when.forMs,
  }),
]);
export type FaultInput = z.input<typeof Fault>;
export type Fault = z.output<typeof Fault>;
/** In the order in which help texts show them. */
export const ROUTE53_FAULT_KINDS = Fault.options.map((option) => option.shape.kind.value);
export type Route53FaultKind = Fault["kind"];
/** Faults that are taken by a call, one at a time. */
export type CallFault = Exclude<Fault, { kind: "other-traffic" }>;

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
  readonly take: (operation: string) => CallFault | undefined;
  /** Calls a second that others make at this moment (epoch milliseconds), by all `other-traffic` together; for the server. */
  readonly otherTraffic: (at: number) => number;
}

interface FaultsDeps {
  readonly now: () => number;
  readonly onCleared: () => void;
  /** Called before faults come or go, so that the bucket can take up what happened until then. */
  readonly onChange?: () => void;
}

export const createFaults = ({ now, onCleared, onChange = () => undefined }: FaultsDeps): Faults => {
  let standing: StandingFault[] = [];
  let made = 0;
  const prune = (): void => {
    const kept = standing.filter((fault) => (fault.left ?? 1) > 0 && (fault.until ?? Number.POSITIVE_INFINITY) > now());
    if (kept.length < standing.length) onChange();
    standing = kept;
  };
  return {
    set: (input) => {
      const fault = Fault.parse(input);
      prune();
      if (standing.length >= FAULTS_MAX) throw new RangeError(`at most ${FAULTS_MAX} faults stand at a time`);
      const id = `fault-${++made}`;
      onChange();
      const until = fault.forMs === undefined ? undefined : now() + fault.forMs;
      const left = fault.kind === "other-traffic" ? undefined : fault.count;
      standing.push(compact<StandingFault>({ id, fault, left, until }));
      return id;
    },
    clear: (id) => {
      onChange();
      const cleared = standing.filter((fault) => id === undefined || fault.id === id);
      standing = standing.filter((fault) => !cleared.includes(fault));
      // The end of another fault lets nothing arrive early. Ending all does, also what a fault held back that is used up by now.
      if (id === undefined || cleared.some(({ fault }) => fault.kind.endsWith("-propagation"))) onCleared();
    },
    list: () => {
      prune();
      return standing;
    },
    take: (operation) => {
      prune();
      for (const [index, { fault, left }] of standing.entries()) {
        if (fault.kind === "other-traffic" || !isFit(fault, operation)) continue;
        if (left !== undefined) standing[index] = { ...standing[index]!, left: left - 1 };
        return fault;
      }
      return undefined;
    },
    otherTraffic: (at) =>
      standing.reduce(
        (sum, { fault, until = Number.POSITIVE_INFINITY }) =>
          fault.kind === "other-traffic" && at < until ? sum + fault.perSecond : sum,
        0,
      ),
  };
};

const isFit = ({ operations }: CallFault, operation: string): boolean =>
  operations.includes("*") || operations.includes(operation);
