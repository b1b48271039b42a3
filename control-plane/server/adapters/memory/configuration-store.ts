/** Configuration versions in memory. */
import type { Clock, Ids } from "../../ports/clock.ts";
import {
  type AppliedConfiguration,
  appliedWhy,
  type ConfigurationStore,
  type SigningKey,
} from "../../ports/configuration-store.ts";
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
    read: async (version) => (version === undefined ? newest : (versions.find((applied) => applied.version === version) ?? null)),
    list: async ({ limit, before = Number.POSITIVE_INFINITY }) =>
      versions
        .filter(({ version }) => version < before)
        .toReversed()
        .slice(0, limit)
        .map(({ version, author, at, lines }) => ({ version, author, at, lines })),
    versions: () => versions,
    apply: async ({ baseVersion, reason, ...input }) => {
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
          why: appliedWhy(input.author, version, reason),
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
