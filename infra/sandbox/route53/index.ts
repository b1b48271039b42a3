/**
 * Route 53's API on a port of this machine: the account's store, its HTTP face, its faults.
 * `createRoute53` builds, `listen` opens the door, `close` ends both.
 */
import { z } from "zod";
import { ACCOUNT_RATE_LIMIT, DELAY_MS_MAX, NAME_SERVERS_MAX, TTL_SECONDS_MAX } from "../limits.ts";
import { createFaults, type Faults } from "./faults.ts";
import { Propagation } from "./propagation.ts";
import { createTokenBucket, RateLimit, type TokenBucket } from "./rate-limit.ts";
import { listen, type RunningServer } from "./server.ts";
import { createStore, type Store } from "./store.ts";

export { Fault, type FaultInput, type Faults, ROUTE53_FAULT_KINDS, type Route53FaultKind, type StandingFault } from "./faults.ts";
export type { CheckerReport, HealthBoard } from "./health-board.ts";
export type { HealthCheck, HealthCheckConfig, RecordSet, Records } from "./model.ts";
export { Propagation } from "./propagation.ts";
export { RateLimit } from "./rate-limit.ts";
export type { Credentials } from "./signature.ts";
export type { Store, Zone } from "./store.ts";

const Milliseconds = z.number().min(0).max(DELAY_MS_MAX);
const Seconds = z.number().int().min(0).max(TTL_SECONDS_MAX);

export const Route53Options = z.object({
  /** Where the account is kept; absent: nowhere. */
  journalPath: z.string().min(1).optional(),
  /** Keys that may sign. */
  credentials: z
    .array(z.object({ accessKeyId: z.string().min(1).max(128), secretAccessKey: z.string().min(1).max(256) }))
    .min(1)
    .max(16),
  /** Names for NS records and delegation sets, without last dot. */
  nameServerNames: z
    .array(z.string().min(1).max(253))
    .min(1)
    .max(NAME_SERVERS_MAX)
    .default(["ns-1.sandbox.test", "ns-2.sandbox.test", "ns-3.sandbox.test", "ns-4.sandbox.test"]),
  /** From accepted batch to each name server's answer. */
  propagation: Propagation.default({ minMs: 50, maxMs: 300 }),
  /** How long a zone answers PriorRequestNotComplete after it accepted a batch; ms. */
  processingMs: Milliseconds.default(0),
  /** Absent: no Throttling. The real account's numbers are 5 a second and a burst of 10, or what AWS grants. */
  rateLimit: RateLimit.optional(),
  mixedTtl: z.enum(["overwrite", "refuse"]).default("overwrite"),
  invalidChangeBatchForm: z.enum(["error-response", "messages"]).default("error-response"),
  /** SOA of new zones; the real one's by default, so a missing name is remembered for 15 minutes. */
  soa: z
    .object({ ttlSeconds: Seconds.default(900), minimumSeconds: Seconds.default(86_400) })
    .default({ ttlSeconds: 900, minimumSeconds: 86_400 }),
});
export type Route53Options = z.input<typeof Route53Options>;

/** Clock in epoch milliseconds and numbers in [0, 1): replaced in tests that must repeat. */
export interface World {
  readonly now?: () => number;
  readonly random?: () => number;
}

export interface Route53 {
  readonly store: Store;
  readonly faults: Faults;
  readonly setPropagation: (propagation: Propagation) => void;
  /** Undefined takes the limit away. */
  readonly setRateLimit: (limit: RateLimit | undefined) => void;
  readonly setProcessingMs: (ms: number) => void;
  /** Calls let in so far, by operation and outcome (ServerDeps' `onCall` has the words). */
  readonly calls: () => readonly { readonly operation: string; readonly outcome: string; readonly count: number }[];
  /** Opens 127.0.0.1 at this port, or at a free one for 0. */
  readonly listen: (port: number) => Promise<RunningServer>;
  readonly close: () => Promise<void>;
}

/** Throws a ZodError on options out of range and an Error on a damaged journal. */
export const createRoute53 = (input: Route53Options, { now = Date.now, random = Math.random }: World = {}): Route53 => {
  const options = Route53Options.parse(input);
  const { journalPath, credentials, rateLimit, invalidChangeBatchForm: form, ...rest } = options;
  const store = createStore({ ...rest, ...(journalPath === undefined ? {} : { journalPath }), now, random });
  const faults: Faults = createFaults({ now, onCleared: store.releasePropagation, onChange: () => catchUp() });
  const { otherTraffic } = faults;
  const toBucket = (limit: RateLimit): TokenBucket => createTokenBucket(limit, { now, random, otherTraffic });
  let bucket = rateLimit && toBucket(rateLimit);
  // Without a limit there would be nothing that others could eat.
  const accountBucket = toBucket(ACCOUNT_RATE_LIMIT);
  const catchUp = (): void => {
    for (const each of [accountBucket, bucket]) each?.catchUp();
  };
  const bucketNow = (): TokenBucket | undefined => bucket ?? (otherTraffic(now()) > 0 ? accountBucket : undefined);
  const counts = new Map<string, number>();
  const onCall = (operation: string, outcome: string): void => {
    const key = `${operation} ${outcome}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  };
  const running: RunningServer[] = [];
  return {
    store,
    faults,
    setPropagation: (propagation) => store.setPropagation(Propagation.parse(propagation)),
    setRateLimit: (limit) => {
      bucket = limit && toBucket(RateLimit.parse(limit));
    },
    setProcessingMs: (ms) => store.setProcessingMs(Milliseconds.parse(ms)),
    calls: () =>
      [...counts].map(([key, count]) => {
        const [operation = "", outcome = ""] = key.split(" ");
        return { operation, outcome, count };
      }),
    listen: async (port) => {
      const server = await listen({ store, faults, credentials, rateLimit: bucketNow, form, now, onCall }, port);
      running.push(server);
      return server;
    },
    close: async () => {
      await Promise.all(running.map((server) => server.close()));
      store.close();
    },
  };
};
