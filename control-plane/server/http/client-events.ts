/** Reads server-sent events for the client. Whoever reads decides when to come back; each new stream begins with an event that says: read again. */
import { type LiveEvent, Problem } from "@regent/contract";
import type * as z from "zod";

export type EventFeed =
  | { readonly kind: "ok"; readonly events: AsyncIterable<LiveEvent> }
  | { readonly kind: "problem"; readonly problem: Problem }
  | { readonly kind: "unreachable"; readonly why: string };

/** One event is some hundred bytes: more without an end isn't ours. */
const FRAME_CHARACTERS_MAX = 65_536;

export const readEvents = async (
  { url, token, fetch: send = fetch }: { readonly url: string; readonly token: string | null; readonly fetch?: typeof fetch },
  schema: z.ZodType<LiveEvent>,
  signal?: AbortSignal,
): Promise<EventFeed> => {
  try {
    const response = await send(new URL("/v1/events", url), {
      headers: { accept: "text/event-stream", ...(token === null ? {} : { authorization: `Bearer ${token}` }) },
      redirect: "error",
      ...(signal ? { signal } : {}),
    });
    if (response.ok && response.body) return { kind: "ok", events: toEvents(response.body, schema, signal) };
    const problem = Problem.safeParse(await response.json());
    return problem.success
      ? { kind: "problem", problem: problem.data }
      : { kind: "unreachable", why: `HTTP ${response.status}, not an answer of Regent` };
  } catch (error) {
    return { kind: "unreachable", why: error instanceof Error ? error.message : String(error) };
  }
};

async function* toEvents(
  body: ReadableStream<Uint8Array>,
  schema: z.ZodType<LiveEvent>,
  signal?: AbortSignal,
): AsyncGenerator<LiveEvent> {
  let rest = "";
  const decoder = new TextDecoder();
  try {
    for await (const bytes of body) {
      const frames = (rest + decoder.decode(bytes, { stream: true })).split("\n\n");
      rest = frames.pop() ?? "";
      if (rest.length > FRAME_CHARACTERS_MAX) throw new Error("an event without an end");
      for (const frame of frames) {
        const event = schema.safeParse(toPayload(frame));
        if (event.success) yield event.data;
      }
    }
  } catch (error) {
    // Being told to stop is an end like any other.
    if (!signal?.aborted) throw error;
  }
}

const toPayload = (frame: string): unknown => {
  const line = frame.split("\n").find((each) => each.startsWith("data: "));
  return line === undefined ? undefined : JSON.parse(line.slice(6));
};
