/** A resolver with a guard for each server: a dead one is asked now and then, and its questions don't hold up those to the others. */
import type { DnsAnswer, Resolver } from "../../ports/resolver.ts";
import type { BreakerLimits } from "../guard/breaker.ts";
import { type GuardOptions, GuardRefused, type Guards } from "../guard/guards.ts";
import { RESOLVER_BREAKER, RESOLVER_GATE } from "./limits.ts";

/** What the guard refuses is an answer that failed, as silence is; the caller asks again anyway. */
export const createGuardedResolver = (inner: Resolver, guards: Guards, breaker: BreakerLimits = RESOLVER_BREAKER): Resolver => ({
  locate: inner.locate,
  ask: async (server, name, type, timeoutMs) => {
    try {
      return await guards.get(toGuardOptions(server, breaker)).run({
        work: () => inner.ask(server, name, type, timeoutMs),
        hasFailed: isSilent,
      });
    } catch (error) {
      if (error instanceof GuardRefused) return { kind: "failed", why: error.message };
      throw error;
    }
  },
});

const toGuardOptions = (server: string, breaker: BreakerLimits): GuardOptions => ({
  name: `resolver:${server}`,
  kind: "resolver",
  breaker,
  gate: RESOLVER_GATE,
});

/** SERVFAIL, REFUSED and their like are about the name; the server is there. */
const isSilent = (answer: DnsAnswer): boolean => answer.kind === "failed" && answer.isSilent === true;
