/**
 * A service whose data has one writable place: how that is declared, and what is told of it. The order in which the place changes is Regent's;
 * fencing and promoting are the declared hook's (docs/HOOKS.md).
 */
import * as z from "zod";
import { Actor } from "./change.ts";
import { CheckId, Instant, RegionId, ServiceId, Ulid } from "./ids.ts";
import { SecretRef, WebUrl } from "./notification.ts";

/** Fences the old and promotes the new. */
export const Hook = z.strictObject({
  url: WebUrl,
  /** `whsec_` and base64, as in Standard Webhooks. */
  secret: SecretRef,
  /** The receiver may stand in a private range. */
  isPrivate: z.boolean().default(false),
});
export type Hook = z.infer<typeof Hook>;

export const Stateful = z.strictObject({
  /** The `postgres` check whose facts say where the writable database is. */
  check: CheckId,
  /** A standby further behind asks a person. */
  lagMaxSeconds: z.number().min(0).max(86_400).default(10),
  /** How long a reader of the role may believe what it was told; nobody is promoted for so long after the role was taken back. */
  leaseSeconds: z.number().min(0).max(300).default(10),
  /** From the hook's first call until it must have said that it is done. */
  prepareSeconds: z.number().min(1).max(3_600).default(120),
  /** From then on until agents must have seen the new one writable. */
  roleSeconds: z.number().min(1).max(3_600).default(60),
  /** Nobody is asked when absent: a person promotes, and Regent waits for the role to be seen. */
  hook: Hook.optional(),
});
export type Stateful = z.infer<typeof Stateful>;

export const TransferPhase = z.enum(["prepare", "role", "switch", "verify", "done", "stopped"]);

/** The writable role on its way from one region to another. */
export const TransferState = z.object({
  /** Also the hook's `webhook-id`. */
  id: Ulid,
  service: ServiceId,
  from: RegionId,
  to: RegionId,
  phase: TransferPhase,
  startedAt: Instant,
  /** When the present phase began. */
  phaseAt: Instant,
  by: Actor,
  reason: z.string().nullable(),
  hook: z.object({
    /** Nobody is asked where none is declared. */
    isDeclared: z.boolean(),
    attempts: z.int(),
    lastAt: Instant.nullable(),
    answer: z.enum(["none", "failed", "working", "promoted", "refused"]),
    fenced: z.boolean().nullable(),
    why: z.string(),
  }),
  /** One sentence: what it does or waits for, or how it ended. */
  why: z.string(),
});
export type TransferState = z.infer<typeof TransferState>;

/** Each service's last one; those under way in front. */
export const TransferList = z.object({ transfers: z.array(TransferState) });
export type TransferList = z.infer<typeof TransferList>;

/** Who may write now. True when it was read, and to be believed for `validForMs` from the moment in which it was asked. */
export const RoleAnswer = z.object({
  service: ServiceId,
  /** Null: nobody, as the role is on its way. */
  writer: RegionId.nullable(),
  /** Grows whenever what is remembered of the service changes: an answer with a smaller one is older. */
  revision: z.int(),
  validForMs: z.int().min(0),
  /** Only where a region was asked about. */
  mayWrite: z.boolean().optional(),
  why: z.string(),
});
export type RoleAnswer = z.infer<typeof RoleAnswer>;
