/**
 * Route 53 on a laptop, all of it: the API, name servers, a caching resolver and health checkers, on 127.0.0.1.
 * Called by the sandbox's main and by tests of whoever writes DNS through the real SDK.
 */
import { join } from "node:path";
import {
  createHealthChecker,
  createNameServers,
  createResolver,
  type HealthChecker,
  type NameServers,
  type Resolver,
  type Viewer,
} from "./dns/index.ts";
import {
  createRoute53,
  type Faults,
  type Propagation,
  type RateLimit,
  type Route53,
  type Route53Options,
} from "./route53/index.ts";
import { parseName } from "./route53/names.ts";

export interface Route53SandboxOptions extends Omit<Route53Options, "journalPath"> {
  /** Directory of the account's journal; absent: nothing is kept. */
  readonly dataDir?: string;
  /** Zones that must exist: `example.test`. Made at the first start; their ids stay. */
  readonly zones?: readonly string[];
  /** 0 or absent: free ports. */
  readonly ports?: { readonly api?: number; readonly nameServers?: readonly number[]; readonly resolver?: number };
  /** See HealthCheckerOptions. */
  readonly addressMap?: Readonly<Record<string, string>>;
  readonly healthCheckTimeScale?: number;
  readonly resolverTtlFloorSeconds?: number;
  readonly viewer?: Viewer;
  /** Chance of weighted answers, delays and resolver choices; Math.random by default. */
  readonly random?: () => number;
  readonly now?: () => number;
}

export interface Route53Sandbox {
  /** `http://127.0.0.1:port` */
  readonly endpoint: string;
  /** `127.0.0.1:port`, in the order of the NS records. */
  readonly nameServers: readonly string[];
  /** `127.0.0.1:port` */
  readonly resolver: string;
  /** By zone name as given in the options. */
  readonly zoneIds: Readonly<Record<string, string>>;
  readonly faults: Faults;
  readonly calls: Route53["calls"];
  readonly setPropagation: (propagation: Propagation) => void;
  readonly setRateLimit: (limit: RateLimit | undefined) => void;
  readonly setProcessingMs: (ms: number) => void;
  /** `192.0.2.10:443` -> `127.0.0.1:41234` for the health checkers. */
  readonly setAddress: HealthChecker["setAddress"];
  readonly flushResolver: () => void;
  /** Kills name server `index` (from 0) for good. */
  readonly stopNameServer: (index: number) => Promise<void>;
  readonly close: () => Promise<void>;
}

export const startRoute53Sandbox = async (options: Route53SandboxOptions): Promise<Route53Sandbox> => {
  const {
    dataDir,
    zones = [],
    ports = {},
    addressMap,
    healthCheckTimeScale = 1,
    viewer = {},
    random = Math.random,
    now = Date.now,
  } = options;
  const route53 = createRoute53(
    { ...options, ...(dataDir === undefined ? {} : { journalPath: join(dataDir, "route53.jsonl") }) },
    { now, random },
  );
  const closers: (() => unknown)[] = [() => route53.close()];
  const close = async (): Promise<void> => {
    for (const end of closers.splice(0).reverse()) await end();
  };
  try {
    const zoneIds = ensureZones(route53, zones);
    const nameServers = await createNameServers({ store: route53.store, ports: ports.nameServers ?? [], random, viewer });
    closers.push(() => nameServers.close());
    const resolver = await createResolver({
      port: ports.resolver ?? 0,
      nameServerPorts: nameServers.ports,
      ttlFloorSeconds: options.resolverTtlFloorSeconds ?? 0,
      now,
      random,
    });
    closers.push(() => resolver.close());
    const checker = createHealthChecker({
      store: route53.store,
      timeScale: healthCheckTimeScale,
      now,
      ...(addressMap ? { addressMap } : {}),
    });
    closers.push(() => checker.close());
    const api = await route53.listen(ports.api ?? 0);
    return toSandbox({ route53, nameServers, resolver, checker, zoneIds, port: api.port, close });
  } catch (error) {
    await close();
    throw error;
  }
};

interface Parts {
  readonly route53: Route53;
  readonly nameServers: NameServers;
  readonly resolver: Resolver;
  readonly checker: HealthChecker;
  readonly zoneIds: Readonly<Record<string, string>>;
  readonly port: number;
  readonly close: () => Promise<void>;
}

const toSandbox = ({ route53, nameServers, resolver, checker, zoneIds, port, close }: Parts): Route53Sandbox => ({
  endpoint: `http://127.0.0.1:${port}`,
  nameServers: nameServers.ports.map((one) => `127.0.0.1:${one}`),
  resolver: `127.0.0.1:${resolver.port}`,
  zoneIds,
  faults: route53.faults,
  calls: route53.calls,
  setPropagation: route53.setPropagation,
  setRateLimit: route53.setRateLimit,
  setProcessingMs: route53.setProcessingMs,
  setAddress: checker.setAddress,
  flushResolver: resolver.flush,
  stopNameServer: nameServers.stop,
  close,
});

const ensureZones = ({ store }: Route53, names: readonly string[]): Record<string, string> => {
  const ids: Record<string, string> = {};
  for (const given of names) {
    const parsed = parseName(given);
    if (parsed.kind === "invalid") throw new Error(`zone name ${given}: ${parsed.text}`);
    const present = store.zones().find(({ head }) => head.name === parsed.name);
    const outcome = present
      ? { kind: "created" as const, zone: present }
      : store.createZone({ name: parsed.name, callerReference: `sandbox-${parsed.name}` });
    if (outcome.kind !== "created") throw new Error(`zone ${given} can't be made: ${outcome.kind}`);
    ids[given] = outcome.zone.head.id;
  }
  return ids;
};
