/** Somebody else's hand in the zone of a test world, and what stands there. */
import type { RecordSet } from "@regent/engine";
import { readEpochSet } from "@regent/engine/plan/epoch.ts";
import type { OwnOrder } from "../operations/zone/own-name.ts";
import { moveOrder } from "./play.ts";
import type { World } from "./world.ts";

export const NAME = "checkout.example.test";
export const EPOCH_NAME = `_regent.${NAME}`;

export const setsAt = async ({ dns, zoneId }: World, name = NAME): Promise<readonly RecordSet[]> => {
  const read = await dns.provider.readNames(zoneId, [name], { lane: "read", rank: 0 });
  if (read.kind !== "sets") throw new Error(read.kind);
  return read.sets;
};

export const epochAt = async (world: World, name = EPOCH_NAME) => {
  const [set] = (await setsAt(world, name)).filter(({ type }) => type === "TXT");
  return set ? readEpochSet(set) : null;
};

/** `region value weight ttl check` of each member, in the order of their identifiers. */
export const shown = async (world: World): Promise<string[]> =>
  (await setsAt(world))
    .filter(({ type }) => type === "A")
    .map(({ setIdentifier, values, weight, ttl, healthCheckId }) =>
      [setIdentifier, values?.join(","), weight, ttl, healthCheckId].filter((part) => part !== undefined).join(" "),
    )
    .sort();

/** Rewrites what stands at a name: null takes a set away, a list puts several in its place. */
export const rewrite = async (
  world: World,
  change: (set: RecordSet) => RecordSet | readonly RecordSet[] | null,
  name = NAME,
): Promise<void> => {
  const before = await setsAt(world, name);
  const creates = before.flatMap((set) => change(set) ?? []);
  if (world.dns.edit(world.zoneId, { deletes: before, creates }) !== "applied") throw new Error("the zone refused the edit");
};

export const weigh =
  (weights: Readonly<Record<string, number>>) =>
  (set: RecordSet): RecordSet => ({ ...set, weight: weights[set.setIdentifier ?? ""] ?? set.weight ?? 0 });

/** Reads DNS as a person's dry run does: what is found there is found now, and not at the next scan. */
export const look = async (world: World): Promise<void> => {
  await world.controlPlane.move(moveOrder({ kind: "failback" }, { dryRun: true }));
};

export const ownOrder = (verb: OwnOrder["verb"], more: Partial<OwnOrder> = {}): OwnOrder => ({
  service: "checkout",
  verb,
  takeover: null,
  by: "ada",
  reason: "rehearsing",
  dryRun: false,
  expectedRevision: null,
  ...more,
});
