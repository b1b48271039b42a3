/**
 * Knows whether a target's port is open, so that a link's port can be closed exactly while its target's is: otherwise a client of the
 * link would see a dial that succeeds and then breaks, where the real network would have refused it.
 *
 * Two ways to watch. `held` keeps one idle connection and dials again the moment it breaks; it costs nothing and notices at once, and suits
 * servers that drop idle connections when they close. `dialled` connects and hangs up at an interval; it suits servers that wait for
 * their clients when they stop, as an idle connection would hold them up.
 */
import { connect, type Socket } from "node:net";
import { UPSTREAM_REDIAL_MS, UPSTREAM_REDIAL_MS_MAX, UPSTREAM_SILENCE_MS, WATCH_DIAL_MS_MAX } from "../regions/limits.ts";

export type WatchMode = "held" | "dialled";

export interface Upstream {
  readonly host: string;
  readonly port: number;
}

export interface UpstreamWatch {
  readonly upstream: Upstream;
  /** False only while dials are refused. A port that answers nothing counts as open: nobody refused. */
  readonly isOpen: () => boolean;
  /** Calls back with every change of `isOpen`, from now on. */
  readonly onChange: (listener: () => void) => void;
  /** Somebody was refused: look at once. */
  readonly lookNow: () => void;
  readonly close: () => void;
}

/** `dialled` looks this often while the port is open; while it is closed both modes look every 50 ms. */
const DIALLED_EVERY_MS = 250;

/** Resolves when the first look has an answer. */
export const watchUpstream = async (upstream: Upstream, mode: WatchMode): Promise<UpstreamWatch> => {
  const listeners: (() => void)[] = [];
  let isOpen: boolean | undefined;
  let isClosed = false;
  let socket: Socket | undefined;
  let timer: NodeJS.Timeout | undefined;
  let silence: NodeJS.Timeout | undefined;
  let redialMs = UPSTREAM_REDIAL_MS;
  let firstSeen: () => void = () => undefined;
  const first = new Promise<void>((resolve) => {
    firstSeen = resolve;
  });

  const see = (open: boolean): void => {
    if (isOpen === open) return;
    isOpen = open;
    firstSeen();
    for (const listener of listeners) listener();
  };
  const lookIn = (ms: number): void => {
    clearTimeout(timer);
    if (!isClosed) timer = setTimeout(look, ms);
  };
  const drop = (): void => {
    clearTimeout(timer);
    clearTimeout(silence);
    socket?.removeAllListeners("close").destroy();
  };
  const look = (): void => {
    drop();
    let openedAt: number | undefined;
    const dial = connect(upstream);
    socket = dial;
    silence = setTimeout(() => see(true), UPSTREAM_SILENCE_MS);
    timer = setTimeout(look, WATCH_DIAL_MS_MAX);
    dial.on("connect", () => {
      openedAt = performance.now();
      clearTimeout(timer);
      clearTimeout(silence);
      see(true);
      if (mode === "dialled") dial.destroy();
      else dial.resume();
    });
    dial.on("error", (error: NodeJS.ErrnoException) => {
      if (openedAt === undefined) see(error.code !== "ECONNREFUSED");
    });
    dial.on("close", () => {
      clearTimeout(silence);
      if (openedAt === undefined) lookIn(UPSTREAM_REDIAL_MS);
      else if (mode === "dialled") lookIn(DIALLED_EVERY_MS);
      else lookIn(pauseAfter(performance.now() - openedAt));
    });
  };
  // One that held for a while broke for a reason worth a look at once; one that breaks straight away is dialled ever more slowly.
  const pauseAfter = (heldMs: number): number => {
    if (heldMs > UPSTREAM_REDIAL_MS_MAX) redialMs = UPSTREAM_REDIAL_MS;
    if (heldMs > UPSTREAM_REDIAL_MS) return 0;
    redialMs = Math.min(redialMs * 2, UPSTREAM_REDIAL_MS_MAX);
    return redialMs;
  };
  look();
  await first;
  return {
    upstream,
    isOpen: () => isOpen === true,
    onChange: (listener) => listeners.push(listener),
    lookNow: () => {
      if (isOpen === true) look();
    },
    close: () => {
      isClosed = true;
      drop();
    },
  };
};
