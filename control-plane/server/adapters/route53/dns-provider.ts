/**
 * Route 53 behind the DnsProvider port. Every call takes a token of the account's budget, has a deadline, and ends in a value.
 * Sends go out exactly once (the SDK's retries are off): a second copy of a batch would be refused by its own first copy. Reads are
 * retried here, each try with its own token. Each lane has its guard, so that hanging reads never take a change's connections; a send
 * that the guard refuses was certainly not sent.
 */
import {
  ChangeResourceRecordSetsCommand,
  GetChangeCommand,
  GetHealthCheckCommand,
  GetHealthCheckStatusCommand,
  GetHostedZoneCommand,
  ListResourceRecordSetsCommand,
  Route53Client,
  type Route53ClientConfig,
  type RRType,
} from "@aws-sdk/client-route-53";
import type { ChangeProgress, DnsProvider, OutgoingBatch, ReadTurn, SendResult } from "../../ports/dns-provider.ts";
import type { BreakerLimits } from "../guard/breaker.ts";
import { createGuards, type Guard, GuardRefused, type Guards } from "../guard/guards.ts";
import { retry } from "../guard/retry.ts";
import type { AdaptiveBudget } from "./budget.ts";
import { classifyError, speaksAgainstService, toProgressFailure, toReadFailure, toSendResult } from "./errors.ts";
import { createHealthReader } from "./health.ts";
import * as limits from "./limits.ts";
import { type Cursor, type Failed, listNames, listZone, type Page } from "./listing.ts";
import { bareId, toRoute53Name } from "./names.ts";
import { toChanges, toPage } from "./records.ts";

/** Takes the part of a pino logger that is used. Gets call names, kinds and sentences, never keys or request bodies. */
export interface CallLogger {
  readonly warn: (fields: Readonly<Record<string, unknown>>, message: string) => void;
}

export interface Route53Options {
  /** As the SDK takes it. Without one: AWS_ENDPOINT_URL_ROUTE_53, AWS_ENDPOINT_URL, then the service's own. */
  readonly endpoint?: string;
  /** Route 53 is one service for the whole world; only other partitions (China, GovCloud) need another region. */
  readonly region?: string;
  /** As the SDK takes them. Without any: the SDK's default chain. */
  readonly credentials?: NonNullable<Route53ClientConfig["credentials"]>;
  readonly budget: AdaptiveBudget;
  /** Where the guards of the calls are kept and seen; of its own unless told. */
  readonly guards?: Guards;
  readonly breakers?: Readonly<Partial<Record<GuardedLane, BreakerLimits | undefined>>>;
  readonly timeouts?: { readonly sendMs?: number; readonly readMs?: number; readonly connectMs?: number };
  readonly logger?: CallLogger;
  /** Monotonic ms, for caches. */
  readonly monotonic?: () => number;
  /** 0..1, for the jitter of retries. */
  readonly random?: () => number;
}

export interface Route53Provider extends DnsProvider {
  /** Lets go of idle connections. */
  readonly close: () => void;
}

export const createRoute53Provider = (options: Route53Options): Route53Provider => {
  const calls = createCalls(options);
  const monotonic = options.monotonic ?? (() => performance.now());
  const readNameServers = createNameServerReader(calls, monotonic);
  const readHealth = createHealthReader({
    monotonic,
    readConfig: async (id) => {
      const answer = await calls.quietly("GetHealthCheck", (signal) =>
        calls.client.send(new GetHealthCheckCommand({ HealthCheckId: id }), { abortSignal: signal }),
      );
      return answer?.HealthCheck?.HealthCheckConfig ?? null;
    },
    readObservations: async (id) => {
      const answer = await calls.quietly("GetHealthCheckStatus", (signal) =>
        calls.client.send(new GetHealthCheckStatusCommand({ HealthCheckId: id }), { abortSignal: signal }),
      );
      return answer === null ? null : (answer.HealthCheckObservations ?? []);
    },
  });
  return {
    readNames: (zoneId, names, turn = READ_NOW) => listNames((from) => readPage(calls, { zoneId, from, ...turn }), names),
    readZone: (zoneId, turn = READ_NOW) => listZone((from) => readPage(calls, { zoneId, from, ...turn })),
    send: (zoneId, batch) => sendBatch(calls, zoneId, batch),
    readChange: (changeInfoId) => readChange(calls, changeInfoId),
    readHealth,
    readNameServers,
    close: () => calls.client.destroy(),
  };
};

