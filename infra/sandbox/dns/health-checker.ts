/**
 * Route 53's health checkers: three of them, each probing every check at its own pace, each changing its mind only after as many
 * results in a row as the check asks for. What they think goes to the store's health board.
 */
import type { HealthCheck, HealthCheckConfig } from "../route53/model.ts";
import type { Store } from "../route53/store.ts";
import { runProbe } from "./probe.ts";

export interface HealthCheckerOptions {
  readonly store: Pick<Store, "health" | "healthChecks" | "onHealthChecks">;
  /**
   * Where published addresses lead: `192.0.2.10:443` -> `127.0.0.1:41234`. A check without an IP address is looked up by its
   * domain name and port. An address that isn't here fails.
   */
  readonly addressMap?: Readonly<Record<string, string>>;
  /** 10 makes a 10 s interval 1 s, and time limits with it. */
  readonly timeScale?: number;
  readonly now?: () => number;
}

export interface HealthChecker {
  /** Adds or replaces one way; undefined takes it away. */
  readonly setAddress: (published: string, target: string | undefined) => void;
  readonly close: () => void;
}

/** (real names) Documentation addresses stand for the checkers' own. */
const CHECKERS = [
  { region: "us-east-1", ipAddress: "203.0.113.1" },
  { region: "eu-west-1", ipAddress: "203.0.113.2" },
  { region: "ap-southeast-1", ipAddress: "203.0.113.3" },
] as const;

const publishedAddress = ({ ipAddress, fullyQualifiedDomainName, port }: HealthCheckConfig): string => {
  const host = ipAddress || (fullyQualifiedDomainName ?? "");
  return `${host.includes(":") ? `[${host}]` : host}:${port}`;
};

/** What a check probes; if it changes, what was seen before says nothing. */
const targetKey = ({
  type,
  ipAddress,
  port,
  fullyQualifiedDomainName,
  resourcePath,
  searchString,
  disabled,
}: HealthCheckConfig): string =>
  JSON.stringify([type, ipAddress, port, fullyQualifiedDomainName, resourcePath, searchString, disabled]);

interface Watch {
  check: HealthCheck;
  readonly stop: () => void;
}

export const createHealthChecker = (options: HealthCheckerOptions): HealthChecker => {
  const { store, timeScale = 1, now = Date.now } = options;
  const addresses = new Map(Object.entries(options.addressMap ?? {}));
  const watches = new Map<string, Watch>();

  const watch = (check: HealthCheck): Watch => {
    const timers = new Set<NodeJS.Timeout>();
    const stopping = new AbortController();
    const found: Watch = {
      check,
      stop: () => {
        stopping.abort();
        for (const timer of timers) clearTimeout(timer);
      },
    };
    const intervalMs = ((check.config.requestInterval ?? 30) * 1_000) / timeScale;
    for (const [index, checker] of CHECKERS.entries()) {
      let isPassing = true;
      let streak = 0;
      const later = (ms: number): void => {
        const timer = setTimeout(() => {
          timers.delete(timer);
          void probe();
        }, ms);
        timers.add(timer);
      };
      const probe = async (): Promise<void> => {
        const startedAt = now();
        const { config } = found.check;
        const userAgent = `Amazon-Route53-Health-Check-Service (ref ${check.id}; report http://amzn.to/1vsZADi)`;
        const result = await runProbe({
          address: addresses.get(publishedAddress(config)),
          config,
          userAgent,
          timeScale,
          signal: stopping.signal,
        });
        if (stopping.signal.aborted) return;
        streak = result.isPassing === isPassing ? 0 : streak + 1;
        if (streak >= (config.failureThreshold ?? 3)) {
          isPassing = result.isPassing;
          streak = 0;
        }
        store.health.report(check.id, { ...checker, isPassing, text: result.text, checkedAt: now() });
        later(Math.max(0, intervalMs - (now() - startedAt)));
      };
      later((index * intervalMs) / CHECKERS.length);
    }
    return found;
  };

  const reconcile = (): void => {
    const wanted = new Map(
      store
        .healthChecks()
        .filter(({ config }) => config.type !== "CALCULATED" && config.disabled !== true)
        .map((check) => [check.id, check]),
    );
    for (const [id, held] of watches) {
      const check = wanted.get(id);
      if (check && targetKey(check.config) === targetKey(held.check.config)) {
        held.check = check;
        continue;
      }
      held.stop();
      watches.delete(id);
      if (check) store.health.forget(id);
    }
    for (const [id, check] of wanted) if (!watches.has(id)) watches.set(id, watch(check));
  };

  reconcile();
  const unsubscribe = store.onHealthChecks(reconcile);
  return {
    setAddress: (published, target) => {
      if (target === undefined) addresses.delete(published);
      else addresses.set(published, target);
    },
    close: () => {
      unsubscribe();
      for (const held of watches.values()) held.stop();
      watches.clear();
    },
  };
};
