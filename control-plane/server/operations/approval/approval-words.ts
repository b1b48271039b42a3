/** What history says of an approval, in one sentence each. Pure. */
import type { Approval, Instant } from "@regent/contract";
import type { Decision } from "@regent/engine";
import { clockText } from "@regent/engine/text.ts";
import type { StoredApproval } from "../../ports/decision-store.ts";

/** Who approved what nobody answered, where it is declared to proceed then. */
export const NOBODY = "nobody answered in time";

export const askedText = ({ id, why, asks, rules, lapsesAt, onLapse }: Approval): string =>
  [
    `asks for a person: ${why}`,
    `because of ${asksText(asks, rules)}`,
    `it waits until ${clockText(lapsesAt)}, and if nobody answers ${onLapse === "proceed" ? "it is done" : "traffic stays"}`,
    `answer with: ${commandText(id)}`,
  ].join("; ");

/** Another question about the same move: nobody is paged for it. */
export const insteadText = (approval: Approval, before: string): string =>
  `${askedText(approval)}; ${before} is stale, this is asked instead`;

export const commandText = (id: string): string => `regent change approve ${id} --reason … (or refuse)`;

/** `A9 (3 incidents within the hour, at most 3) and the mode approve`. */
export const asksText = (asks: readonly string[], rules: Decision["rules"]): string =>
  asks
    .map((ask) => {
      const why = rules.find(({ rule }) => rule === ask)?.why;
      return ask === "mode" ? "the mode approve" : why === undefined ? ask : `${ask} (${why})`;
    })
    .join(" and ");

export const staleText = ({ id, why }: Approval, instead: string | null): string =>
  `${id} is stale, what it rested on has changed: ${why}; ${instead === null ? "nothing is asked any more" : `${instead} is asked instead`}`;

export const lapsedText = ({ id, why, lapsesAt }: Approval, againAt: Instant): string =>
  `nobody answered ${id} until ${clockText(lapsesAt)}, and traffic stays: ${why}; it is asked again at ${clockText(againAt)} if it is still wanted`;

export const proceedsText = ({ id, why, lapsesAt }: Approval): string =>
  `nobody answered ${id} until ${clockText(lapsesAt)}, and it is declared to proceed: ${why}`;

export const answeredText = ({ id, state, by, reason, why }: Approval): string => `${by} ${state} ${id}: ${reason}; ${why}`;

/** What a change that a person let through says after its own why. */
export const approvedText = ({ by, reason }: Pick<Approval, "by" | "reason">): string =>
  by === NOBODY ? `; approved, as ${NOBODY} and it is declared to proceed` : `; approved by ${by}: ${reason}`;

/** For whoever answers too late. */
export const closedText = ({ id, state, by, answeredAt }: Pick<Approval, "id" | "state" | "by" | "answeredAt">): string => {
  const at = answeredAt === null ? "" : ` at ${clockText(answeredAt)}`;
  if (by === NOBODY) return `nobody answered ${id} in time, and it is done as declared${at}`;
  return state === "lapsed" ? `nobody answered ${id} in time: traffic stays` : `${by} ${state} ${id}${at}`;
};

/** For whoever asks why the service is as it is; nothing once it is over. */
export const standingText = (approval: StoredApproval | null): readonly string[] => {
  if (!approval || approval.isOver) return [];
  const { id, state, by, reason, why, asks, rules, lapsesAt, onLapse } = approval;
  const otherwise = onLapse === "proceed" ? "it is done" : "traffic stays";
  switch (state) {
    case "waiting":
      return [
        `Waits for a person until ${clockText(lapsesAt)}, because of ${asksText(asks, rules)}: ${why}; if nobody answers ${otherwise}; answer with: ${commandText(id)}`,
      ];
    case "refused":
      return [`${by} refused ${id}: ${reason}; it isn't asked again while the same move is wanted`];
    case "lapsed":
      return [`Nobody answered ${id} until ${clockText(lapsesAt)}, and traffic stays: ${why}`];
    case "approved":
    case "stale":
      return [];
  }
};
