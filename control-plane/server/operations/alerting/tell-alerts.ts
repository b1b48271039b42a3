/** Entries of history of what fires and of what ended: one for each rule and round, however many series it is about. Pure. */
import type { AlertRule, Instant } from "@regent/contract";
import type { HistoryEntry } from "../../ports/decision-store.ts";
import { AUTOMATION } from "../memory/actors.ts";
import { type AlertFold, type LiveAlert, toValueText } from "./fold-alerts.ts";

interface Written {
  readonly newId: () => string;
  readonly now: Instant;
}

export const tellAlerts = ({ fired, ended }: Pick<AlertFold, "fired" | "ended">, written: Written): readonly HistoryEntry[] => [
  // The ends first: a rule that was changed ends and begins in one round, and what it says now is what stands.
  ...groupByRule(ended.map(({ alert, why }) => ({ alert, why }))).map((own) => toEntry(own, "over", written)),
  ...groupByRule(fired.map((alert) => ({ alert, why: toFiredText(alert) }))).map((own) => toEntry(own, "fires", written)),
];

interface Told {
  readonly alert: LiveAlert;
  readonly why: string;
}

const groupByRule = (told: readonly Told[]): readonly (readonly Told[])[] => {
  const groups = new Map<AlertRule, Told[]>();
  for (const each of told) {
    const known = [...groups].find(([rule]) => rule.id === each.alert.rule.id)?.[1];
    if (known) known.push(each);
    else groups.set(each.alert.rule, [each]);
  }
  return [...groups.values()];
};

const toFiredText = ({ series, rule, value }: LiveAlert): string => {
  const lasted = rule.for === 0 ? "" : ` for ${rule.for} s`;
  if (rule.condition === null) return `${series} is absent${lasted}`;
  const what = rule.quantile !== null ? `p${rule.quantile * 100} of ${series}` : series;
  const how =
    rule.window === null ? "is" : rule.quantile === null ? `grew within ${rule.window} s by` : `within ${rule.window} s is`;
  return `${what} ${how} ${toValueText(value)} (${rule.condition.op} ${rule.condition.value}${lasted})`;
};

const toEntry = (own: readonly Told[], step: "fires" | "over", { newId, now }: Written): HistoryEntry => {
  const [first] = own;
  if (!first) throw new Error("an entry of no alert");
  const { rule } = first.alert;
  const more = own.length === 1 ? "" : `, and ${own.length - 1} more`;
  return {
    id: newId(),
    at: now,
    service: null,
    kind: "alert",
    actor: AUTOMATION,
    why: step === "fires" ? `alert ${rule.id} fires: ${first.why}${more}` : `alert ${rule.id} is over: ${first.why}${more}`,
    page: step === "fires",
    detail: {
      step,
      rule: rule.id,
      title: rule.title,
      severity: rule.severity,
      alerts: own.map(({ alert }) => alert.key),
      ...(rule.notifiers === null ? {} : { notifiers: rule.notifiers }),
    },
  };
};
