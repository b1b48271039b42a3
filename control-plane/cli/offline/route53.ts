/** Route 53 without a control plane: the server's own adapter with the server's settings for it, and a look at the names of some services. */
import type { Observed, ServiceSpec } from "@regent/engine";
import { toObserved } from "@regent/engine/plan/record-sets.ts";
import { createApiBudget } from "@regent/server/adapters/route53/budget.ts";
import { createRoute53Provider, type Route53Provider } from "@regent/server/adapters/route53/dns-provider.ts";
import { ConfigError, loadConfig } from "@regent/server/config.ts";
import { NAMES_READ_MAX } from "@regent/server/limits.ts";
import type { DnsProvider } from "@regent/server/ports/dns-provider.ts";
import { CommandFailure, EXIT } from "../exit-codes.ts";

/** Only what Route 53 needs is read of the environment: a wrong DATABASE_URL is no reason to refuse on the day that it is needed least. */
export const openRoute53 = (env: NodeJS.ProcessEnv): Route53Provider => {
  const { AWS_ENDPOINT_URL_ROUTE_53, REGENT_ROUTE53_RATE } = env;
  try {
    const { route53 } = loadConfig({ AWS_ENDPOINT_URL_ROUTE_53, REGENT_ROUTE53_RATE });
    const monotonic = (): number => performance.now();
    const budget = createApiBudget({ monotonic, ratePerSecond: route53.ratePerSecond, burst: route53.burst });
    return createRoute53Provider({ budget, ...(route53.endpoint === null ? {} : { endpoint: route53.endpoint }) });
  } catch (error) {
    if (error instanceof ConfigError) throw new CommandFailure(EXIT.usage, error.message);
    throw error;
  }
};

export type Looked =
  | { readonly kind: "seen"; readonly observed: ReadonlyMap<string, Observed> }
  | { readonly kind: "unread"; readonly why: string; readonly isDenied: boolean };

type Reader = Pick<DnsProvider, "readNames" | "readZone">;

/** What stands now at the names of these services, of any number of zones. */
export const lookAt = async (provider: Reader, specs: readonly ServiceSpec[]): Promise<Looked> => {
  const observed = new Map<string, Observed>();
  for (const zoneId of new Set(specs.map((spec) => spec.zoneId))) {
    const own = specs.filter((spec) => spec.zoneId === zoneId);
    const read =
      own.length > NAMES_READ_MAX
        ? await provider.readZone(zoneId)
        : await provider.readNames(
            zoneId,
            own.flatMap(({ families, epochName }) => [...families.map(({ name }) => name), epochName]),
          );
    switch (read.kind) {
      case "sets":
        for (const spec of own) observed.set(spec.id, toObserved(spec, read.sets));
        break;
      case "throttled":
        return { kind: "unread", why: `zone ${zoneId}: Route 53 throttles reads`, isDenied: false };
      case "failed":
        return { kind: "unread", why: `zone ${zoneId}: ${read.why}`, isDenied: false };
      case "denied":
        return { kind: "unread", why: `zone ${zoneId}: ${read.why}`, isDenied: true };
    }
  }
  return { kind: "seen", observed };
};
