/** Units of work that are under way, how long they take, and which of them hold a connection for too long. Knows no parameters and no rows. */
import { DURATIONS_KEPT, DURATIONS_KEPT_MS, PLACE_FRAMES, STATEMENT_CHARACTERS_MAX } from "./limits.ts";

export type WorkLane = "reports" | "decisions";

export interface Work {
  readonly lane: WorkLane;
  readonly begunAt: number;
  /** Since it has its connection; null while it waits for one. */
  heldSince: number | null;
  /** The last statement, without its parameters, where it is known. */
  statement: readonly string[] | null;
  isTold: boolean;
  readonly place: { readonly stack?: string };
}

export interface HeldWork {
  readonly lane: WorkLane;
  readonly heldMs: number;
  /** Who asked for it: functions with file and line, innermost first. */
  readonly what: string;
  readonly statement: string | null;
}

export interface WorkWatch {
  /** `asked` is the function whose caller is to be named. */
  readonly begin: (lane: WorkLane, asked: (...never: never[]) => unknown) => Work;
  readonly end: (work: Work) => void;
  /** Tells of each that is held for too long, once. */
  readonly sweep: () => void;
  readonly held: () => number;
  readonly heldEver: () => number;
  /** Of the work of the last minute, waiting for a connection included; null without any. */
  readonly quantileMs: (quantile: number) => number | null;
}

export const createWorkWatch = (heldMs: number, onHeld: (held: HeldWork) => void): WorkWatch => {
  const underWay = new Set<Work>();
  const durations: { readonly at: number; readonly ms: number }[] = [];
  let next = 0;
  let heldEver = 0;
  return {
    begin: (lane, asked) => {
      // The frames are written out only when somebody reads them: this costs microseconds.
      const place = {};
      Error.captureStackTrace(place, asked);
      const work: Work = { lane, begunAt: performance.now(), heldSince: null, statement: null, isTold: false, place };
      underWay.add(work);
      return work;
    },
    end: (work) => {
      underWay.delete(work);
      const at = performance.now();
      durations[next] = { at, ms: at - work.begunAt };
      next = (next + 1) % DURATIONS_KEPT;
    },
    sweep: () => {
      const now = performance.now();
      for (const work of underWay) {
        if (work.isTold || work.heldSince === null || now - work.heldSince < heldMs) continue;
        work.isTold = true;
        heldEver += 1;
        onHeld({ lane: work.lane, heldMs: Math.round(now - work.heldSince), what: toPlace(work), statement: toText(work) });
      }
    },
    held: () => [...underWay].filter(({ isTold }) => isTold).length,
    heldEver: () => heldEver,
    quantileMs: (quantile) => {
      const since = performance.now() - DURATIONS_KEPT_MS;
      const recent = durations.filter(({ at }) => at >= since).map(({ ms }) => ms);
      recent.sort((a, b) => a - b);
      const found = recent[Math.min(recent.length - 1, Math.floor(recent.length * quantile))];
      return found === undefined ? null : Math.round(found * 10) / 10;
    },
  };
};

/** One line, without the blanks that only please in the source. */
const toText = ({ statement }: Work): string | null =>
  statement?.join("?").replace(/\s+/g, " ").trim().slice(0, STATEMENT_CHARACTERS_MAX) ?? null;

const toPlace = ({ place }: Work): string =>
  (place.stack ?? "")
    .split("\n")
    .slice(1, 1 + PLACE_FRAMES)
    .map((frame) =>
      frame
        .trim()
        .replace(/^at /, "")
        .replace(/\(?(?:file:\/\/)?\/[^)]*\/([^/)]+)\)?$/, "($1)"),
    )
    .join(" < ");
