/**
 * Is it alive, ready, well? Open to whoever reaches the listener, because a balancer has no token and because tokens can't be looked up when the
 * database is away. They tell of this process and name no service; metrics do, and need a token.
 */
import * as z from "zod";
import type { ControlPlane } from "../../operations/control-plane.ts";
import type { AppDeps } from "../env.ts";
import type { EventStreams } from "../event-streams.ts";
import { answer, type Mount, mountRoute } from "../mount-route.ts";
import { BreakersAnswer, DatabaseAnswer, HealthAnswer, Liveness, ReadinessAnswer } from "../wire.ts";

interface HealthDeps extends Pick<AppDeps, "controlPlane" | "clock" | "breakers"> {
  readonly streams: EventStreams;
}

export const mountHealth = (mount: Mount, deps: HealthDeps): void => {
  const { controlPlane } = deps;
  mountRoute(mount, "GET /livez", {
    summary: "The process answers",
    answer: Liveness,
    problems: [],
    handle: () => answer({ isLive: true as const }),
  });
  mountRoute(mount, "GET /readyz", {
    summary: "It can take reports and requests; 503 with what is missing when it can't",
    answer: ReadinessAnswer,
    problems: [],
    handle: (_, c) => {
      const readiness = toReadiness(controlPlane);
      return { kind: "response", response: c.json(readiness, readiness.isReady ? 200 : 503) };
    },
  });
  mountRoute(mount, "GET /metrics", {
    summary: "Metrics in the text format of Prometheus",
    answer: z.string(),
    answerType: "text/plain",
    problems: [],
    handle: async (_, c) => {
      const text = await controlPlane.metrics();
      return { kind: "response", response: c.body(text, 200, { "content-type": "text/plain; version=0.0.4; charset=utf-8" }) };
    },
  });
  mountDetails(mount, deps);
};

const mountDetails = (mount: Mount, { controlPlane, clock, streams, breakers = () => [] }: HealthDeps): void => {
  const startedAt = clock.monotonic();
  mountRoute(mount, "GET /healthz", {
    summary: "Each part of this process",
    answer: HealthAnswer,
    problems: [],
    handle: async () =>
      answer({
        ...toReadiness(controlPlane),
        at: clock.now(),
        uptimeMs: Math.round(clock.monotonic() - startedAt),
        configurationVersion: controlPlane.configuration()?.version ?? null,
        database: await controlPlane.databaseHealth(),
        breakers: [...breakers()],
        eventStreams: streams.size(),
      }),
  });
  mountRoute(mount, "GET /healthz/database", {
    summary: "The database and our pool",
    answer: DatabaseAnswer,
    problems: [],
    handle: async () => answer(await controlPlane.databaseHealth()),
  });
  mountRoute(mount, "GET /healthz/breakers", {
    summary: "The circuit breakers around what lies outside",
    answer: BreakersAnswer,
    problems: [],
    handle: () => answer({ breakers: [...breakers()] }),
  });
};

const toReadiness = (controlPlane: ControlPlane): ReadinessAnswer => {
  const { isReady, mode, isLeader, missing } = controlPlane.readiness();
  return { isReady, mode, isLeader, missing: [...missing] };
};
