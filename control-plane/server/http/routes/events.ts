/** The live stream: one reader, one stream, until it leaves, its sign-in ends or the server closes. */
import * as z from "zod";
import type { EventStreams } from "../event-streams.ts";
import { type Mount, mountRoute } from "../mount-route.ts";

export const mountEvents = (mount: Mount, { streams }: { streams: EventStreams }): void => {
  mountRoute(mount, "GET /v1/events", {
    summary: "Server-sent events: each says what to read again",
    answer: z.string(),
    answerType: "text/event-stream",
    problems: ["too-many-requests"],
    handle: (_, c) => {
      // Nobody reads, and so nobody would ever end, the stream of a HEAD.
      if (c.req.method === "HEAD") return { kind: "response", response: c.body(null) };
      const stream = streams.open(c.get("principal"));
      if (!stream) return { kind: "too-many-requests", why: "as many live streams as may be are open", retryAfterMs: 10_000 };
      // Proxies that collect an answer before passing it on are told not to.
      const headers = { "content-type": "text/event-stream", "cache-control": "no-store", "x-accel-buffering": "no" };
      return { kind: "response", response: c.body(stream, 200, headers) };
    },
  });
};
