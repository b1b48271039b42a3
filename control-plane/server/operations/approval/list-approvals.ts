/** What waits for a person and what was answered last, of all services. Pure; from memory. */
import type { Approval } from "@regent/contract";
import { APPROVALS_SHOWN_MAX } from "../../limits.ts";
import type { ServiceRecord } from "../../ports/decision-store.ts";
import { shown } from "./review-approval.ts";

/** Those that wait, the first to lapse in front; then the last of every other service, the newest in front. */
export const listApprovals = (records: Iterable<ServiceRecord>): readonly Approval[] => {
  const all = [...records].flatMap(({ approval }) => (approval ? [shown(approval)] : []));
  const waiting = all.filter(isWaiting).sort((a, b) => a.lapsesAt - b.lapsesAt);
  const others = all.filter((approval) => !isWaiting(approval)).sort((a, b) => momentOf(b) - momentOf(a));
  return [...waiting, ...others].slice(0, APPROVALS_SHOWN_MAX);
};

const isWaiting = ({ state }: Approval): boolean => state === "waiting";

const momentOf = ({ answeredAt, askedAt }: Approval): number => answeredAt ?? askedAt;
