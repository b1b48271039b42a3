/** One cause, however many services it hits: what a person is told of, follows and acknowledges. */
import * as z from "zod";
import { Instant, Ulid } from "./ids.ts";
import { NotifierId, Severity } from "./notification.ts";
import { OperatorReason } from "./operator.ts";

export const Incident = z.object({
  id: Ulid,
  /** `region:<id>`, `service:<id>`, or `control-plane:<what>`: with the opening moment it is what makes an incident this one. */
  cause: z.string(),
  state: z.enum(["open", "closed"]),
  /** The worst so far. */
  severity: Severity,
  title: z.string(),
  openedAt: Instant,
  updatedAt: Instant,
  closedAt: Instant.nullable(),
  acknowledged: z.object({ by: z.string(), at: Instant, reason: z.string() }).nullable(),
  /** How many parts it hit since it opened, and the first of them. */
  hit: z.int(),
  parts: z.array(z.string()),
  /** Parts that aren't well yet. */
  unwell: z.int(),
  /** What was said last, newest last. */
  lines: z.array(z.object({ at: Instant, why: z.string() })),
  escalations: z.int(),
});
export type Incident = z.infer<typeof Incident>;

/** Newest first. */
export const IncidentPage = z.object({ incidents: z.array(Incident), next: z.string().nullable() });
export type IncidentPage = z.infer<typeof IncidentPage>;

export const AcknowledgeRequest = z.strictObject({ reason: OperatorReason });
export type AcknowledgeRequest = z.infer<typeof AcknowledgeRequest>;

export const NotifierTestRequest = z.strictObject({ reason: OperatorReason });
export type NotifierTestRequest = z.infer<typeof NotifierTestRequest>;

/** `delivered`: the receiver took it. Otherwise why not. */
export const NotifierTestAnswer = z.object({ notifier: NotifierId, delivered: z.boolean(), why: z.string() });
export type NotifierTestAnswer = z.infer<typeof NotifierTestAnswer>;