const READ_NOW: ReadTurn = { lane: "read", rank: 0 };

type Lane = Parameters<AdaptiveBudget["take"]>[0];
/** Scans read the zone for a decision as reads do: a region of many services is read page by page. */
export type GuardedLane = Exclude<Lane, "scan">;
type Calls = ReturnType<typeof createCalls>;

const createLaneGuards = ({ guards = createGuards(), breakers = {} }: Route53Options): Readonly<Record<Lane, Guard>> => {
  const guardOf = (lane: GuardedLane): Guard =>
    guards.get({
      name: `route53-${lane}`,
      breaker: breakers[lane] ?? limits.BREAKERS[lane],
      gate: limits.GATES[lane],
      isFailure: speaksAgainstService,
    });
  const read = guardOf("read");
  return { change: guardOf("change"), read, scan: read, poll: guardOf("poll") };
};

/** The client, and the two ways to call it: once, or again after a failure that may pass. */
const createCalls = (options: Route53Options) => {
  const sendMs = options.timeouts?.sendMs ?? limits.SEND_TIMEOUT_MS;
  const readMs = options.timeouts?.readMs ?? limits.READ_TIMEOUT_MS;
  const guardByLane = createLaneGuards(options);
  const client = createClient(options, sendMs);

  const once = async <T>(
    lane: Lane,
    name: string,
    call: (signal: AbortSignal) => Promise<T>,
    { rank = 0, mayLeave, givenUp }: Pick<OutgoingBatch, "rank" | "mayLeave" | "givenUp"> = {},
  ): Promise<T> => {
    try {
      return await guardByLane[lane].run({
        ready: () => options.budget.take(lane, rank, givenUp),
        ...(mayLeave ? { mayBegin: mayLeave } : {}),
        timeoutMs: lane === "change" ? sendMs : readMs,
        work: call,
      });
    } catch (error) {
      // Told by the guard's own change of state: an API that is down would fill the log.
      if (error instanceof GuardRefused) throw error;
      const fault = classifyError(error);
      if (fault.kind === "throttled") options.budget.slowDown();
      options.logger?.warn({ call: name, fault }, "a Route 53 call did not succeed");
      throw error;
    }
  };
  const retried = <T>({ lane, rank }: ReadTurn, name: string, call: (signal: AbortSignal) => Promise<T>): Promise<T> => {
    let others = 0;
    return retry(() => once(lane, name, call, { rank }), {
      triesMax: limits.THROTTLED_TRIES_MAX,
      pauseMs: limits.READ_RETRY_MS,
      pauseMsMax: limits.READ_RETRY_MS_MAX,
      mayPass: (error) => mayPass(error) && (isThrottled(error) || ++others < limits.READ_TRIES_MAX),
      onRetry: guardByLane[lane].noteRetry,
      ...(options.random ? { random: options.random } : {}),
    });
  };
  /** For side questions: the answer, or null. Logged by `once`. */
  const quietly = <T>(name: string, call: (signal: AbortSignal) => Promise<T>): Promise<T | null> =>
    once("poll", name, call).catch(() => null);
  return { client, once, retried, quietly };
};

const createClient = ({ endpoint, region, credentials, timeouts }: Route53Options, sendMs: number): Route53Client =>
  new Route53Client({
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(credentials === undefined ? {} : { credentials }),
    region: region ?? "us-east-1",
    maxAttempts: 1,
    requestHandler: {
      connectionTimeout: timeouts?.connectMs ?? limits.CONNECT_TIMEOUT_MS,
      // A socket that outlives the deadline's abort (a body that hangs) is cut soon after.
      socketTimeout: sendMs + limits.CONNECT_TIMEOUT_MS,
      httpAgent: { keepAlive: true, maxSockets: limits.CONNECTIONS_MAX },
      httpsAgent: { keepAlive: true, maxSockets: limits.CONNECTIONS_MAX },
    },
  });

