/** What operators asked for, from what became of it in history. Pure. What changed nothing, or was refused, left no trace to repeat. */
import type { HistoryEvent } from "@regent/contract";
import { leftBy, partsOf, receivedBy } from "../rehearsal/check.ts";
import { secondsOf } from "./expected.ts";

export type AskedLine = Readonly<Record<string, unknown>>;

export const askedOf = (history: readonly HistoryEvent[], from: number): readonly AskedLine[] => {
  // A change that an approval became has its id: saying yes was what the person did.
  const approved = new Set(history.flatMap(({ kind, detail }) => (kind === "approval" ? [approvalIn(detail).id] : [])));
  return history.flatMap((event): readonly AskedLine[] => {
    if (event.actor.kind !== "operator") return [];
    const { service, kind, change, detail, actor } = event;
    const base = { at: secondsOf(event.at - from), as: actor.name };
    switch (kind) {
      case "change":
        return change === undefined || service === null || approved.has(change.id) ? [] : ofChange(event, base);
      case "freeze":
      case "unfreeze": {
        const { scope } = detail as { readonly scope?: { readonly kind: string; readonly region?: string } };
        if (scope === undefined || change !== undefined) return [];
        const where = {
          ...(service === null ? {} : { service }),
          ...(scope.region === undefined ? {} : { region: scope.region }),
        };
        return [{ ...base, do: kind, ...where, reason: reasonOf(event) }];
      }
      case "approval": {
        const { state } = approvalIn(detail);
        if (service === null || (state !== "approved" && state !== "refused")) return [];
        return [{ ...base, do: state === "approved" ? "approve" : "refuse", service, reason: reasonOf(event) }];
      }
      case "control":
        // Such as a drain of a region that had no traffic: nothing was written, and it counted all the same.
        return service === null ? [] : ofMove(event, base);
      default:
        return [];
    }
  });
};

const ofMove = (event: HistoryEvent, base: AskedLine): readonly AskedLine[] => {
  const { move } = event.detail as { readonly move?: { readonly kind: string; readonly region?: string; readonly to?: string } };
  if (move === undefined || !REPEATED.includes(move.kind)) return [];
  const { kind, region, to } = move;
  const where = { ...(region === undefined ? {} : { region }), ...(to === undefined ? {} : { to }) };
  return [{ ...base, do: kind, service: event.service, ...where, reason: reasonOf(event) }];
};

const REPEATED = ["failover", "failback", "drain", "undrain"];

const approvalIn = (
  detail: HistoryEvent["detail"],
): { readonly id?: string; readonly state?: string; readonly reason?: string } =>
  (detail.approval ?? {}) as { readonly id?: string };

const reasonOf = ({ change, detail, why }: HistoryEvent): string => {
  const { reason = approvalIn(detail).reason } = detail as { readonly reason?: unknown };
  return (change?.reason ?? (typeof reason === "string" ? reason : why)).slice(0, 200);
};

const ofChange = (event: HistoryEvent, base: AskedLine): readonly AskedLine[] => {
  const { service, change } = event;
  if (change === undefined) return [];
  const skipped = change.rules.filter((rule) => rule.skipped).map(({ rule }) => rule);
  const more = { service, reason: reasonOf(event), ...(skipped.length > 0 ? { breakGlass: skipped } : {}) };
  const at = secondsOf((change.times.detected ?? change.times.decided) - (event.at - Number.parseInt(String(base.at), 10)));
  const order = { ...base, at };
  const [left] = leftBy(change);
  const [received] = receivedBy(change);
  switch (change.kind) {
    case "failover": {
      const [first] = Object.values(change.weightsAfter);
      const to = Object.entries(partsOf(first ?? {})).sort(([, a], [, b]) => b - a)[0]?.[0];
      return to === undefined ? [] : [{ ...order, do: "failover", to, ...more }];
    }
    case "failback":
      return [{ ...order, do: "failback", ...more }];
    case "drain":
      return left === undefined ? [] : [{ ...order, do: "drain", region: left, ...more }];
    case "undrain":
      return received === undefined ? [] : [{ ...order, do: "undrain", region: received, ...more }];
    default:
      return [];
  }
};
