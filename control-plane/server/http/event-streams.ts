/**
 * Live events to any number of readers, as server-sent events. An event only says that something is worth reading again, so what a slow reader
 * hasn't taken yet is kept once per kind and service, and never grows.
 */
import type { LiveEvent } from "@regent/contract";
import { isInScope } from "../access/roles.ts";
import { EVENT_HEARTBEAT_MS, EVENT_RETRY_MS, EVENT_STREAM_MS_MAX, EVENT_STREAMS_MAX } from "../limits.ts";
import type { ControlPlane } from "../operations/control-plane.ts";
import type { Clock } from "../ports/clock.ts";
import type { Principal } from "./env.ts";

export interface EventStreams {
  /** Null when there are as many streams as may be, or when the server is closing. */
  readonly open: (reader: Pick<Principal, "scope" | "expiresAt">) => ReadableStream<Uint8Array> | null;
  readonly size: () => number;
  /** Ends every stream, and lets none begin. */
  readonly close: () => void;
}

export const createEventStreams = (deps: {
  readonly controlPlane: Pick<ControlPlane, "subscribe">;
  readonly clock: Pick<Clock, "now">;
  readonly heartbeatMs?: number;
  readonly streamsMax?: number;
}): EventStreams => {
  const { clock, controlPlane, heartbeatMs = EVENT_HEARTBEAT_MS, streamsMax = EVENT_STREAMS_MAX } = deps;
  const enders = new Set<() => void>();
  let isClosing = false;

  const open: EventStreams["open"] = ({ scope, expiresAt }) => {
    if (isClosing || enders.size >= streamsMax) return null;
    const lifeMs = Math.min(EVENT_STREAM_MS_MAX, expiresAt === null ? EVENT_STREAM_MS_MAX : Math.max(0, expiresAt - clock.now()));
    const outbox = createOutbox([`retry: ${EVENT_RETRY_MS}\n\n`]);
    outbox.put(toKey(FIRST), toFrame({ ...FIRST, at: clock.now() }));
    const unsubscribe = controlPlane.subscribe((event) => {
      if (event.service === null || isInScope(scope, event.service)) outbox.put(toKey(event), toFrame(event));
    });
    const heartbeat = setInterval(() => outbox.put("heartbeat", ": still here\n\n"), heartbeatMs);
    const end = (): void => {
      if (!enders.delete(end)) return;
      unsubscribe();
      clearInterval(heartbeat);
      clearTimeout(life);
      outbox.end();
    };
    const life = setTimeout(end, lifeMs);
    enders.add(end);
    return toStream(outbox, end);
  };

  return {
    open,
    size: () => enders.size,
    close: () => {
      isClosing = true;
      for (const end of [...enders]) end();
    },
  };
};

/** Whoever comes, or comes back, has missed an unknown part: it reads everything once. */
const FIRST: LiveEvent = { kind: "overview", at: 0, service: null };

const toKey = ({ kind, service }: LiveEvent): string => `${kind} ${service ?? ""}`;
const toFrame = (event: LiveEvent): string => `id: ${event.at}\nevent: ${event.kind}\ndata: ${JSON.stringify(event)}\n\n`;

interface Outbox {
  readonly put: (key: string, frame: string) => void;
  readonly end: () => void;
  /** All that waits, as soon as anything does; null at the end. */
  readonly take: () => Promise<string | null>;
}

const createOutbox = (first: readonly string[]): Outbox => {
  const frameByKey = new Map<string, string>(first.map((frame, i) => [`first ${i}`, frame]));
  let isEnded = false;
  let wake: () => void = () => undefined;

  const take = async (): Promise<string | null> => {
    while (frameByKey.size === 0 && !isEnded)
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    if (frameByKey.size === 0) return null;
    const frames = [...frameByKey.values()].join("");
    frameByKey.clear();
    return frames;
  };

  return {
    put: (key, frame) => {
      frameByKey.set(key, frame);
      wake();
    },
    end: () => {
      isEnded = true;
      wake();
    },
    take,
  };
};

const toStream = (outbox: Outbox, onCancel: () => void): ReadableStream<Uint8Array> => {
  const encoder = new TextEncoder();
  return new ReadableStream(
    {
      pull: async (controller) => {
        const frames = await outbox.take();
        if (frames === null) controller.close();
        else controller.enqueue(encoder.encode(frames));
      },
      cancel: onCancel,
    },
    { highWaterMark: 1 },
  );
};
