/**
 * Looks at DNS every 100 ms as its users do, and at every version that the zone had meanwhile. Says what was not legal: an answer that is
 * empty or somebody else's, weights that are all 0, an epoch record that nobody can read, another owner, a revision that falls.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { parseEpoch } from "@regent/engine/plan/epoch.ts";
import { ask } from "../dns/ask.ts";
import type { Version, ZoneJournal } from "./zone-journal.ts";

export interface Watched {
  /** Sentences; each kind of fault of a service once. */
  readonly faults: readonly string[];
  readonly samples: number;
  /** Longest time between two samples, ms. */
  readonly gapMsMax: number;
  /** Questions that got no answer in time: the watcher's own machine was busy. */
  readonly silent: number;
}

export interface DnsWatch {
  readonly stop: () => Promise<Watched>;
}

export interface DnsWatchOptions {
  readonly nameServer: string;
  readonly zone: string;
  readonly owner: string;
  readonly services: readonly string[];
  readonly regions: readonly string[];
  readonly addresses: readonly string[];
  readonly journal: ZoneJournal;
}

const SAMPLE_EVERY_MS = 100;
const ANSWER_MS_MAX = 2_000;

export const watchDns = (options: DnsWatchOptions): DnsWatch => {
  const faults = new Set<string>();
  const revisions = new Map<string, number>();
  const stopped = new AbortController();
  let samples = 0;
  let silent = 0;
  let gapMsMax = 0;
  let versionsSeen = 0;

  const lookAt = async (service: string): Promise<void> => {
    const name = `${service}.${options.zone}`;
    const [address, record] = await Promise.all([
      ask(options.nameServer, name, "A", ANSWER_MS_MAX),
      ask(options.nameServer, `_regent.${name}`, "TXT", ANSWER_MS_MAX),
    ]);
    if (address.kind === "silent") silent += 1;
    else if (address.values.length === 0) faults.add(`${service}: the answer was empty (${address.code})`);
    else if (!address.values.every((value) => options.addresses.includes(value)))
      faults.add(`${service}: answered ${address.values.join(", ")}, which is not declared`);
    if (record.kind === "silent") silent += 1;
    else noteEpoch(service, record.values);
  };
  const noteEpoch = (service: string, values: readonly string[]): void => {
    const epoch = values.length === 1 ? parseEpoch(values[0] ?? "") : null;
    if (epoch === null) return void faults.add(`${service}: the epoch record was ${JSON.stringify(values)}`);
    if (epoch.owner !== options.owner) faults.add(`${service}: the owner was ${epoch.owner}`);
    revisions.set(service, Math.max(epoch.revision, revisions.get(service) ?? 0));
  };
  const lookAtZone = async (): Promise<void> => {
    const versions = await options.journal.read();
    for (; versionsSeen < versions.length; versionsSeen++)
      for (const fault of faultsOf(versions, versionsSeen, options)) faults.add(fault);
  };

  const run = async (): Promise<void> => {
    for (let last = performance.now(); !stopped.signal.aborted; ) {
      const startedAt = performance.now();
      gapMsMax = Math.max(gapMsMax, startedAt - last);
      last = startedAt;
      samples += 1;
      await Promise.all([lookAtZone(), ...options.services.map(lookAt)]);
      const restMs = Math.max(1, SAMPLE_EVERY_MS - (performance.now() - startedAt));
      await sleep(restMs, undefined, { signal: stopped.signal }).catch(() => undefined);
    }
  };
  const running = run();
  return {
    stop: async () => {
      stopped.abort();
      await running;
      await lookAtZone();
      return { faults: [...faults], samples, gapMsMax: Math.round(gapMsMax), silent };
    },
  };
};

/** Of one version, seen against the one before it of the same service. */
const faultsOf = (versions: readonly Version[], at: number, { owner, regions }: DnsWatchOptions): string[] => {
  const version = versions[at];
  if (version === undefined) return [];
  const { service, epoch, weights, isTakenBack } = version;
  const before = versions.slice(0, at).findLast((one) => one.service === service);
  // What a first write made and Route 53 took back leaves nothing, which is what was there before it.
  if (isTakenBack && epoch === null && Object.keys(weights).length === 0) return [];
  const faults: string[] = [];
  const what = `${service}, revision ${epoch?.revision}`;
  if (epoch === null) faults.push(`${service}: a version without a readable epoch record`);
  if (epoch !== null && epoch.owner !== owner) faults.push(`${what}: owner ${epoch.owner}`);
  if (!Object.values(weights).some((weight) => weight > 0)) faults.push(`${what}: no weight above 0`);
  if (Object.values(weights).some((weight) => weight < 0 || weight > 255)) faults.push(`${what}: a weight out of range`);
  if (regions.some((region) => weights[region] === undefined)) faults.push(`${what}: a region is missing`);
  if (!isTakenBack && (epoch?.revision ?? 0) <= (before?.epoch?.revision ?? 0))
    faults.push(`${what} was written over revision ${before?.epoch?.revision}`);
  return faults;
};
