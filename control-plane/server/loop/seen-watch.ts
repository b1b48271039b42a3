/** Asks the authoritative servers, again and again, which revision they answer: what the world sees, as opposed to what was written. */
import type { Instant, Seen, Weights } from "@regent/contract";
import type { ServiceSpec } from "@regent/engine";
import { toSeen } from "@regent/engine/plan/seen.ts";
import { SEEN_EVERY_MS } from "../limits.ts";
import type { Ledger } from "../operations/memory/ledger.ts";
import { readEpochAt } from "../operations/verification/verify-change.ts";
import type { DnsProvider } from "../ports/dns-provider.ts";
import type { Resolver } from "../ports/resolver.ts";

export interface SeenDeps {
  readonly resolver: Resolver;
  readonly provider: DnsProvider;
  readonly ledger: Ledger;
  readonly now: () => Instant;
  readonly serversOf: (zoneId: string) => Promise<readonly string[]>;
}

/** Services looked at together: one UDP question to each server each. */
const AT_ONCE = 20;
export const SEEN_PERIOD_MS = SEEN_EVERY_MS;
/** A server that answers without an epoch record that we can read shows a revision that nobody knows. */
const UNREADABLE = "unreadable";

export const createSeenWatch = (deps: SeenDeps) => {
  const seen = new Map<string, Seen>();

  const look = async (spec: ServiceSpec): Promise<void> => {
    const servers = await deps.serversOf(spec.zoneId);
    const shown = await Promise.all(servers.map((server) => readEpochAt(deps.resolver, server, spec)));
    const record = deps.ledger.record(spec.id);
    const weightsByUlid = new Map<string, Weights>(deps.ledger.outbox(spec.id).map(({ ulid, weights }) => [ulid, weights]));
    if (record.epoch && record.written) weightsByUlid.set(record.epoch, record.written);
    seen.set(
      spec.id,
      toSeen({
        spec,
        servers: shown.map((epoch) => ({ ulid: epoch === "silent" ? null : (epoch?.ulid ?? UNREADABLE) })),
        weightsByUlid,
        healthByRegion: await healthOf(spec),
        driftOpen: record.drift !== null,
        now: deps.now(),
      }),
    );
  };

  const healthOf = async (spec: ServiceSpec): Promise<Record<string, boolean | null>> => {
    const ids = spec.endpoints.flatMap(({ healthCheckId }) => healthCheckId ?? []);
    if (ids.length === 0) return {};
    const health = await deps.provider.readHealth(ids);
    return Object.fromEntries(
      spec.endpoints.flatMap(({ region, healthCheckId }) => (healthCheckId ? [[region, health[healthCheckId] ?? null]] : [])),
    );
  };

  return {
    seenOf: (service: string): Seen | null => seen.get(service) ?? null,
    /** Looks at all of these, whatever goes wrong with one; then throws the first failure. */
    sweep: async (specs: readonly ServiceSpec[]): Promise<void> => {
      let failed: PromiseRejectedResult | undefined;
      for (let from = 0; from < specs.length; from += AT_ONCE) {
        const looks = await Promise.allSettled(specs.slice(from, from + AT_ONCE).map(look));
        failed ??= looks.find((each) => each.status === "rejected");
      }
      if (failed) throw failed.reason;
    },
    /** What is declared no longer leaves nothing behind. */
    keepOnly: (services: ReadonlyMap<string, unknown>): void => {
      for (const service of seen.keys()) if (!services.has(service)) seen.delete(service);
    },
  };
};
