/** An operator with DNS alone, in a test world: the same batch that `regent offline` writes. */
import type { Epoch } from "@regent/engine";
import { planOffline } from "@regent/engine/plan/offline.ts";
import { buildOfflineBatch, renderOffline } from "@regent/engine/plan/offline-batch.ts";
import { toObserved } from "@regent/engine/plan/record-sets.ts";
import { ulid } from "ulid";
import { toServiceSpecs } from "../configuration/to-specs.ts";
import { toEpoch } from "../operations/zone/write-ahead.ts";
import type { World } from "./world.ts";

/** Without `to`: a freeze. Throws when Route 53 doesn't take it. */
export const writeOffline = async (
  { declaration, dns, zoneId, clock }: World,
  { to, service = "checkout" }: { readonly to?: string; readonly service?: string },
): Promise<Epoch> => {
  const spec = toServiceSpecs(declaration).find(({ id }) => id === service);
  if (!spec) throw new Error(`no service ${service}`);
  const read = await dns.provider.readNames(zoneId, [...spec.families.map(({ name }) => name), spec.epochName]);
  if (read.kind !== "sets") throw new Error(read.kind);
  const observed = toObserved(spec, read.sets);
  const plan = planOffline(spec, observed, to === undefined ? { kind: "freeze" } : { kind: "failover", to });
  if (plan.kind !== "planned") throw new Error(plan.why);
  const mark = { revision: plan.epoch.revision + 1, term: plan.epoch.term, ulid: ulid(clock.now()) };
  const epoch = toEpoch(plan.spec, mark, "frozen", renderOffline(plan, observed));
  const { deletes, creates } = buildOfflineBatch(plan, observed, epoch);
  if (dns.edit(zoneId, { deletes, creates }) !== "applied") throw new Error("the zone refused the offline write");
  return epoch;
};
