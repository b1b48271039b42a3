/**
 * Memory twin of Resolver: authoritative servers of the memory DNS, each with its own propagation delay. Has no timers: a silent server
 * fails at once, since nobody waits in a test.
 */
import type { DnsAnswer, Resolver } from "../../ports/resolver.ts";
import type { MemoryDns } from "./dns-provider.ts";
import { answerFromZone } from "./zone-answer.ts";

export interface MemoryServer {
  /** `address:port`, as `ask` names it. */
  readonly address: string;
  /** Host name by which `locate` finds it; its address unless told. */
  readonly host?: string;
  /** From accepted to answered here, ms. */
  readonly delayMs: number;
}

export interface MemoryResolverOptions {
  readonly dns: MemoryDns;
  readonly servers: readonly MemoryServer[];
  /** The memory DNS's clock. */
  readonly now: () => number;
  /** Draws by weight; 0 up to, not including, 1. */
  readonly random: () => number;
}

export interface MemoryResolver extends Resolver {
  /** From now on the server answers this late. */
  readonly setDelay: (address: string, delayMs: number) => void;
  /** A silent server lets every question time out. */
  readonly silence: (address: string) => void;
  readonly unsilence: (address: string) => void;
}

export const createMemoryResolver = ({ dns, servers, now, random }: MemoryResolverOptions): MemoryResolver => {
  const delayByAddress = new Map(servers.map(({ address, delayMs }) => [address, delayMs]));
  const silent = new Set<string>();
  const ask: Resolver["ask"] = async (server, name, type, timeoutMs): Promise<DnsAnswer> => {
    const delayMs = delayByAddress.get(server);
    if (delayMs === undefined || silent.has(server)) return { kind: "failed", why: `no answer within ${timeoutMs} ms` };
    const question = { name: name.toLowerCase().replace(/\.$/, ""), type };
    const records = dns.recordsAt(question.name, now() - delayMs);
    if (!records) return { kind: "failed", why: "REFUSED" };
    return answerFromZone({ records, isHealthy: dns.isHealthy, random }, question);
  };
  return {
    ask,
    locate: async (nameServer) => {
      const host = nameServer.toLowerCase().replace(/\.$/, "");
      return servers.filter((server) => [server.host, server.address].includes(host)).map(({ address }) => address);
    },
    setDelay: (address, delayMs) => {
      if (!delayByAddress.has(address)) throw new RangeError(`no server ${address}`);
      delayByAddress.set(address, delayMs);
    },
    silence: (address) => void silent.add(address),
    unsilence: (address) => void silent.delete(address),
  };
};
