/**
 * The sandbox's control: one HTTP API that breaks and mends everything. Loopback, with the home's token.
 *
 *   GET  /v1/sandbox                            state of everything
 *   POST /v1/sandbox/regions/:region/break      { fault, ...numbers }     vocabulary: faults.ts
 *   POST /v1/sandbox/regions/:region/mend       { fault? }                without a fault: everything of that region
 *   POST /v1/sandbox/regions/:region/rebuild-standby   {}                its half of the pair anew, as the other's standby
 *   POST /v1/sandbox/regions/:region/cut-replication   { mode? }          both ways between the two halves of the pair
 *   POST /v1/sandbox/regions/:region/mend-replication  {}
 *   POST /v1/sandbox/links/cut                  { from?, to?, mode? }
 *   POST /v1/sandbox/links/mend                 { from?, to? }
 *   POST /v1/sandbox/route53/fault              { kind, ... }             vocabulary: route53/faults.ts; answers its id
 *   POST /v1/sandbox/route53/mend               { id? }                   without an id: all of them
 *   POST /v1/sandbox/route53/propagation        { minMs, maxMs } or { perServerMs }
 *   POST /v1/sandbox/agents/kill | start        { agents? }               without ids: all of them
 *   POST /v1/sandbox/agents/:agent/kill | start
 *   POST /v1/sandbox/mend                       everything at once
 *   GET  /v1/sandbox/events                     event stream: `agents`, the whole wanted list, now and at every change
 */
import type { Context, Hono } from "hono";
import { streamSSE } from "hono/streaming";
import * as z from "zod";
import type { AgentsWantedList } from "./agents-wanted.ts";
import { createControlDoor, readBody, refuse, refuseBody } from "./control-door.ts";
import { LinkChoice, LinkCut, RegionFault, ReplicationCut } from "./faults.ts";
import type { LinkState } from "./links/link.ts";
import type { Links } from "./links/links.ts";
import {
  breakRegion,
  cutReplication,
  mendRegion,
  mendReplication,
  type RegionChange,
  type RegionDeps,
  rebuildStandby,
} from "./region-changes.ts";
import { EVENT_FOLLOWERS_MAX, EVENT_HEARTBEAT_MS } from "./regions/limits.ts";
import type { RegionAnswer, RegionClient } from "./regions/region-client.ts";
import {
  AgentChoice,
  RegionMendRequest,
  type SandboxLink,
  type SandboxPorts,
  type SandboxRegion,
  type SandboxState,
} from "./sandbox-state.ts";

/** What the control needs of the Route 53 part. A body that is not understood throws a ZodError, one too many a RangeError. */
export interface Route53Switches {
  /** Answers the id that ends this fault alone. */
  readonly fault: (body: unknown) => string;
  readonly mend: (body: unknown) => undefined;
  readonly propagation: (body: unknown) => undefined;
  readonly state: () => unknown;
}

export interface ControlDeps {
  readonly token: string;
  readonly regions: readonly { readonly id: string; readonly publishedAddress: string; readonly client: RegionClient }[];
  readonly links: Links;
  /** The regions that have one half each of a pair of databases; none or two. */
  readonly pair: readonly string[];
  readonly agents: AgentsWantedList;
  readonly route53: Route53Switches;
  /** Asked per request: the control's own port is known only once it listens. */
  readonly ports: () => SandboxPorts;
}

export const createControl = (deps: ControlDeps): Hono => {
  const app = createControlDoor({ token: deps.token, owner: "the home" });
  app.get("/v1/sandbox", async (context) => context.json(await readState(deps)));
  app.post("/v1/sandbox/mend", async (context) => {
    deps.route53.mend({});
    await Promise.all([
      deps.links.set({}, undefined),
      ...deps.regions.map((region) => mendRegion({ ...deps, ...region, region: region.id }, {})),
    ]);
    return context.json(await readState(deps));
  });
  addRegionRoutes(app, deps);
  addLinkRoutes(app, deps);
  addRoute53Routes(app, deps);
  addAgentRoutes(app, deps);
  return app;
};

const readState = async (deps: ControlDeps): Promise<SandboxState> => ({
  regions: await Promise.all(deps.regions.map(async (region) => toRegion(region, await region.client.read()))),
  links: deps.links.state().map(toLink),
  agents: deps.agents.current(),
  route53: deps.route53.state(),
  ports: deps.ports(),
});

const addRegionRoutes = (app: Hono, deps: ControlDeps): void => {
  const change = async <S extends z.ZodType>(
    context: Context,
    schema: S,
    make: (region: RegionDeps, body: z.output<S>) => Promise<RegionChange>,
  ): Promise<Response> => {
    const region = deps.regions.find(({ id }) => id === context.req.param("region"));
    if (region === undefined) {
      const known = deps.regions.map(({ id }) => id).join(", ");
      const detail = `There is no region ${context.req.param("region")}; there are ${known}.`;
      return refuse(context, { status: 404, slug: "unknown-region", title: "Unknown region", detail });
    }
    const body = await readBody(context, schema);
    if (body.kind === "refused") return body.response;
    const changed = await make({ ...deps, region: region.id, client: region.client }, body.value);
    return answerChange(context, deps, { region, changed });
  };
  app.post("/v1/sandbox/regions/:region/break", (context) => change(context, RegionFault, breakRegion));
  app.post("/v1/sandbox/regions/:region/mend", (context) => change(context, RegionMendRequest, mendRegion));
  app.post("/v1/sandbox/regions/:region/cut-replication", (context) => change(context, ReplicationCut, cutReplication));
  app.post("/v1/sandbox/regions/:region/mend-replication", (context) => change(context, z.strictObject({}), mendReplication));
  app.post("/v1/sandbox/regions/:region/rebuild-standby", (context) => change(context, z.strictObject({}), rebuildStandby));
};

