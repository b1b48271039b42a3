/**
 * Route 53 of a virtual world: the memory twin, with faults that stand for a while. Only faults that a reader meets: every write reads first, so
 * that what follows is the server's own way of coming back. A send that waits or is lost has timers of its own, which virtual time can't drive.
 */
import type { RecordSet } from "@regent/engine";
import { createMemoryDns } from "@regent/server/adapters/memory/dns-provider.ts";
import type { DnsProvider } from "@regent/server/ports/dns-provider.ts";

export type DnsFault = "throttle" | "away";

export interface VirtualDnsDeps {
  readonly zones: readonly { readonly id: string; readonly name: string }[];
  readonly now: () => number;
  readonly faultNow: () => DnsFault | null;
}

export interface VirtualDns {
  readonly provider: DnsProvider;
  /** Somebody else's hand: each set at a name is replaced by what `change` makes of it. */
  readonly rewrite: (zoneId: string, name: string, change: (set: RecordSet) => RecordSet) => Promise<void>;
}

export const createVirtualDns = ({ zones, now, faultNow }: VirtualDnsDeps): VirtualDns => {
  const { provider, edit } = createMemoryDns({ zones, now });
  const read = (ask: () => ReturnType<DnsProvider["readZone"]>): ReturnType<DnsProvider["readZone"]> => {
    switch (faultNow()) {
      case "throttle":
        return Promise.resolve({ kind: "throttled" });
      case "away":
        return Promise.resolve({ kind: "failed", why: "Route 53 doesn't answer" });
      case null:
        return ask();
    }
  };
  const rewrite: VirtualDns["rewrite"] = async (zoneId, name, change) => {
    const found = await provider.readNames(zoneId, [name], { lane: "read", rank: 0 });
    if (found.kind !== "sets" || found.sets.length === 0) return;
    const creates = found.sets.map(change);
    if (edit(zoneId, { deletes: found.sets, creates }) !== "applied") throw new Error(`the zone refused an edit of ${name}`);
  };
  return {
    provider: {
      ...provider,
      readNames: (zoneId, names, turn) => read(() => provider.readNames(zoneId, names, turn)),
      readZone: (zoneId, turn) => read(() => provider.readZone(zoneId, turn)),
    },
    rewrite,
  };
};
