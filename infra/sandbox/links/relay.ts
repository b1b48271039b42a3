/**
 * Carries one connection over a link: bytes with backpressure, half-closes and resets, in both directions, unless the link is cut.
 * What a cut swallows is lost for good, so a connection that lost something is reset when the link is mended, as after a real outage.
 */
import { connect, type Socket } from "node:net";
import { CUT_CONNECTION_LINGER_MS, UPSTREAM_DIAL_MS_MAX } from "../regions/limits.ts";
import type { Upstream } from "./upstream-watch.ts";

/** What passes over the link right now. */
export interface Passage {
  /** Client to target, and the dial itself. */
  readonly requests: boolean;
  /** Target to client. */
  readonly answers: boolean;
}

export interface Relay {
  /** The link was mended: a relay that lost something breaks now. */
  readonly settle: () => void;
  /** Resets both sides. */
  readonly reset: () => void;
}

interface RelayDeps {
  readonly client: Socket;
  readonly upstream: Upstream;
  readonly passage: () => Passage;
  /** The target refused the dial. */
  readonly onRefused: () => void;
  readonly onEnd: () => void;
}

export const startRelay = ({ client, upstream, passage, onRefused, onEnd }: RelayDeps): Relay => {
  const target = passage().requests ? connect({ ...upstream, allowHalfOpen: true, noDelay: true }) : undefined;
  let hasLost = target === undefined;
  let linger: NodeJS.Timeout | undefined;
  const reset = (): void => {
    breakOff(client);
    breakOff(target);
  };
  // A FIN that the cut swallowed leaves two ends that wait for each other for minutes.
  const lose = (): void => {
    hasLost = true;
    linger ??= setTimeout(reset, CUT_CONNECTION_LINGER_MS);
  };
  const end = (): void => {
    if (!client.closed || target?.closed === false) return;
    clearTimeout(linger);
    onEnd();
  };
  const carry = (from: Socket, to: Socket | undefined, passes: () => boolean): void => {
    from.on("data", (chunk) => {
      if (to === undefined || !passes()) hasLost = true;
      else if (!to.write(chunk)) from.pause();
    });
    to?.on("drain", () => from.resume());
    from.on("end", () => (passes() && to !== undefined ? to.end() : lose()));
    from.on("error", () => (passes() || to === undefined ? breakOff(to) : lose()));
    from.on("close", () => {
      // An ordered close has passed its end already and may still be writing; anything else has nobody left to talk to.
      if (to !== undefined && passes() && !from.readableEnded) to.destroy();
      end();
    });
  };
  if (target !== undefined) watchDial(target, client, onRefused);
  carry(client, target, () => passage().requests);
  if (target !== undefined) carry(target, client, () => passage().answers);
  return { settle: () => (hasLost ? reset() : undefined), reset };
};

/** Resets a connection. One that is still being dialled has nothing to reset, and a reset would wait for the dial. */
const breakOff = (socket: Socket | undefined): void => {
  if (socket === undefined || socket.destroyed) return;
  if (socket.connecting) socket.destroy();
  else socket.resetAndDestroy();
};

/** A refused or unanswered dial must look like one: the client is reset, not closed politely. */
const watchDial = (target: Socket, client: Socket, onRefused: () => void): void => {
  const deadline = setTimeout(() => {
    breakOff(client);
    breakOff(target);
  }, UPSTREAM_DIAL_MS_MAX);
  target.once("connect", () => clearTimeout(deadline));
  target.once("close", () => clearTimeout(deadline));
  target.once("error", (error: NodeJS.ErrnoException) => {
    if (error.syscall === "connect") onRefused();
  });
};
