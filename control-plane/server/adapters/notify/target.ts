/**
 * From a name to the address that is dialled: resolved once, every address checked, and the checked one dialled, so that a second look-up
 * can't answer another. The rules are those of agents' targets.
 */
import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import { classOf, type GuardRules, guardAddresses } from "@regent/contract";

export interface Target {
  /** Of the URL, without brackets. */
  readonly host: string;
  readonly ip: string;
  readonly isLoopback: boolean;
}

/** What was declared can't be dialled, or nothing should be. */
export class TargetRefused extends Error {
  override readonly name = "TargetRefused";
}

export type LookUp = (host: string) => Promise<readonly string[]>;

const lookUpSystem: LookUp = async (host) =>
  (await lookup(host, { all: true, order: "ipv4first" })).map(({ address }) => address);

export const findTarget = async (host: string, rules: GuardRules, lookUp: LookUp = lookUpSystem): Promise<Target> => {
  const bare = host.replace(/^\[|\]$/g, "");
  const addresses = isIP(bare) > 0 ? [bare] : await lookUp(bare);
  const ip = addresses[0];
  if (ip === undefined) throw new TargetRefused("the name has no address");
  const verdict = guardAddresses(addresses, rules);
  if (verdict.kind === "blocked") throw new TargetRefused(`the address is ${verdict.class}, which isn't allowed here`);
  return { host: bare, ip, isLoopback: classOf(ip) === "loopback" };
};
