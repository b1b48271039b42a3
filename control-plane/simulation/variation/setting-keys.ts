/** Which settings of a configuration can be tried otherwise, by name: `settings.fall`, `safety.stepMax`, `service.shop.ttl`. Pure. */
import { Safety, Settings, Strategy } from "@regent/contract";
import { countEdits } from "@regent/server/configuration/nearest.ts";

/** How many names are told when one isn't known. */
const TOLD_MAX = 3;

const keysOf = (prefix: string, shape: object): readonly string[] => Object.keys(shape).map((key) => `${prefix}.${key}`);

/** Each is a service's own: said of no service, it is said of all. */
export const SETTING_KEYS: readonly string[] = [
  ...new Set([
    "profile",
    "mode",
    "ttl",
    "regionsMin",
    "quorum.networks",
    ...keysOf("settings", Settings.shape),
    ...keysOf("safety", Safety.shape),
    ...Strategy.options.flatMap(({ shape }) => keysOf("strategy", shape)),
  ]),
];

export interface SettingKey {
  /** Null: all. */
  readonly service: string | null;
  readonly key: string;
}

export type ReadKey = { readonly kind: "key"; readonly of: SettingKey } | { readonly kind: "unknown"; readonly why: string };

const OF_SERVICE = /^services?\.([^.]+)\.(.+)$/;

export const readKey = (written: string): ReadKey => {
  const [, service = null, own] = OF_SERVICE.exec(written) ?? [];
  const key = own ?? written;
  if (SETTING_KEYS.includes(key)) return { kind: "key", of: { service, key } };
  const prefix = service === null ? "" : `service.${service}.`;
  const near = nearestOf(key).map((one) => `${prefix}${one}`);
  return { kind: "unknown", why: `no setting "${written}"; the nearest are ${near.join(", ")}` };
};

/** Those that hold what was written come first: `holdMax` means `settings.holdMaxSeconds`. */
const nearestOf = (word: string): readonly string[] => {
  const lower = word.toLowerCase();
  const last = lower.slice(lower.lastIndexOf(".") + 1);
  const distance = (key: string): number => {
    const known = key.toLowerCase();
    const knownLast = known.slice(known.lastIndexOf(".") + 1);
    const isPart = last.length > 2 && knownLast.includes(last);
    return (isPart ? 0 : 100) + Math.min(countEdits(lower, known), countEdits(last, knownLast));
  };
  return [...SETTING_KEYS].sort((a, b) => distance(a) - distance(b)).slice(0, TOLD_MAX);
};
