/** The configuration in force, as last read. One read after the other, so that an older version that was read slowly never replaces a newer one. */
import type { ServiceSpec } from "@regent/engine";
import type { Logger } from "pino";
import {
  type Applied,
  type ConfigurationSigner,
  prepareConfiguration,
} from "../operations/configuration/configuration-in-force.ts";
import type { ConfigurationStore } from "../ports/configuration-store.ts";

export interface ConfigurationKeeper {
  readonly inForce: () => Applied | null;
  /** Throws before the first one is applied. */
  readonly need: () => Applied;
  readonly specs: () => ReadonlyMap<string, ServiceSpec>;
  /** The shortest report interval of any service, ms; a minute at most. */
  readonly reportMs: () => number;
  /** Takes over the newest version. */
  readonly read: () => Promise<void>;
}

export interface KeeperDeps {
  readonly configurations: Pick<ConfigurationStore, "read">;
  readonly signer: ConfigurationSigner;
  readonly log: Logger;
  readonly onNew: (applied: Applied) => void;
}

const REPORT_MS_MAX = 60_000;

export const createConfigurationKeeper = ({ configurations, signer, log, onNew }: KeeperDeps): ConfigurationKeeper => {
  let applied: Applied | null = null;
  let reportMs = REPORT_MS_MAX;
  let reading: Promise<void> = Promise.resolve();

  const readNewest = async (): Promise<void> => {
    const stored = await configurations.read();
    if (!stored || stored.version === applied?.version) return;
    applied = prepareConfiguration(stored, signer);
    reportMs = Math.min(...[...applied.specs.values()].map(({ settings }) => settings.reportMs), REPORT_MS_MAX);
    log.info(
      { version: stored.version, services: applied.specs.size, agents: applied.declaration.agents.length },
      "configuration in force",
    );
    onNew(applied);
  };

  return {
    inForce: () => applied,
    need: () => {
      if (!applied) throw new Error("no configuration is applied yet");
      return applied;
    },
    specs: () => applied?.specs ?? new Map(),
    reportMs: () => reportMs,
    read: () => {
      const turn = reading.then(readNewest);
      reading = turn.catch(() => undefined);
      return turn;
    },
  };
};
