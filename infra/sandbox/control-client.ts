/** Typed client of the sandbox's control, for the command line and for tests. Expected failures are values. */
import * as z from "zod";
import { AgentsWanted } from "./agents-wanted.ts";
import type { LinkChoice, LinkCutMode, LinkCutRequest, RegionFaultRequest } from "./faults.ts";
import {
  type AgentChoice,
  LinksChanged,
  RegionChanged,
  type RegionMendRequest,
  Route53Broken,
  SandboxState,
} from "./sandbox-state.ts";

export type SandboxAnswer<T> =
  | { readonly kind: "answered"; readonly value: T }
  /** The control said no; `detail` is a sentence for the person who asked. */
  | { readonly kind: "refused"; readonly code: number; readonly type: string; readonly detail: string }
  /** Nobody listens at the address, or no answer came in time. */
  | { readonly kind: "unreachable"; readonly why: string };

export interface SandboxClient {
  readonly read: () => Promise<SandboxAnswer<SandboxState>>;
  readonly breakRegion: (region: string, fault: RegionFaultRequest) => Promise<SandboxAnswer<RegionChanged>>;
  readonly mendRegion: (region: string, mend?: RegionMendRequest) => Promise<SandboxAnswer<RegionChanged>>;
  /** Of the pair that the region has one half of. */
  readonly cutReplication: (region: string, mode?: LinkCutMode) => Promise<SandboxAnswer<RegionChanged>>;
  readonly mendReplication: (region: string) => Promise<SandboxAnswer<RegionChanged>>;
  /** Its half of the pair anew, as the other's standby; whatever only it had is gone. */
  readonly rebuildStandby: (region: string) => Promise<SandboxAnswer<RegionChanged>>;
  readonly cutLinks: (cut: LinkCutRequest) => Promise<SandboxAnswer<LinksChanged>>;
  readonly mendLinks: (choice: LinkChoice) => Promise<SandboxAnswer<LinksChanged>>;
  readonly killAgent: (agent: string) => Promise<SandboxAnswer<AgentsWanted>>;
  readonly startAgent: (agent: string) => Promise<SandboxAnswer<AgentsWanted>>;
  /** Sets them all at once; without a choice every agent there is. */
  readonly killAgents: (choice?: AgentChoice) => Promise<SandboxAnswer<AgentsWanted>>;
  readonly startAgents: (choice?: AgentChoice) => Promise<SandboxAnswer<AgentsWanted>>;
  readonly breakRoute53: (fault: object) => Promise<SandboxAnswer<Route53Broken>>;
  readonly mendRoute53: (choice?: { readonly id?: string }) => Promise<SandboxAnswer<unknown>>;
  readonly setPropagation: (propagation: object) => Promise<SandboxAnswer<unknown>>;
  readonly mendEverything: () => Promise<SandboxAnswer<SandboxState>>;
  /**
   * The wanted agents: now, and at every change. Ends when the signal aborts or the stream breaks; the follower then starts anew, as
   * every item is the whole list.
   */
  readonly followAgents: (signal: AbortSignal) => AsyncGenerator<AgentsWanted, void>;
}

/** Longer than the slowest change, a database that starts on a busy machine. */
const ANSWER_MS_MAX = 30_000;

/** @param options.url `http://127.0.0.1:<control port>` */
export const createSandboxClient = (options: { readonly url: string; readonly token: string }): SandboxClient => {
  const headers = { authorization: `Bearer ${options.token}`, "content-type": "application/json" };
  const call = async <S extends z.ZodType>(path: string, schema: S, body?: object): Promise<SandboxAnswer<z.output<S>>> => {
    try {
      const response = await fetch(new URL(path, options.url), {
        method: body === undefined ? "GET" : "POST",
        headers,
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(ANSWER_MS_MAX),
      });
      const answer: unknown = await response.json();
      if (response.ok) return { kind: "answered", value: schema.parse(answer) };
      const problem = answer as { readonly type?: string; readonly detail?: string };
      return {
        kind: "refused",
        code: response.status,
        type: problem.type ?? "about:blank",
        detail: problem.detail ?? response.statusText,
      };
    } catch (error) {
      return { kind: "unreachable", why: reasonOf(error) };
    }
  };
  const region = (id: string, verb: string): string => `/v1/sandbox/regions/${encodeURIComponent(id)}/${verb}`;
  const agent = (id: string, verb: string): string => `/v1/sandbox/agents/${encodeURIComponent(id)}/${verb}`;
  return {
    read: () => call("/v1/sandbox", SandboxState),
    breakRegion: (id, fault) => call(region(id, "break"), RegionChanged, fault),
    mendRegion: (id, mend = {}) => call(region(id, "mend"), RegionChanged, mend),
    cutReplication: (id, mode) => call(region(id, "cut-replication"), RegionChanged, mode === undefined ? {} : { mode }),
    mendReplication: (id) => call(region(id, "mend-replication"), RegionChanged, {}),
    rebuildStandby: (id) => call(region(id, "rebuild-standby"), RegionChanged, {}),
    cutLinks: (cut) => call("/v1/sandbox/links/cut", LinksChanged, cut),
    mendLinks: (choice) => call("/v1/sandbox/links/mend", LinksChanged, choice),
    killAgent: (id) => call(agent(id, "kill"), AgentsWanted, {}),
    startAgent: (id) => call(agent(id, "start"), AgentsWanted, {}),
    killAgents: (choice = {}) => call("/v1/sandbox/agents/kill", AgentsWanted, choice),
    startAgents: (choice = {}) => call("/v1/sandbox/agents/start", AgentsWanted, choice),
    breakRoute53: (fault) => call("/v1/sandbox/route53/fault", Route53Broken, fault),
    mendRoute53: (choice = {}) => call("/v1/sandbox/route53/mend", z.unknown(), choice),
    setPropagation: (propagation) => call("/v1/sandbox/route53/propagation", z.unknown(), propagation),
    mendEverything: () => call("/v1/sandbox/mend", SandboxState, {}),
    followAgents: (signal) => followAgents(new URL("/v1/sandbox/events", options.url), headers, signal),
  };
};

async function* followAgents(url: URL, headers: Record<string, string>, signal: AbortSignal): AsyncGenerator<AgentsWanted, void> {
  try {
    const response = await fetch(url, { headers, signal });
    if (!response.ok || response.body === null) return;
    let rest = "";
    for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
      const events = (rest + chunk).split("\n\n");
      rest = events.pop() ?? "";
      for (const event of events) {
        const lines = event.split("\n");
        if (!lines.includes("event: agents")) continue;
        const text = lines.filter((line) => line.startsWith("data: ")).map((line) => line.slice(6));
        yield AgentsWanted.parse(JSON.parse(text.join("\n")));
      }
    }
  } catch {
    // Aborted, or the sandbox went away: either way there is no more to follow here.
  }
}

const reasonOf = (error: unknown): string => {
  const cause = error instanceof Error ? (error.cause as { code?: string } | undefined) : undefined;
  return cause?.code ?? (error instanceof Error ? error.message : "no answer");
};
