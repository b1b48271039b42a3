/** What is asked of several zones at once: the drift scan, taking stock, and a look at names whose change is gone. */
import type { ServiceSpec } from "@regent/engine";
import { rankOf } from "@regent/engine/plan/order.ts";
import type { Logger } from "pino";
import { AUTOMATION } from "../operations/memory/actors.ts";
import type { Ledger } from "../operations/memory/ledger.ts";
import type { ZoneWriter } from "../operations/zone/write-zone.ts";

export interface ZoneRoundsDeps {
  readonly log: Logger;
  readonly ledger: Ledger;
  readonly specs: () => ReadonlyMap<string, ServiceSpec>;
  readonly writerOf: (zoneId: string) => ZoneWriter;
  readonly isLeading: () => boolean;
  readonly wake: (services: Iterable<string>) => void;
}

export interface ZoneRounds {
  /** Reads every zone for drift; only who leads. */
  readonly scanAll: () => Promise<void>;
  /** What the leader before us wrote down may have been taken back since. An emergency goes first. */
  readonly scanSoon: () => void;
  /** Everything that DNS holds, remembered as it stands; why not, when a zone could not be read. */
  readonly takeStock: () => Promise<string | null>;
  /** An accepted change of this service is gone again. */
  readonly lookSoon: (service: string) => void;
}

/** The followers of one batch hear that it is gone within moments of each other. */
const STRANDED_SOON_MS = 200;

/** Long enough for the first look's own reading and writing. */
const SCAN_AFTER_GAIN_MS = 1_000;

export const createZoneRounds = ({ log, ledger, specs, writerOf, isLeading, wake }: ZoneRoundsDeps): ZoneRounds => {
  const scanAll = async (): Promise<void> => {
    if (!isLeading()) return;
    for (const [zoneId, services] of groupByZone(specs())) {
      const before = services.map((service) => ledger.record(service));
      await writerOf(zoneId).scan(services, { lane: "scan", rank: 0 });
      // Only what the scan found something out about: looking at everything takes time that reports need.
      wake(services.filter((service, i) => ledger.record(service) !== before[i]));
    }
  };

  const scanSafely = (): Promise<void> =>
    scanAll().catch((error: unknown) => log.warn({ err: error }, "zones not read; the drift scan reads them again"));

  /** A batch is lost with all its services: its zone is read once, not once for each of them, and after those whose traffic suffers now. */
  const stranded = new Set<string>();
  const lookAtStranded = async (): Promise<void> => {
    const services = new Set(stranded);
    stranded.clear();
    if (!isLeading()) return;
    const lost = new Map([...specs()].filter(([id]) => services.has(id)));
    const turn = { lane: "read", rank: rankOf({ kind: "revert", actor: AUTOMATION }, 1) } as const;
    await Promise.all([...groupByZone(lost)].map(([zoneId, ids]) => writerOf(zoneId).scan(ids, turn))).catch((error: unknown) =>
      log.warn({ err: error, services: [...services] }, "zone not read; the drift scan reads it again"),
    );
    wake(services);
  };

  return {
    scanAll,
    scanSoon: () => void setTimeout(() => void scanSafely(), SCAN_AFTER_GAIN_MS).unref(),
    takeStock: async () => {
      const whys = await Promise.all([...groupByZone(specs())].map(([zoneId, services]) => writerOf(zoneId).takeStock(services)));
      return whys.find((why) => why !== null) ?? null;
    },
    lookSoon: (service) => {
      if (stranded.size === 0) setTimeout(() => void lookAtStranded(), STRANDED_SOON_MS).unref();
      stranded.add(service);
    },
  };
};

const groupByZone = (specs: ReadonlyMap<string, ServiceSpec>): ReadonlyMap<string, readonly string[]> => {
  const zones = new Map<string, string[]>();
  for (const { id, zoneId } of specs.values()) zones.set(zoneId, [...(zones.get(zoneId) ?? []), id]);
  return zones;
};
