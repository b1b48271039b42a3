/** What an entry of an alert rule means to people: each rule is a cause of its own, its series are the parts. Pure. */
import { type HistoryEvent, NotifierId, Severity } from "@regent/contract";
import * as z from "zod";
import type { PageEffect } from "./classify-entry.ts";

const AlertDetail = z.object({
  step: z.enum(["fires", "over"]),
  rule: z.string(),
  title: z.string(),
  severity: Severity,
  alerts: z.array(z.string()),
  notifiers: z.array(NotifierId).optional(),
});

/** No service has a colon, so that no part of one is taken for this. */
const PART = "alert: ";
const CAUSE = "alert:";
export const alertPart = (key: string): string => `${PART}${key}`;
export const isAlertCause = (cause: string): boolean => cause.startsWith(CAUSE);

/** That somebody set a rule is told to nobody. */
export const ofAlert = ({ detail }: HistoryEvent): readonly PageEffect[] => {
  const parsed = AlertDetail.safeParse(detail);
  if (!parsed.success) return [];
  const { step, rule, title, severity, alerts, notifiers } = parsed.data;
  const parts = alerts.map(alertPart);
  if (step === "over") return [{ cause: "", step: "closes", severity: "info", title: "", parts, services: [] }];
  return [
    {
      cause: `${CAUSE}${rule}`,
      step: "opens",
      severity,
      title,
      parts,
      services: [],
      ...(notifiers === undefined ? {} : { only: notifiers }),
    },
  ];
};
