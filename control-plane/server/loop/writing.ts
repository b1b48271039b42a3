/** Writing put together: each zone's one writer, how a batch is sent, and what follows a change until the world shows it. */
import type { Declaration, RegionVerdict, Seen } from "@regent/contract";
import type { ServiceSpec } from "@regent/engine";
import type { Logger } from "pino";
import type { KeepDeadLetter } from "../operations/memory/keep-dead-letter.ts";
import type { Ledger } from "../operations/memory/ledger.ts";
import type { DatabaseBook } from "../operations/transfer/database-book.ts";
import { shareProgress } from "../operations/verification/share-progress.ts";
import { createVerifyChange } from "../operations/verification/verify-change.ts";
import { createDeliver } from "../operations/zone/deliver-batches.ts";
import { createZoneReader } from "../operations/zone/read-zone.ts";
import { createZoneWriter, type ZoneWriter } from "../operations/zone/write-zone.ts";
import type { Clock, Ids } from "../ports/clock.ts";
import type { DnsProvider } from "../ports/dns-provider.ts";
import type { Resolver } from "../ports/resolver.ts";
import { createFollowChanges } from "./follow-changes.ts";
import type { Metrics } from "./metrics.ts";
import { createSeenWatch } from "./seen-watch.ts";
import { createServerBook } from "./server-book.ts";

export interface WritingDeps {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Logger;
  readonly metrics: Pick<Metrics, "changeAccepted" | "routed">;
  readonly ledger: Ledger;
  readonly provider: DnsProvider;
  readonly resolver: Resolver;
  readonly nameServers: Readonly<Record<string, readonly string[]>>;
  readonly resolvers: readonly string[];
  readonly specs: () => ReadonlyMap<string, ServiceSpec>;
  readonly zonesDeclared: () => Declaration["zones"];
  readonly configurationVersion: () => number;
  readonly verdictsOf: (service: string) => readonly RegionVerdict[];
  readonly databasesOf: DatabaseBook["see"];
  readonly leadingSince: () => number;
  readonly agentsReleasedAt: () => number | null;
  readonly isLeading: () => boolean;
  readonly mayWrite: () => boolean;
  readonly keepDeadLetter: KeepDeadLetter;
  readonly onDnsTerm: (term: number) => void;
  readonly onRestored: (why: string) => void;
  readonly onStranded: (service: string) => void;
  readonly wake: (services: readonly string[]) => void;
  readonly signal: AbortSignal;
}

export interface Writing {
  readonly writerOf: (zoneId: string) => ZoneWriter;
  readonly seenOf: (service: string) => Seen | null;
  /** Asks the name servers of every service; only who leads. */
  readonly lookAtAll: () => Promise<void>;
  /** Other services are declared: what was seen of the rest is forgotten. */
  readonly keepOnly: (specs: ReadonlyMap<string, ServiceSpec>) => void;
  /** Whatever was accepted and not yet seen by everybody is followed again. */
  readonly followUnseen: () => void;
  /** Resolves when no zone is written. */
  readonly idle: () => Promise<void>;
}

/** Of a service that was taken out of the declaration while a change of it was under way: after all others. */
const PRIORITY_UNKNOWN = 1_000;

export const createWriting = (deps: WritingDeps): Writing => {
  const { clock, ledger, provider, specs } = deps;
  const reader = createZoneReader(deps);
  const serversOf = createServerBook({ ...deps, zones: deps.zonesDeclared });
  const seen = createSeenWatch({ ...deps, now: clock.now, serversOf });
  const verify = createVerifyChange({
    ...deps,
    provider: { readChange: shareProgress(provider, clock.monotonic) },
    serversOf,
  });
  const changes = createFollowChanges({ ...deps, verify, sweep: seen.sweep });

  const onAccepted = (changeId: string): void => {
    const change = ledger.change(changeId);
    if (change) deps.metrics.changeAccepted(change, change.times.accepted ?? clock.now());
    changes.follow(changeId);
    const spec = change ? specs().get(change.service) : undefined;
    // What is said of the service now is no longer what was about to be done.
    if (change && deps.isLeading()) deps.wake([change.service]);
    if (spec) changes.seeSoon(spec);
  };

  const deliver = createDeliver({
    ...deps,
    reader,
    priorityOf: (service) => specs().get(service)?.priority ?? PRIORITY_UNKNOWN,
    onAccepted,
    onMeasured: deps.metrics.routed,
  });

  const writers = new Map<string, ZoneWriter>();
  const writerOf = (zoneId: string): ZoneWriter => {
    const known = writers.get(zoneId);
    if (known) return known;
    const writer = createZoneWriter({ ...deps, zoneId, reader, deliver, onAccepted });
    writers.set(zoneId, writer);
    return writer;
  };

  return {
    writerOf,
    seenOf: seen.seenOf,
    lookAtAll: () => (deps.isLeading() ? seen.sweep([...specs().values()]) : Promise.resolve()),
    keepOnly: seen.keepOnly,
    followUnseen: () => changes.followUnseen(ledger.changes()),
    idle: async () => {
      await Promise.all([...writers.values()].map((writer) => writer.idle()));
    },
  };
};
