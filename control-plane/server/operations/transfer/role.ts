/**
 * Who may write, as applications are told: from what is written down alone, so that any replica answers the same. In doubt it is nobody. Pure.
 */
import type { Instant, RoleAnswer } from "@regent/contract";
import type { DatabaseView, ServiceSpec } from "@regent/engine";
import { isOpen } from "@regent/engine/stateful/transfer.ts";
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
  if (row.isRestored) return { writer: null, why: "the database was restored, and may lack who was promoted last" };
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

/** Before anybody was asked nothing has happened. Afterwards the new one may be promoted, now or later, and only being seen alone tells. */
const afterStop = (row: RoleRow, transfer: StoredTransfer): Writer => {
  const { from, to, settledAt, isFollowed } = transfer;
  if (!isOpen(transfer)) return fromTraffic(row, "the last transfer stopped before anybody was asked, and traffic is led");
  if (isFollowed) return fromTraffic(row, "the last transfer stopped, and traffic was led to who wrote alone since, or on");
  const active = activeOf(row);
  if (settledAt !== null && (active === from || active === settledAt))
    return { writer: settledAt, why: `the last transfer stopped, and ${settledAt} alone was seen to write since` };
  if (active !== null && active !== from)
    return { writer: active, why: `the last transfer stopped, and traffic was led to ${active} since` };
  return {
    writer: null,
    why: `a transfer from ${from} to ${to} stopped after somebody was asked to promote: who writes isn't known`,
  };
};

const fromTraffic = (row: RoleRow, because: string): Writer => {
  const writer = activeOf(row);
  return writer === null ? { writer, why: "traffic isn't led to one region alone" } : { writer, why: `${because} to ${writer}` };
};

/** Families of a stateful service lead to one region, or nobody is told that it may write. */
export const activeOf = ({ passive }: Pick<RoleRow, "passive">): string | null => {
  const actives = new Set(Object.values(passive).map(({ active }) => active));
  const [active] = actives;
  return actives.size === 1 && active !== undefined ? active : null;
};

/**
 * After a stop that left it open: the one region that is seen to write, while agents beside the other one of the two see that it doesn't. What was seen
 * before the stop doesn't count; nor, for any other than the new one, what was seen before the deadline of a hook that may still be at work.
 */
export const settle = (transfer: StoredTransfer, views: readonly DatabaseView[], deadline: Instant): string | null => {
  const { phase, hook, settledAt, from, to, phaseAt } = transfer;
  if (phase !== "stopped" || !isOpen(transfer) || settledAt !== null) return settledAt;
  const [only, ...more] = views.filter(({ role }) => role === "writable");
  if (only === undefined || more.length > 0 || views.some(({ role }) => role === "split")) return null;
  const since = only.region === to || hook.answer === "refused" ? phaseAt : Math.max(phaseAt, deadline);
  const both = [from, to].map((region) => views.find((view) => view.region === region));
  return both.every((view) => view !== undefined && view.role !== "unseen" && (view.seenAt ?? 0) > since) ? only.region : null;
};
