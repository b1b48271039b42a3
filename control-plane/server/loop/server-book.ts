/** Which servers answer for a zone. */
import type { Declaration } from "@regent/contract";
import type { Clock } from "../ports/clock.ts";
import type { DnsProvider } from "../ports/dns-provider.ts";
import type { Resolver } from "../ports/resolver.ts";

export interface ServerBookDeps {
  readonly nameServers: Readonly<Record<string, readonly string[]>>;
  readonly provider: DnsProvider;
  readonly resolver: Resolver;
  readonly clock: Clock;
  readonly zones: () => Declaration["zones"];
}

const ASK_AGAIN_MS = 3_600_000;

/** Authoritative servers per zone: as configured, else those of the zone's delegation; asked once an hour. */
export const createServerBook = ({ nameServers, provider, resolver, clock, zones }: ServerBookDeps) => {
  const known = new Map<string, { at: number; servers: readonly string[] }>();
  return async (zoneId: string): Promise<readonly string[]> => {
    const zone = zones().find(({ id }) => id === zoneId);
    const configured = zone ? nameServers[zone.name] : undefined;
    if (configured) return configured;
    const cached = known.get(zoneId);
    if (cached && clock.monotonic() - cached.at < ASK_AGAIN_MS) return cached.servers;
    const names = await provider.readNameServers(zoneId);
    const servers = (await Promise.all(names.map((name) => resolver.locate(name)))).flat();
    if (servers.length > 0) known.set(zoneId, { at: clock.monotonic(), servers });
    return servers;
  };
};
