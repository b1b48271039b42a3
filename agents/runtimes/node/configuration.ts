/** The applied configuration: checked, applied whole, kept on disk, and never replaced by a lower version of the same key. */
import type { AgentConfiguration, SignedConfiguration } from "@regent/contract";
import type { PinnedKey } from "../../core/keys.ts";
import { type ConfigurationRefusal, verifyConfiguration } from "../../core/sign.ts";
import type { NodeAgentConfig } from "./config.ts";
import type { Store } from "./store.ts";

export interface ConfigurationKeeper {
  /** 0 before the first. */
  readonly version: () => number;
  readonly current: () => AgentConfiguration | undefined;
  readonly restore: () => Promise<void>;
  readonly offer: (signed: SignedConfiguration) => Promise<void>;
}

export interface KeeperDeps {
  readonly config: NodeAgentConfig;
  readonly keys: readonly PinnedKey[];
  readonly store: Store;
  readonly apply: (configuration: AgentConfiguration) => void;
  readonly onRefusal: (why: ConfigurationRefusal) => void;
}

export const createConfigurationKeeper = ({ config, keys, store, apply, onRefusal }: KeeperDeps): ConfigurationKeeper => {
  const versionByKeyId = new Map<string, number>();
  let current: AgentConfiguration | undefined;

  const take = async (signed: SignedConfiguration): Promise<boolean> => {
    const verdict = await verifyConfiguration(signed, { ...config, keys, versionByKeyId });
    switch (verdict.kind) {
      case "refused":
        onRefusal(verdict.why);
        return false;
      case "accepted":
        versionByKeyId.set(signed.keyId, verdict.configuration.version);
        current = verdict.configuration;
        apply(verdict.configuration);
        return true;
    }
  };

  return {
    version: () => current?.version ?? 0,
    current: () => current,
    restore: async () => {
      const signed = await store.loadConfiguration();
      // Verified like any other: the disk may have been written by somebody else.
      if (signed !== undefined) await take(signed);
    },
    offer: async (signed) => {
      if (await take(signed)) await store.saveConfiguration(signed);
    },
  };
};
