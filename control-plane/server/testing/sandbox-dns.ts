/** The sandbox's Route 53 behind the real adapter, for tests of the control plane. It is loaded by path: the server doesn't depend on it. */
import { createUdpResolver } from "../adapters/resolver/udp-resolver.ts";
import { type ApiBudgetOptions, createApiBudget } from "../adapters/route53/budget.ts";
import { createRoute53Provider, type Route53Provider } from "../adapters/route53/dns-provider.ts";
import type { WorldDns } from "./world.ts";

/** What is used of the sandbox. */
interface Sandbox {
  readonly endpoint: string;
  readonly nameServers: readonly string[];
  readonly zoneIds: Readonly<Record<string, string>>;
  readonly faults: { readonly set: (fault: Readonly<Record<string, unknown>>) => string; readonly clear: (id?: string) => void };
  readonly calls: () => readonly { readonly operation: string; readonly outcome: string; readonly count: number }[];
  readonly close: () => Promise<void>;
}
interface SandboxModule {
  readonly startRoute53Sandbox: (options: Readonly<Record<string, unknown>>) => Promise<Sandbox>;
}

export interface SandboxDns extends WorldDns {
  readonly faults: Sandbox["faults"];
  /** Calls that came in so far, whatever the answer. */
  readonly count: (operation: string) => number;
  /** Another client of the same account, with a budget of its own. */
  readonly somebodyElse: Route53Provider;
  readonly close: () => Promise<void>;
}

const ZONE = "example.test";
const credentials = { accessKeyId: "AKIDSANDBOXWORLD", secretAccessKey: "only-for-this-test" };

/** Propagation as the sandbox has it; the account lets through what Route 53 does by default. */
export const startSandboxDns = async (budget: Partial<ApiBudgetOptions> = {}): Promise<SandboxDns> => {
  const path = new URL("../../../infra/sandbox/route53-sandbox.ts", import.meta.url).href;
  const { startRoute53Sandbox } = (await import(/* @vite-ignore */ path)) as SandboxModule;
  const sandbox = await startRoute53Sandbox({
    credentials: [credentials],
    zones: [ZONE],
    rateLimit: { perSecond: 5, burst: 10 },
  });
  const connect = (): Route53Provider =>
    createRoute53Provider({
      endpoint: sandbox.endpoint,
      credentials,
      budget: createApiBudget({ monotonic: () => performance.now(), ...budget }),
    });
  const [provider, somebodyElse] = [connect(), connect()];
  return {
    zoneId: sandbox.zoneIds[ZONE] ?? "",
    provider,
    resolver: createUdpResolver(),
    nameServers: sandbox.nameServers,
    faults: sandbox.faults,
    count: (operation) =>
      sandbox
        .calls()
        .filter((each) => each.operation === operation)
        .reduce((sum, { count }) => sum + count, 0),
    somebodyElse,
    close: async () => {
      provider.close();
      somebodyElse.close();
      await sandbox.close();
    },
  };
};
