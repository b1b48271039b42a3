/**
 * Who may write, as applications are told: from what is written down alone, so that any replica answers the same. In doubt it is nobody. Pure.
 */
import type { RoleAnswer } from "@regent/contract";
import type { DatabaseView, ServiceSpec } from "@regent/engine";
import type { StoredTransfer } from "../../ports/decision-store.ts";
import type { RoleRow } from "../../ports/role-reader.ts";

type Writer = Pick<RoleAnswer, "writer" | "why">;

export const toRole = (spec: Pick<ServiceSpec, "id" | "stateful">, row: RoleRow | null, region?: string): RoleAnswer => {
  const { writer, why } = row === null ? { writer: null, why: "nothing is remembered of this service yet" } : writerOf(row);
  const mayWrite = writer !== null && writer === region;
  return {
    service: spec.id,
    writer,
    revision: row?.version ?? 0,
    // Nobody has to hold on to a no.
    validForMs: writer === null ? 0 : (spec.stateful?.leaseMs ?? 0),
    ...(region === undefined ? {} : { mayWrite }),
    why,
  };
};

const writerOf = (row: RoleRow): Writer => {
  const { transfer } = row;
  if (transfer === null) return fromTraffic(row, "traffic is led");
  const { from, to, phase } = transfer;
  switch (phase) {
    case "prepare":
    case "role":
      return { writer: null, why: `the role is on its way from ${from} to ${to}: ${transfer.why}` };
    case "switch":
    case "verify":
      return { writer: to, why: `the role went from ${from} to ${to}` };
    case "done":
      return fromTraffic(row, "the last transfer is done, and traffic is led");
    case "stopped":
      return afterStop(row, transfer);
  }
};

/** Before the hook was asked nothing has happened. Afterwards the new one may be promoted, now or later, and only being seen alone tells. */
const afterStop = (row: RoleRow, transfer: StoredTransfer): Writer => {
  const { from, to, hook, settledAt } = transfer;
  if (hook.attempts === 0) return fromTraffic(row, "the last transfer stopped before anybody was asked, and traffic is led");
  const active = activeOf(row);
  if (settledAt !== null)
    return { writer: settledAt, why: `the last transfer stopped, and ${settledAt} alone was seen to write since` };
  if (active !== null && active !== from)
    return { writer: active, why: `the last transfer stopped, and traffic was led to ${active} since` };
  return { writer: null, why: `a transfer from ${from} to ${to} stopped after the hook was asked: who writes isn't known` };
};

const fromTraffic = (row: RoleRow, because: string): Writer => {
  const writer = activeOf(row);
  return writer === null ? { writer, why: "traffic isn't led to one region alone" } : { writer, why: `${because} to ${writer}` };
};

/** Families of a stateful service lead to one region, or nobody is told that it may write. */
const activeOf = ({ passive }: RoleRow): string | null => {
  const actives = new Set(Object.values(passive).map(({ active }) => active));
  const [active] = actives;
  return actives.size === 1 && active !== undefined ? active : null;
};

/**
 * After a stop that left it open: the one region that is seen to write, while agents beside the other one of the two see that it doesn't. What was seen
 * before the stop doesn't count.
 */
export const settle = (transfer: StoredTransfer, views: readonly DatabaseView[]): string | null => {
  const { phase, hook, settledAt, from, to, phaseAt } = transfer;
  if (phase !== "stopped" || hook.attempts === 0 || settledAt !== null) return settledAt;
  const writable = views.filter(({ role }) => role === "writable");
  const isClear = views.every(
    ({ region, role }) =>
      role === "writable" || role === "standby" || role === "read-only" || !(region === from || region === to),
  );
  const [only] = writable;
  if (writable.length !== 1 || only === undefined || !isClear || views.some(({ role }) => role === "split")) return null;
  const isSince = views.every(({ region, seenAt }) => (region !== from && region !== to) || (seenAt ?? 0) > phaseAt);
  return isSince ? only.region : null;
};
