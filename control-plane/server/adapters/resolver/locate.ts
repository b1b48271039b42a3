/** Finds where a name server answers. */
import { lookup } from "node:dns/promises";
import { ADDRESSES_MAX, LOCATE_TIMEOUT_MS } from "./limits.ts";
import { DNS_PORT, parseServerAddress, writeServerAddress } from "./server-address.ts";

/**
 * `address:port` of a name server given as host name, `host:port`, `ip` or `ip:port`; none if the name can't be resolved within 5 s.
 * IPv6 addresses only where there is no IPv4 one: a control plane without IPv6 would count the same server as silent.
 */
export const locateServer = async (nameServer: string): Promise<readonly string[]> => {
  const given = parseServerAddress(nameServer);
  if (given) return [writeServerAddress(given)];
  const match = /^([a-z0-9_.-]+?)\.?(?::(\d{1,5}))?$/i.exec(nameServer);
  if (!match) return [];
  const port = match[2] === undefined ? DNS_PORT : Number(match[2]);
  const found = await lookupInTime(match[1]!);
  const v4 = found.filter(({ family }) => family === 4);
  const chosen = (v4.length > 0 ? v4 : found).slice(0, ADDRESSES_MAX);
  return chosen.map(({ address }) => writeServerAddress({ host: address, port }));
};

const lookupInTime = async (host: string): Promise<{ address: string; family: number }[]> => {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<[]>((resolve) => {
    timer = setTimeout(() => resolve([]), LOCATE_TIMEOUT_MS);
  });
  try {
    return await Promise.race([lookup(host, { all: true }), late]);
  } catch {
    return [];
  } finally {
    clearTimeout(timer);
  }
};