const answerChange = (
  context: Context,
  { agents, pair }: ControlDeps,
  { region, changed }: { readonly region: ControlDeps["regions"][number]; readonly changed: RegionChange },
): Response => {
  switch (changed.kind) {
    case "answered":
      return context.json({ region: toRegion(region, changed), agents: agents.current() });
    case "unreachable": {
      const detail = `The process of region ${region.id} does not answer on its control port (${changed.why}); is it running?`;
      return refuse(context, { status: 503, slug: "region-unreachable", title: "Region process unreachable", detail });
    }
    case "refused": {
      const detail = `Region ${region.id} could not do it: ${changed.why}`;
      return refuse(context, { status: 502, slug: "region-failed", title: "The region could not do it", detail });
    }
    case "no-pair": {
      const there = pair.length === 0 ? "this sandbox has none (regent up --stateful)" : `${pair.join(" and ")} have`;
      const detail = `Region ${region.id} has no half of a pair of databases; ${there}.`;
      return refuse(context, { status: 422, slug: "no-pair", title: "No pair of databases", detail });
    }
    case "unknown-agents": {
      const detail = `No such agents in ${region.id}: ${changed.unknown.join(", ")}; there are ${agents.inRegion(region.id).join(", ")}.`;
      return refuse(context, { status: 422, slug: "unknown-agent", title: "Unknown agent", detail });
    }
  }
};

const addLinkRoutes = (app: Hono, { links }: ControlDeps): void => {
  const answer = (context: Context, changed: readonly LinkState[]): Response => {
    if (changed.length > 0) return context.json({ links: changed.map(toLink) });
    const ends = (end: "from" | "to"): string => [...new Set(links.state().map((link) => link[end]))].join(", ");
    const detail = `No link has these ends. Vantages: ${ends("from")}. Targets: ${ends("to")}.`;
    return refuse(context, { status: 404, slug: "unknown-link", title: "Unknown link", detail });
  };
  app.post("/v1/sandbox/links/cut", async (context) => {
    const body = await readBody(context, LinkCut);
    return body.kind === "refused" ? body.response : answer(context, await links.set(body.value, body.value.mode));
  });
  app.post("/v1/sandbox/links/mend", async (context) => {
    const body = await readBody(context, LinkChoice);
    return body.kind === "refused" ? body.response : answer(context, await links.set(body.value, undefined));
  });
};

const addRoute53Routes = (app: Hono, { route53 }: ControlDeps): void => {
  for (const verb of ["fault", "mend", "propagation"] as const) {
    app.post(`/v1/sandbox/route53/${verb}`, async (context) => {
      const body = await readBody(context, z.record(z.string(), z.unknown()));
      if (body.kind === "refused") return body.response;
      try {
        const id = route53[verb](body.value);
        return context.json({ ...(id === undefined ? {} : { id }), route53: route53.state() });
      } catch (error) {
        if (error instanceof z.ZodError) return refuseBody(context, error);
        if (!(error instanceof RangeError)) throw error;
        return refuse(context, { status: 409, slug: "too-many-faults", title: "Too many faults", detail: error.message });
      }
    });
  }
};

const addAgentRoutes = (app: Hono, { agents }: ControlDeps): void => {
  const everybody = (): string[] => agents.current().agents.map(({ id }) => id);
  const set = (context: Context, ids: readonly string[], wanted: "running" | "killed"): Response => {
    const { unknown } = agents.set(ids, wanted);
    if (unknown.length === 0) return context.json(agents.current());
    const known = everybody();
    const detail = `There is no agent ${unknown.join(", ")}; there are ${known.join(", ")}.`;
    return refuse(context, { status: 404, slug: "unknown-agent", title: "Unknown agent", detail });
  };
  for (const [verb, wanted] of [
    ["kill", "killed"],
    ["start", "running"],
  ] as const) {
    app.post(`/v1/sandbox/agents/${verb}`, async (context) => {
      const body = await readBody(context, AgentChoice);
      return body.kind === "refused" ? body.response : set(context, body.value.agents ?? everybody(), wanted);
    });
    app.post(`/v1/sandbox/agents/:agent/${verb}`, (context) => set(context, [context.req.param("agent") ?? ""], wanted));
  }

  let followers = 0;
  app.get("/v1/sandbox/events", (context) => {
    if (followers >= EVENT_FOLLOWERS_MAX) {
      const detail = `At most ${EVENT_FOLLOWERS_MAX} may follow at once.`;
      return refuse(context, { status: 429, slug: "too-many-followers", title: "Too many followers", detail });
    }
    followers += 1;
    return streamSSE(context, async (stream) => {
      const send = (event: string, data: string): void => void stream.writeSSE({ event, data }).catch(() => undefined);
      const stop = agents.follow((wanted) => send("agents", JSON.stringify(wanted)));
      const heartbeat = setInterval(() => send("heartbeat", ""), EVENT_HEARTBEAT_MS);
      const gone = new Promise<void>((resolve) => stream.onAbort(resolve));
      send("agents", JSON.stringify(agents.current()));
      await gone;
      stop();
      clearInterval(heartbeat);
      followers -= 1;
    });
  });
};

const toRegion = (region: { readonly id: string; readonly publishedAddress: string }, answer: RegionAnswer): SandboxRegion => {
  const { publishedAddress } = region;
  if (answer.kind === "answered") return { process: "running", ...answer.state, publishedAddress };
  return { process: "unreachable", region: region.id, publishedAddress, why: answer.why };
};

const toLink = ({ cut, ...link }: LinkState): SandboxLink => (cut === undefined ? link : { ...link, cut });
