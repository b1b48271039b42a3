/** Automation off and on again, by an operator, for everything, a service, or one of its regions. Counts from its commit on; DNS follows. */
import type { Control, ServiceSpec } from "@regent/engine";
import type { Clock, Ids } from "../../ports/clock.ts";
import type { ServiceRecord } from "../../ports/decision-store.ts";
import type { FreezeOrder, FreezeScope } from "../control-plane.ts";
import { AUTOMATION, operator } from "../memory/actors.ts";
import { type Ledger, LedgerConflict } from "../memory/ledger.ts";
import { afterOffline } from "../zone/note-offline.ts";

export interface FreezeDeps {
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly specs: () => ReadonlyMap<string, ServiceSpec>;
}

export type FreezeResult =
  | { readonly kind: "set"; readonly why: string; readonly isNew: boolean }
  | { readonly kind: "not-found"; readonly what: string };

/** Throws LeadershipLost when somebody else leads by now. */
export const setFreeze = async (
  { ledger, clock, ids, specs }: FreezeDeps,
  { scope, isFrozen, by, reason }: FreezeOrder,
): Promise<FreezeResult> => {
  if (scope.kind !== "global" && !specs().has(scope.service)) return { kind: "not-found", what: `service ${scope.service}` };
  if (
    scope.kind === "region" &&
    !specs()
      .get(scope.service)
      ?.endpoints.some(({ region }) => region === scope.region)
  )
    return { kind: "not-found", what: `region ${scope.region} of ${scope.service}` };
  const standing = findControl(ledger, scope);
  // Asked for again, by a repeated click or script: what stands is the answer, and history has it already.
  if (!isFrozen && !standing && !keepsEdit(ledger, scope))
    return { kind: "set", why: `${nameOf(scope)} is not frozen`, isNew: false };
  if (isFrozen && standing?.by === by && standing.reason === reason)
    return { kind: "set", why: `${nameOf(scope)} is frozen already by ${by}: ${reason}`, isNew: false };
  const held = ledger.freeze();
  // The hold says more than a freeze does: nothing at all is written by itself.
  if (isFrozen && scope.kind === "global" && held?.cause === "restored")
    return { kind: "set", why: `everything is held already: ${held.reason}`, isNew: false };
  const at = clock.now();
  const control = isFrozen ? { by, reason, at } : null;
  const spec = scope.kind === "service" && !isFrozen ? specs().get(scope.service) : undefined;
  const after = spec === undefined ? "" : afterOffline(spec, ledger.record(spec.id).controls);
  const why = `${by} ${isFrozen ? "froze" : "unfroze"} ${nameOf(scope)}: ${reason}${after}`;
  const entry = {
    id: ids.ulid(),
    at,
    service: scope.kind === "global" ? null : scope.service,
    kind: isFrozen ? ("freeze" as const) : ("unfreeze" as const),
    actor: operator(by),
    why,
    page: true,
    detail: { scope },
  };
  const write = (): Promise<void> =>
    scope.kind === "global"
      ? ledger.setFreeze(control && { ...control, cause: "operator" }, entry)
      : ledger.commit((draft) => {
          draft.update(scope.service, (record) => ({
            ...record,
            controls: withFreeze(record.controls, scope, control),
            ...(scope.kind === "service" && !isFrozen && record.ownership.edit?.isKept ? endEdit(record) : {}),
          }));
          draft.tell(entry);
        });
  await write().catch((error: unknown) => (error instanceof LedgerConflict ? write() : Promise.reject(error)));
  return { kind: "set", why, isNew: true };
};

/** Everything, because the database was restored from an older state than DNS shows. Written nowhere in DNS: it may be another installation's. */
export const holdAutomation = async ({ ledger, clock, ids }: Omit<FreezeDeps, "specs">, why: string): Promise<void> => {
  const at = clock.now();
  const entry = {
    id: ids.ulid(),
    at,
    service: null,
    kind: "freeze" as const,
    actor: AUTOMATION,
    why,
    page: true,
    detail: { cause: "restored" },
  };
  await ledger.setFreeze({ by: AUTOMATION.name, reason: why, at, cause: "restored" }, entry);
};

const nameOf = (scope: FreezeScope): string => {
  switch (scope.kind) {
    case "global":
      return "everything";
    case "service":
      return scope.service;
    case "region":
      return `${scope.region} of ${scope.service}`;
  }
};

const findControl = (ledger: Ledger, scope: FreezeScope): Control | null => {
  if (scope.kind === "global") return ledger.freeze();
  const { frozen, frozenRegions } = ledger.record(scope.service).controls;
  return scope.kind === "service" ? frozen : (frozenRegions[scope.region] ?? null);
};

const withFreeze = <T extends { frozen: unknown; frozenRegions: Readonly<Record<string, unknown>> }>(
  controls: T,
  scope: { kind: "service" } | { kind: "region"; region: string },
  control: { by: string; reason: string; at: number } | null,
): T => {
  if (scope.kind === "service") return { ...controls, frozen: control };
  const { [scope.region]: _before, ...others } = controls.frozenRegions;
  return { ...controls, frozenRegions: control ? { ...others, [scope.region]: control } : others };
};

/** Somebody's edit in DNS that was kept: with automation on again, what is declared is written again. */
const keepsEdit = (ledger: Ledger, scope: FreezeScope): boolean =>
  scope.kind === "service" && ledger.record(scope.service).ownership.edit?.isKept === true;

const endEdit = ({ ownership }: ServiceRecord): Pick<ServiceRecord, "drift" | "ownership"> => ({
  drift: null,
  ownership: { ...ownership, edit: null },
});
