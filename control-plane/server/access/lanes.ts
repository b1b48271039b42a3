/**
 * Who goes first when there is more than can be done at once. Each lane has its own queue, and a queue is bounded in number, bytes and time.
 *
 *   operator     people and their tools: places of their own, which no report ever takes
 *   transition   reports that tell a change: the first to go
 *   live         reports that tell the present
 *   backlog      reports from a spool: a trickle, in places of which the others are never short, at a pace for the whole process
 *
 * A lane is claimed before the body is looked at, and the claim is believed only for waiting: it is cheap, and whoever lies about it waits
 * longer or is found out. What was claimed is checked once the signature is known to be good, before the database is asked for anything: a
 * backlog that claimed to be live goes to the end of its own queue. Nothing that nobody signed costs the lane more than its wait.
 */
import {
  BACKLOG_PER_SECOND,
  LANE_LIMITS,
  LIVE_PLACES_THROTTLED,
  REPORT_PLACES,
  RETRY_AFTER_FULL_MS,
  RETRY_AFTER_FULL_SPREAD_MS,
} from "../limits.ts";
import type { Pressure } from "./pressure.ts";

export const LANES = ["operator", "transition", "live", "backlog"] as const;
export type Lane = (typeof LANES)[number];

export interface LaneLimits {
  /** Places that it may have at once. */
  readonly places: number;
  readonly waitingMax: number;
  readonly bytesMax: number;
  readonly waitMsMax: number;
}

export interface LaneRefused {
  readonly kind: "refused";
  readonly why: string;
  readonly retryAfterMs: number;
}

export interface Pass {
  readonly kind: "pass";
  /** Gives this place up and waits for one in another lane; null when that worked. */
  readonly moveTo: (lane: Lane) => Promise<LaneRefused | null>;
  /** `isTaken`: something was done with it, so that it counts for the pace. May be called again. */
  readonly leave: (isTaken: boolean) => void;
}

export interface LaneCounts {
  readonly waiting: number;
  readonly underWay: number;
  readonly admitted: number;
  readonly refused: number;
}

export interface Lanes {
  /** Null: there is room to wait. Asked before a body is read. */
  readonly check: (lane: Lane) => LaneRefused | null;
  readonly enter: (lane: Lane, bytes: number) => Promise<Pass | LaneRefused>;
  readonly counts: () => Readonly<Record<Lane, LaneCounts>>;
}

export interface LanesDeps {
  readonly monotonic: () => number;
  readonly pressure?: () => Pressure;
  readonly onWaited?: (lane: Lane, ms: number) => void;
  readonly random?: () => number;
  readonly limits?: Readonly<Record<Lane, LaneLimits>>;
}

interface Waiter {
  readonly bytes: number;
  readonly since: number;
  readonly timer: NodeJS.Timeout;
  readonly admit: () => void;
}

interface Queue {
  readonly waiters: Waiter[];
  bytes: number;
  underWay: number;
  admitted: number;
  refused: number;
}

/** Of the lanes that share places, the one to serve first stands first. */
const REPORT_LANES = ["transition", "live", "backlog"] as const satisfies readonly Lane[];

