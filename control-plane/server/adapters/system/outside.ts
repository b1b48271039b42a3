/**
 * Does anything outside answer this process? Its canaries tell, where there are any. Without them it is in doubt only while the breakers of
 * Route 53's reads and of every DNS server are open; then those are dialled themselves, as nobody else may ask them while this process doesn't lead.
 */
import type { GuardView } from "../../ports/outside-view.ts";
import { dialCanaries } from "./canaries.ts";

export interface OutsideDeps {
  /** `host:port` */
  readonly canaries: readonly string[];
  readonly guards: () => readonly Pick<GuardView, "name" | "kind" | "state">[];
  /** Of Route 53; null: AWS's own. */
  readonly endpoint: string | null;
  readonly timeoutMs: number;
}

export const createOutside = ({ canaries, guards, endpoint, timeoutMs }: OutsideDeps) => {
  const api = toAddress(endpoint ?? "https://route53.amazonaws.com");
  return async (): Promise<"reached" | "unreached" | "unknown"> => {
    if (canaries.length > 0) return dialCanaries(canaries, timeoutMs);
    const views = guards();
    const resolvers = views.filter(({ kind }) => kind === "resolver");
    // Of Route 53's guards only this one is in use all the time.
    const reads = views.filter(({ name }) => name === "route53-read");
    if (resolvers.length === 0 || reads.length === 0) return "unknown";
    if ([...resolvers, ...reads].some(({ state }) => state === "closed")) return "reached";
    return dialCanaries([api, ...resolvers.map(({ name }) => name.slice(name.indexOf(":") + 1))], timeoutMs);
  };
};

const toAddress = (url: string): string => {
  const { hostname, port, protocol } = new URL(url);
  return `${hostname}:${port || (protocol === "https:" ? 443 : 80)}`;
};
