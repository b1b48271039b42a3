/**
 * From a declared address to the one that is dialled: local override, name resolution, guard. The guarded address is dialled as it is, so
 * that a second resolution can't return another. Of several addresses the first IPv4 one is taken, and only that: a probe that tries
 * the next would hide a dead address.
 */
import { isIP } from "node:net";
import { type GuardRules, guardAddresses } from "../core/guard.ts";
import type { ProbeResult } from "../core/probe-result.ts";
import { type Resolved, type ResolveName, resolveSystemName } from "./resolve-name.ts";

export interface HostPort {
  /** A name or an IP address without brackets. */
  readonly host: string;
  readonly port: number;
}

export interface DialRules extends GuardRules {
  /** Declared `host:port` to the one to dial instead, as in `curl --connect-to`. Agent-local. */
  readonly connectTo: Readonly<Record<string, string>>;
}

export type Dialling =
  | {
      readonly kind: "dial";
      readonly ip: string;
      readonly port: number /** 0 for an address without a name. */;
      readonly dnsMs: number;
    }
  | { readonly kind: "refused"; readonly result: ProbeResult };

export const parseAddress = (address: string): HostPort => {
  const colon = address.lastIndexOf(":");
  return { host: address.slice(0, colon).replace(/^\[|\]$/g, ""), port: Number(address.slice(colon + 1)) };
};

export const resolveDialling = async (
  address: string,
  rules: DialRules,
  timeoutMs: number,
  resolveName: ResolveName = resolveSystemName,
): Promise<Dialling> => {
  const { host, port } = parseAddress(rules.connectTo[address] ?? address);
  if (port < 1 || port > 65_535)
    return refusedBy({ outcome: "unknown", reason: "probe_bug", latencyMs: 0, facts: { why: "bad-port" } });
  const startedAt = performance.now();
  const isLiteral = isIP(host) > 0;
  const resolved: Resolved = isLiteral ? { kind: "found", addresses: [host] } : await resolveName(host, timeoutMs);
  const dnsMs = isLiteral ? 0 : performance.now() - startedAt;
  if (resolved.kind !== "found") return refusedBy(unresolved(resolved, dnsMs));
  const { addresses } = resolved;
  const verdict = guardAddresses(addresses, rules);
  switch (verdict.kind) {
    case "blocked":
      return refusedBy({ outcome: "unknown", reason: "blocked", latencyMs: 0, facts: { why: `guard-${verdict.class}` } });
    case "allowed":
      return { kind: "dial", ip: addresses[0]!, port, dnsMs };
  }
};

const unresolved = (resolved: Exclude<Resolved, { kind: "found" }>, dnsMs: number): ProbeResult =>
  resolved.kind === "failed"
    ? { outcome: "fail", reason: resolved.reason, latencyMs: dnsMs, phases: { dns: dnsMs } }
    : { outcome: "unknown", reason: "agent_overloaded", latencyMs: 0, facts: { why: "names-wait" } };

const refusedBy = (result: ProbeResult): Dialling => ({ kind: "refused", result });
