/** Opens notifiers by their kind, each behind a guard of its own, and calls the heartbeat. */
import type { GuardRules, NotifierDeclaration } from "@regent/contract";
import type { Messenger, Notice, SendResult } from "../../ports/notifier.ts";
import type { Guard, Guards } from "../guard/guards.ts";
import { NOTIFIER_BREAKER, NOTIFIER_GATE, SEND_MS_MAX } from "./limits.ts";
import { sendPagerDuty } from "./pagerduty.ts";
import { createPostJson } from "./post-json.ts";
import { toFailure, toResult } from "./results.ts";
import { type ReadSecret, SecretMissing } from "./secrets.ts";
import { sendSlack } from "./slack.ts";
import { sendMail } from "./smtp.ts";
import type { LookUp } from "./target.ts";
import { sendWebhook } from "./webhook.ts";

export interface MessengerDeps {
  readonly guards: Guards;
  readonly readSecret: ReadSecret;
  /** The installation's word: receivers on this machine are for laptops and tests. */
  readonly allowLoopback: boolean;
  readonly now?: () => number;
  readonly lookUp?: LookUp;
  readonly timeoutMs?: number;
}

export const createMessenger = (deps: MessengerDeps): Messenger => {
  const { readSecret, now = Date.now, timeoutMs = SEND_MS_MAX } = deps;
  const lookUp = deps.lookUp === undefined ? {} : { lookUp: deps.lookUp };
  const rulesOf = ({ isPrivate }: { readonly isPrivate: boolean }): GuardRules => ({
    allowLoopback: deps.allowLoopback,
    allowPrivate: isPrivate,
  });
  const guardOf = (name: string): Guard =>
    deps.guards.get({
      name,
      kind: "notifier",
      breaker: NOTIFIER_BREAKER,
      gate: NOTIFIER_GATE,
      // What isn't set up says nothing of the receiver.
      isFailure: (error) => !(error instanceof SecretMissing),
    });
  /** A refusal of a message is an answer; only what may pass later speaks against the receiver. */
  const run = (guard: Guard, work: (signal: AbortSignal) => Promise<SendResult>): Promise<SendResult> =>
    guard.run({ work, timeoutMs, hasFailed: ({ kind }) => kind === "later" }).catch(toFailure);

  return {
    open: (declared) => {
      const guard = guardOf(`notifier-${declared.id}`);
      const postJson = createPostJson({ rules: rulesOf(declared), ...lookUp });
      const web = { postJson, readSecret, now };
      const mail = { rules: rulesOf(declared), readSecret, reached: { notice: "", by: new Set<string>() }, ...lookUp };
      return { send: (notice) => run(guard, (signal) => sendBy({ web, mail }, declared, notice, signal)) };
    },
    beat: (heartbeat) =>
      run(guardOf("heartbeat"), async (signal) => {
        const url = await readSecret(heartbeat.secret);
        if (!URL.canParse(url)) throw new SecretMissing("the secret is no URL");
        const postJson = createPostJson({ rules: rulesOf(heartbeat), ...lookUp });
        return toResult(await postJson({ url: new URL(url), headers: {}, body: "{}" }, signal));
      }),
  };
};

type Ways = {
  readonly web: Parameters<typeof sendWebhook>[0];
  readonly mail: Parameters<typeof sendMail>[0];
};

const sendBy = ({ web, mail }: Ways, declared: NotifierDeclaration, notice: Notice, signal: AbortSignal): Promise<SendResult> => {
  switch (declared.kind) {
    case "webhook":
      return sendWebhook(web, declared, notice, signal);
    case "slack":
      return sendSlack(web, declared, notice, signal);
    case "pagerduty":
      return sendPagerDuty(web, declared, notice, signal);
    case "smtp":
      return sendMail(mail, declared, notice, signal);
  }
};
