/** A region frozen or unfrozen at every service that has an endpoint there, in one commit, with an entry of history for each service. */
import type { Control } from "@regent/engine";
import { servicesOf } from "../evacuation/draft-evacuation.ts";
import type { RegionFreezeOrder, RegionFreezeResult } from "../evacuation/orders.ts";
import { operator } from "../memory/actors.ts";
import { commitAnew } from "../memory/ledger.ts";
import type { FreezeDeps } from "./set-freeze.ts";

/** Throws LeadershipLost when somebody else leads by now. `changed`: services at which it is new. */
export const freezeRegion = async (
  { ledger, clock, ids, specs }: FreezeDeps,
  { region, isFrozen, by, reason, scope }: RegionFreezeOrder,
): Promise<(Extract<RegionFreezeResult, { kind: "set" }> & { readonly changed: readonly string[] }) | RegionFreezeResult> => {
  const services = servicesOf(specs(), region).map(({ id }) => id);
  if (services.length === 0) return { kind: "not-found", what: `service with an endpoint in ${region}` };
  const beyond = scope === null ? [] : services.filter((service) => !scope.includes(service));
  if (beyond.length > 0) return { kind: "beyond-scope", services: beyond };
  const at = clock.now();
  const control = isFrozen ? { by, reason, at } : null;
  const changed = await commitAnew(ledger, (draft) => {
    const wanted = services.filter((service) => isNew(draft.record(service).controls.frozenRegions[region], control));
    for (const service of wanted) {
      draft.update(service, (record) => {
        const { [region]: _before, ...others } = record.controls.frozenRegions;
        return {
          ...record,
          controls: { ...record.controls, frozenRegions: control ? { ...others, [region]: control } : others },
        };
      });
      draft.tell({
        id: ids.ulid(),
        at,
        service,
        kind: isFrozen ? "freeze" : "unfreeze",
        actor: operator(by),
        why: `${by} ${isFrozen ? "froze" : "unfroze"} ${region} of ${service}: ${reason}`,
        page: true,
        // All of them are one thing to be told of.
        detail: { scope: { kind: "region", service, region, isEverywhere: true } },
      });
    }
    return wanted;
  });
  const before = services.length - changed.length;
  const told = before === 0 ? "" : `; at ${before} it was so before`;
  return {
    kind: "set",
    why: `${by} ${isFrozen ? "froze" : "unfroze"} ${region} at ${changed.length} services: ${reason}${told}`,
    changed,
  };
};

/** Asked for again, by a repeated click or script, it is no news. */
const isNew = (standing: Control | undefined, control: Control | null): boolean =>
  control === null ? standing !== undefined : standing?.by !== control.by || standing.reason !== control.reason;
