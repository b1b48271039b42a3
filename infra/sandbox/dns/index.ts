/** DNS of the sandbox: authoritative name servers with their own views, a caching resolver, and health checkers that really probe. */
import { NAME_SERVERS_MAX } from "../limits.ts";
import type { Store } from "../route53/store.ts";
import type { Viewer } from "./choose.ts";
import type { Door } from "./door.ts";
import { openNameServer } from "./name-server.ts";

export type { Viewer } from "./choose.ts";
export { createHealthChecker, type HealthChecker, type HealthCheckerOptions } from "./health-checker.ts";
export { createSeededRandom } from "./random.ts";
export { createResolver, type Resolver, type ResolverOptions } from "./resolver.ts";

export interface NameServersOptions {
  readonly store: Store;
  /** Ports on 127.0.0.1, one for each name server of the store; 0 or absent: a free one. */
  readonly ports?: readonly number[];
  readonly random?: () => number;
  /** Where askers are taken to be, for latency and geolocation records. */
  readonly viewer?: Viewer;
}

export interface NameServers {
  /** In the order of the zone's NS records. */
  readonly ports: readonly number[];
  /** Closes server `index` alone, as if it had died. */
  readonly stop: (index: number) => Promise<void>;
  readonly close: () => Promise<void>;
}

export const createNameServers = async ({
  store,
  ports = [],
  random = Math.random,
  viewer = {},
}: NameServersOptions): Promise<NameServers> => {
  const count = Math.min(store.nameServerNames.length, NAME_SERVERS_MAX);
  const doors: (Door | undefined)[] = [];
  const stop = async (index: number): Promise<void> => {
    const door = doors[index];
    doors[index] = undefined;
    await door?.close();
  };
  const close = async (): Promise<void> => {
    await Promise.all(doors.map((_, index) => stop(index)));
  };
  try {
    for (let index = 0; index < count; index++)
      doors.push(await openNameServer({ store, health: store.health, random, viewer }, index, ports[index] ?? 0));
  } catch (error) {
    await close();
    throw error;
  }
  return { ports: doors.map((door) => door!.port), stop, close };
};
