/** A way to reach people: a webhook, a chat, a pager, mail. What is sent may arrive twice, always with the same id. */
import type { Instant, NotifierDeclaration, Notify, Severity } from "@regent/contract";

/**
 * `open`: a new incident. `update`: more of it, or worse. `escalate`: told again, as nobody acknowledged it. `acknowledge`: somebody did.
 * `close`: all of it is well again. `tell`: news that asks nobody to do anything. `test`: an operator wants to see that it arrives.
 */
export type NoticeAction = "open" | "update" | "escalate" | "acknowledge" | "close" | "tell" | "test";

/** One message to one receiver, complete: it is sent later as it was meant when it was written. */
export interface Notice {
  /** The same at every try: receivers recognise doubles by it. */
  readonly id: string;
  readonly action: NoticeAction;
  readonly at: Instant;
  /** Of the installation. */
  readonly owner: string;
  readonly incident: {
    /** One thread, one alert of a pager. */
    readonly id: string;
    readonly cause: string;
    readonly severity: Severity;
    readonly title: string;
    readonly openedAt: Instant;
    readonly hit: number;
    readonly unwell: number;
    /** The first of those hit. */
    readonly parts: readonly string[];
    readonly lines: readonly { readonly at: Instant; readonly why: string }[];
    readonly acknowledgedBy: string | null;
    /** Each asks somebody to get up anew, the last one now: a pager that was told to be quiet stays quiet under an old one. */
    readonly alerts: readonly string[];
  };
}

/** Nothing of a secret is ever in `why`. */
export type SendResult =
  | { readonly kind: "taken" }
  /** Not now: away, slow, busy, or it can't be told whether it arrived. */
  | { readonly kind: "later"; readonly why: string; readonly retryAfterMs?: number }
  /** This message, never. */
  | { readonly kind: "refused"; readonly why: string };

export interface Notifier {
  /** Ends by itself, whatever the receiver does; never throws. */
  readonly send: (notice: Notice) => Promise<SendResult>;
}

export type Heartbeat = NonNullable<Notify["heartbeat"]>;

export interface Messenger {
  readonly open: (declared: NotifierDeclaration) => Notifier;
  readonly beat: (heartbeat: Heartbeat) => Promise<SendResult>;
}