export const createLanes = (deps: LanesDeps): Lanes => {
  const { monotonic, limits = LANE_LIMITS, random = Math.random, pressure = () => "none" as const, onWaited = () => {} } = deps;
  const empty = (): Queue => ({ waiters: [], bytes: 0, underWay: 0, admitted: 0, refused: 0 });
  const queues: Readonly<Record<Lane, Queue>> = { operator: empty(), transition: empty(), live: empty(), backlog: empty() };
  let nextBacklogAt = Number.NEGATIVE_INFINITY;
  let paceTimer: NodeJS.Timeout | null = null;

  const reportsUnderWay = (): number => REPORT_LANES.reduce((sum, lane) => sum + queues[lane].underWay, 0);

  const hasPlace = (lane: Lane): boolean => {
    const { underWay } = queues[lane];
    if (underWay >= limits[lane].places) return false;
    if (lane === "operator") return true;
    if (reportsUnderWay() >= REPORT_PLACES) return false;
    if (lane === "transition") return true;
    // The rest is kept for reports of changes.
    if (queues.live.underWay + queues.backlog.underWay >= limits.live.places) return false;
    if (lane === "live") return pressure() === "none" || pressure() === "queue" || underWay < LIVE_PLACES_THROTTLED;
    const isAnybodyFirst = queues.transition.waiters.length + queues.live.waiters.length > 0;
    return pressure() === "none" && !isAnybodyFirst && monotonic() >= nextBacklogAt;
  };

  const refuse = (lane: Lane, why: string): LaneRefused => {
    queues[lane].refused += 1;
    // Spread, so that they don't all come back in the same moment.
    return { kind: "refused", why, retryAfterMs: RETRY_AFTER_FULL_MS + random() * RETRY_AFTER_FULL_SPREAD_MS };
  };

  const check = (lane: Lane): LaneRefused | null => {
    const { waiters, bytes } = queues[lane];
    const { waitingMax, bytesMax } = limits[lane];
    if (pressure() === "break" && (lane === "live" || lane === "backlog"))
      return refuse(lane, "this process is overloaded and takes only reports of changes");
    if (waiters.length >= waitingMax || bytes >= bytesMax) return refuse(lane, `${waiters.length} wait in the lane ${lane}`);
    return null;
  };

  const begin = (lane: Lane, since: number): void => {
    const queue = queues[lane];
    queue.underWay += 1;
    queue.admitted += 1;
    onWaited(lane, monotonic() - since);
  };

  const serve = (): void => {
    for (const lane of LANES) {
      const queue = queues[lane];
      while (queue.waiters.length > 0 && hasPlace(lane)) queue.waiters.shift()?.admit();
    }
    keepPace();
  };

  /** Nothing else wakes a backlog that waits for its pace alone, or any report that waits for the pressure to ease. */
  const keepPace = (): void => {
    if (paceTimer !== null || REPORT_LANES.every((lane) => queues[lane].waiters.length === 0)) return;
    paceTimer = setTimeout(
      () => {
        paceTimer = null;
        serve();
      },
      Math.max(10, Math.min(1_000 / BACKLOG_PER_SECOND, nextBacklogAt - monotonic())),
    ).unref();
  };

  const waitFor = (lane: Lane, bytes: number): Promise<LaneRefused | null> => {
    const since = monotonic();
    const queue = queues[lane];
    if (queue.waiters.length === 0 && hasPlace(lane)) {
      begin(lane, since);
      return Promise.resolve(null);
    }
    const full = check(lane);
    if (full) return Promise.resolve(full);
    return new Promise((resolve) => {
      const gone = (): void => {
        queue.bytes -= bytes;
        clearTimeout(waiter.timer);
      };
      const waiter: Waiter = {
        bytes,
        since,
        timer: setTimeout(() => {
          queue.waiters.splice(queue.waiters.indexOf(waiter), 1);
          gone();
          resolve(refuse(lane, `no place in the lane ${lane} within ${limits[lane].waitMsMax} ms`));
        }, limits[lane].waitMsMax).unref(),
        admit: () => {
          gone();
          begin(lane, since);
          resolve(null);
        },
      };
      queue.waiters.push(waiter);
      queue.bytes += bytes;
      keepPace();
    });
  };

  const toPass = (entered: Lane, bytes: number): Pass => {
    let lane: Lane | null = entered;
    const leave = (isTaken: boolean): void => {
      if (lane === null) return;
      queues[lane].underWay -= 1;
      if (lane === "backlog" && isTaken) nextBacklogAt = Math.max(nextBacklogAt, monotonic()) + 1_000 / BACKLOG_PER_SECOND;
      lane = null;
      serve();
    };
    return {
      kind: "pass",
      leave,
      moveTo: async (next) => {
        if (lane === null || lane === next) return null;
        leave(false);
        const refused = await waitFor(next, bytes);
        if (!refused) lane = next;
        return refused;
      },
    };
  };

  return {
    check,
    enter: async (lane, bytes) => (await waitFor(lane, bytes)) ?? toPass(lane, bytes),
    counts: () => {
      const of = ({ waiters, underWay, admitted, refused }: Queue): LaneCounts => ({
        waiting: waiters.length,
        underWay,
        admitted,
        refused,
      });
      const { operator, transition, live, backlog } = queues;
      return { operator: of(operator), transition: of(transition), live: of(live), backlog: of(backlog) };
    },
  };
};
