/** Configuration versions in memory. */
import type { Clock, Ids } from "../../ports/clock.ts";
import type { AppliedConfiguration, ConfigurationStore, SigningKey } from "../../ports/configuration-store.ts";
import type { MemoryHistory } from "./history.ts";

export interface MemoryConfigurationStore extends ConfigurationStore {
  /** All of them, oldest first. */
  readonly versions: () => readonly AppliedConfiguration[];
}

export const createMemoryConfigurationStore = ({
  clock,
  ids,
  history,
}: {
  readonly clock: Pick<Clock, "now">;
  readonly ids: Ids;
  readonly history: MemoryHistory;
}): MemoryConfigurationStore => {
  const callbacks = new Set<(version: number) => void>();
  let newest: AppliedConfiguration | null = null;
  let versions: readonly AppliedConfiguration[] = [];
  let signingKey: SigningKey | null = null;

  return {
    read: async () => newest,
    versions: () => versions,
    apply: async ({ baseVersion, ...input }) => {
      const known = newest?.version ?? 0;
      if (known !== baseVersion) return { kind: "stale", version: known };
      const version = baseVersion + 1;
      const at = clock.now();
      newest = { ...input, version, at };
      versions = [...versions, newest];
      history.append([
        {
          id: ids.ulid(),
          at,
          service: null,
          kind: "configuration",
          actor: { kind: "operator", name: input.author },
          why: `${input.author} applied configuration version ${version}.`,
          page: false,
          detail: { version, lines: input.lines },
        },
      ]);
      for (const callback of callbacks) queueMicrotask(() => callback(version));
      return { kind: "applied", version };
    },
    onApplied: async (callback) => {
      callbacks.add(callback);
      return async () => {
        callbacks.delete(callback);
      };
    },
    readSigningKey: async () => signingKey,
    keepSigningKey: async (key) => {
      signingKey ??= key;
      return signingKey;
    },
  };
};
