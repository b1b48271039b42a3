/** `address:port` and `[v6]:port`, read and written. Pure. */
import { isIP, isIPv6 } from "node:net";

export interface ServerAddress {
  readonly host: string;
  readonly port: number;
}

export const DNS_PORT = 53;

/** Reads `1.2.3.4`, `1.2.3.4:53`, `2001:db8::1` or `[2001:db8::1]:53`; null for anything else, host names too. */
export const parseServerAddress = (text: string): ServerAddress | null => {
  if (isIP(text) !== 0) return { host: text, port: DNS_PORT };
  const match = /^(?:\[([0-9a-f:.]+)\]|([0-9.]+))(?::(\d{1,5}))?$/i.exec(text);
  const host = match?.[1] ?? match?.[2];
  const port = match?.[3] === undefined ? DNS_PORT : Number(match[3]);
  if (host === undefined || isIP(host) === 0 || port < 1 || port > 65_535) return null;
  return { host, port };
};

export const writeServerAddress = ({ host, port }: ServerAddress): string =>
  isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`;

/** True if both texts are the same IP address, however it is written. */
export const isSameHost = (a: string, b: string): boolean =>
  a === b || (isIPv6(a) && isIPv6(b) && canonicalV6(a) === canonicalV6(b));

const canonicalV6 = (text: string): string => new URL(`http://[${text.replace(/%.*$/, "")}]`).hostname;