/** Nothing is wrong with the call, and the budget paces its next try: it may be tried more often. */
const isThrottled = (error: unknown): boolean => classifyError(error).kind === "throttled";

/** While it is open, nothing passes soon. Half-open, another call is trying it at this moment. */
const mayPass = (error: unknown): boolean => {
  if (error instanceof GuardRefused) return error.reason === "half-open";
  const { kind } = classifyError(error);
  return kind === "throttled" || kind === "busy" || kind === "unclear";
};

const readPage = async (
  calls: Calls,
  { zoneId, from, ...turn }: ReadTurn & { readonly zoneId: string; readonly from: Cursor | null },
): Promise<Page | Failed> => {
  const command = new ListResourceRecordSetsCommand({
    HostedZoneId: zoneId,
    MaxItems: limits.RECORD_SETS_PAGE_MAX,
    ...(from === null ? {} : { StartRecordName: toRoute53Name(from.name) }),
    ...(from?.type === undefined ? {} : { StartRecordType: from.type as RRType }),
    ...(from?.setIdentifier === undefined ? {} : { StartRecordIdentifier: from.setIdentifier }),
  });
  try {
    return toPage(
      await calls.retried(turn, "ListResourceRecordSets", (signal) => calls.client.send(command, { abortSignal: signal })),
    );
  } catch (error) {
    return toReadFailure(error);
  }
};

const sendBatch = async (calls: Calls, zoneId: string, batch: Parameters<DnsProvider["send"]>[1]): Promise<SendResult> => {
  const changes = toChanges(batch);
  if (changes.length === 0) throw new RangeError("an empty batch is never sent");
  const command = new ChangeResourceRecordSetsCommand({
    HostedZoneId: zoneId,
    ChangeBatch: { Changes: changes, Comment: batch.comment.slice(0, limits.COMMENT_CHARACTERS_MAX) },
  });
  try {
    const answer = await calls.once(
      "change",
      "ChangeResourceRecordSets",
      (signal) => calls.client.send(command, { abortSignal: signal }),
      batch,
    );
    const id = answer.ChangeInfo?.Id;
    return id ? { kind: "accepted", changeInfoId: bareId(id) } : { kind: "unknown", why: "the answer names no change" };
  } catch (error) {
    return toSendResult(error);
  }
};

const readChange = async (calls: Calls, changeInfoId: string): Promise<ChangeProgress> => {
  try {
    const answer = await calls.once("poll", "GetChange", (signal) =>
      calls.client.send(new GetChangeCommand({ Id: bareId(changeInfoId) }), { abortSignal: signal }),
    );
    switch (answer.ChangeInfo?.Status) {
      case "INSYNC":
        return { kind: "in-sync" };
      case "PENDING":
        return { kind: "pending" };
      default:
        return { kind: "failed", why: "the answer has no state that we know" };
    }
  } catch (error) {
    return toProgressFailure(error);
  }
};

/** Name servers of a zone; the last known ones when Route 53 can't be asked, none if it never could. */
const createNameServerReader = (calls: Calls, monotonic: () => number) => {
  const knownByZone = new Map<string, { readonly servers: readonly string[]; readonly at: number }>();
  return async (zoneId: string): Promise<readonly string[]> => {
    const known = knownByZone.get(zoneId);
    if (known && monotonic() - known.at < limits.NAME_SERVERS_FRESH_MS) return known.servers;
    const answer = await calls.quietly("GetHostedZone", (signal) =>
      calls.client.send(new GetHostedZoneCommand({ Id: zoneId }), { abortSignal: signal }),
    );
    const servers = answer?.DelegationSet?.NameServers;
    // Every zone has some: an answer without any says nothing.
    if (!servers?.length) return known?.servers ?? [];
    knownByZone.set(zoneId, { servers, at: monotonic() });
    if (knownByZone.size > limits.ZONES_MAX) knownByZone.delete(knownByZone.keys().next().value!);
    return servers;
  };
};
