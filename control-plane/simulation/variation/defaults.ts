/** Every default of the profile `standard`, and what it is when halved, doubled, or switched. Pure. */
import { Safety, Settings } from "@regent/contract";
import { PROFILES, SAFETY } from "@regent/server/configuration/profiles.ts";
import { RULES_THAT_MAY_PROCEED } from "@regent/server/configuration/safety-holders.ts";
import type { Vary } from "./what-if.ts";
import { servicesOf } from "./what-if.ts";

export type Turn = "halved" | "doubled" | "switched";

export interface Variation {
  /** `settings.fall`, `safety.stepMax`, `ttl`. */
  readonly default: string;
  readonly turn: Turn;
  readonly from: unknown;
  readonly to: unknown;
}

/** In seconds where the name says so. */
const toDeclared = (name: string, value: unknown): readonly [string, unknown] =>
  name.endsWith("Ms") ? [name.replace(/Ms$/, "Seconds"), (value as number) / 1_000] : [name, value];

const fits = (schema: { safeParse: (value: unknown) => { success: boolean } }, value: unknown): boolean =>
  schema.safeParse(value).success;

/** Half, rounded down where only whole numbers are taken; double, or the most that can be declared. Nothing where that is what it was. */
const variationsOf = (
  name: string,
  value: number,
  schema: { safeParse: (value: unknown) => { success: boolean } },
): readonly Variation[] => {
  const half = fits(schema, value / 2) ? value / 2 : Math.floor(value / 2);
  const double = fits(schema, value * 2) ? value * 2 : value;
  return [
    { default: name, turn: "halved" as const, from: value, to: half },
    { default: name, turn: "doubled" as const, from: value, to: double },
  ].filter(({ to }) => to !== value && fits(schema, to));
};

const ofShape = (
  prefix: string,
  values: object,
  shape: Readonly<Record<string, { safeParse: (value: unknown) => { success: boolean } }>>,
) =>
  Object.entries(values).flatMap(([name, value]) => {
    const [key, declared] = toDeclared(name, value);
    const schema = shape[key];
    if (schema === undefined) throw new RangeError(`${prefix}.${key} can't be declared`);
    return typeof declared === "number" ? variationsOf(`${prefix}.${key}`, declared, schema) : [];
  });

const PROCEED_ALL = Object.fromEntries([...RULES_THAT_MAY_PROCEED, "mode"].map((rule) => [rule, "proceed"]));

export const variationsOfStandard = (): readonly Variation[] => [
  ...ofShape("settings", PROFILES.standard.settings, Settings.shape as never),
  ...[
    { default: "ttl", turn: "halved", from: PROFILES.standard.ttlSeconds, to: PROFILES.standard.ttlSeconds / 2 } as const,
    { default: "ttl", turn: "doubled", from: PROFILES.standard.ttlSeconds, to: PROFILES.standard.ttlSeconds * 2 } as const,
  ],
  ...ofShape("safety", SAFETY.standard, Safety.shape as never),
  // Half and twice of it weigh only where most of the traffic fails already; off is what anybody would notice.
  { default: "safety.capacityMin", turn: "switched", from: SAFETY.standard.capacityMin, to: 0 },
  { default: "safety.onApprovalTimeout", turn: "switched", from: "stay", to: PROCEED_ALL },
];

/**
 * As if the profile said so: where a configuration has words of its own, they stand. The same value comes back where it has them everywhere, or
 * where no service has this profile.
 */
export const varyDefault =
  ({ default: name, to }: Variation): Vary =>
  (written) => {
    const root = written as Readonly<Record<string, unknown>>;
    const [head = "", key] = name.split(".");
    let isTouched = false;
    const services = servicesOf(written).map((service) => {
      const own = service as unknown as Readonly<Record<string, unknown>>;
      if ((own.profile ?? root.profile ?? "standard") !== "standard" || isSaid(own, head, key)) return service;
      if (head === "safety" && isSaid(root, head, key)) return service;
      isTouched = true;
      return { ...own, [head]: key === undefined ? to : { ...(own[head] as object | undefined), [key]: to } };
    });
    return isTouched ? { ...root, services } : written;
  };

const isSaid = (of: Readonly<Record<string, unknown>>, head: string, key: string | undefined): boolean =>
  key === undefined ? of[head] !== undefined : (of[head] as Readonly<Record<string, unknown>> | undefined)?.[key] !== undefined;
