/**
 * Whom Regent tells, and by which way: the part `notify` of the declaration. Secrets are named here and stand elsewhere, in the server's
 * environment or in its home; a declaration can be read by whoever may read configuration.
 */
import * as z from "zod";
import { ServiceId } from "./ids.ts";

/** `critical`: somebody gets up. `warning`: somebody looks today. `info`: good to know. */
export const Severity = z.enum(["critical", "warning", "info"]);
export type Severity = z.infer<typeof Severity>;

export const NotifierId = z
  .string()
  .regex(/^[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?$/, 'notifier id: 1 to 32 of a-z, 0-9 and "-", not starting or ending with "-"');
export type NotifierId = z.infer<typeof NotifierId>;

/**
 * Where a secret stands: a variable of the server's environment, or a file in `secrets/` of its home. The prefix and the folder keep a
 * declaration from sending any other secret of the process away.
 */
export const SecretRef = z.union([
  z.strictObject({ env: z.string().regex(/^REGENT_SECRET_[A-Z0-9_]{1,64}$/, 'a variable such as "REGENT_SECRET_PAGER"') }),
  z.strictObject({
    file: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, "the name of a file in the home's folder `secrets`"),
  }),
]);
export type SecretRef = z.infer<typeof SecretRef>;

/** Plain HTTP is for loopback alone, and only where the server allows it. */
export const WebUrl = z
  .string()
  .max(500)
  .regex(
    /^https?:\/\/(?:\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.-]{1,253})(?::[1-9][0-9]{0,4})?(?:[/?][\x21\x22\x24-\x7e]*)?$/,
    "an https URL without user, password and fragment",
  );

const MailServer = z
  .string()
  .max(300)
  .regex(
    /^smtps?:\/\/(?:\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.-]{1,253}):[1-9][0-9]{0,4}$/,
    'a mail server such as "smtp://mail.example.net:587"',
  );

/** Plain addresses: no names, no comments, nothing that a header could end with. */
const MailAddress = z
  .string()
  .max(254)
  .regex(
    /^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63})*$/,
    "a mail address such as ops@example.net",
  );

const notifierBase = {
  id: NotifierId,
  /** All when absent. */
  severities: z.array(Severity).min(1).max(3).optional(),
  /** All when absent. What is of a region is told when one of these services runs there; what is of the control plane always. */
  services: z.array(ServiceId).min(1).max(1_000).optional(),
  /** The receiver may stand in a private range. */
  isPrivate: z.boolean().default(false),
};

export const WebhookNotifier = z.strictObject({
  ...notifierBase,
  kind: z.literal("webhook"),
  where: WebUrl,
  /** `whsec_` and base64, as in Standard Webhooks. */
  secret: SecretRef,
});
export type WebhookNotifier = z.infer<typeof WebhookNotifier>;

/** The URL of an incoming webhook is itself the secret. */
export const SlackNotifier = z.strictObject({ ...notifierBase, kind: z.literal("slack"), secret: SecretRef });
export type SlackNotifier = z.infer<typeof SlackNotifier>;

export const PagerDutyNotifier = z.strictObject({
  ...notifierBase,
  kind: z.literal("pagerduty"),
  /** The service region of the account; a URL only for a receiver on loopback. The key goes nowhere else. */
  where: z
    .union([z.enum(["us", "eu"]), z.string().regex(/^http:\/\/127\.0\.0\.1:[1-9][0-9]{0,4}\/[\w/-]{0,100}$/)])
    .default("us"),
  /** The integration's routing key. */
  secret: SecretRef,
  /** It pages; what asks nobody to get up has other ways. */
  severities: z
    .array(z.enum(["critical", "warning"]))
    .min(1)
    .max(2)
    .default(["critical", "warning"]),
});
export type PagerDutyNotifier = z.infer<typeof PagerDutyNotifier>;

export const SmtpNotifier = z.strictObject({
  ...notifierBase,
  kind: z.literal("smtp"),
  where: MailServer,
  from: MailAddress,
  to: z.array(MailAddress).min(1).max(20),
  user: z
    .string()
    .regex(/^[\x21-\x7e]{1,254}$/)
    .optional(),
  /** The password of `user`. */
  secret: SecretRef.optional(),
});
export type SmtpNotifier = z.infer<typeof SmtpNotifier>;

export const NotifierDeclaration = z.discriminatedUnion("kind", [
  WebhookNotifier,
  SlackNotifier,
  PagerDutyNotifier,
  SmtpNotifier,
]);
export type NotifierDeclaration = z.infer<typeof NotifierDeclaration>;

export const NotifyRoute = z.strictObject({
  severities: z.array(Severity).min(1).max(3).optional(),
  services: z.array(ServiceId).min(1).max(1_000).optional(),
  notifiers: z.array(NotifierId).min(1).max(20),
});
export type NotifyRoute = z.infer<typeof NotifyRoute>;

const isTimeZone = (name: string): boolean => {
  try {
    return new Intl.DateTimeFormat("en", { timeZone: name }) !== null;
  } catch {
    return false;
  }
};

const TimeOfDay = z.string().regex(/^(?:[01][0-9]|2[0-3]):[0-5][0-9]$/, 'a time such as "22:00"');

/** What isn't critical waits until they end. `from` after `to`: over midnight. */
export const QuietHours = z.strictObject({
  timeZone: z.string().max(64).refine(isTimeZone, 'a time zone such as "Europe/Zurich"'),
  from: TimeOfDay,
  to: TimeOfDay,
});
export type QuietHours = z.infer<typeof QuietHours>;

export const Notify = z.strictObject({
  notifiers: z.array(NotifierDeclaration).max(20).default([]),
  /** Every notifier that one of these names; all of them where there is no route at all. */
  routes: z.array(NotifyRoute).max(100).default([]),
  quietHours: QuietHours.optional(),
  /** A critical incident that nobody acknowledged is told again after this time, three times at most. Never when absent. */
  escalateAfterSeconds: z.int().min(60).max(86_400).optional(),
  /** Told again to these; to all whom it was told when absent. */
  escalateTo: z.array(NotifierId).min(1).max(20).optional(),
  /** Called while all is well: the receiver pages when it falls silent. The URL is the secret. */
  heartbeat: z
    .strictObject({
      secret: SecretRef,
      everySeconds: z.int().min(5).max(3_600).default(30),
      isPrivate: z.boolean().default(false),
    })
    .optional(),
});
export type Notify = z.infer<typeof Notify>;
