/** Calls hooks by POST, signed as Standard Webhooks say, to an address that was checked, each service's behind a guard of its own. */
import type { Hook } from "@regent/contract";
import * as z from "zod";
import type { HookAnswer, HookCaller, HookRequest } from "../../ports/hook-caller.ts";
import type { Guards } from "../guard/guards.ts";
import { type Answer, createPostJson } from "../notify/post-json.ts";
import { toFailure } from "../notify/results.ts";
import { type ReadSecret, SecretMissing } from "../notify/secrets.ts";
import { toWebhookHeaders } from "../notify/standard-webhook.ts";
import type { LookUp } from "../notify/target.ts";
import { HOOK_BREAKER, HOOK_GATE, HOOK_MS_MAX, HOOK_WHY_MAX } from "./limits.ts";

export interface HookCallerDeps {
  readonly guards: Guards;
  readonly readSecret: ReadSecret;
  /** The installation's word: hooks on this machine are for laptops and tests. */
  readonly allowLoopback: boolean;
  readonly now?: () => number;
  readonly lookUp?: LookUp;
  readonly timeoutMs?: number;
}

export const createHookCaller = (deps: HookCallerDeps): HookCaller => {
  const { guards, readSecret, allowLoopback, now = Date.now, timeoutMs = HOOK_MS_MAX } = deps;
  const guardOf = (service: string) =>
    guards.get({
      name: `hook-${service}`,
      kind: "hook",
      breaker: HOOK_BREAKER,
      gate: HOOK_GATE,
      // What isn't set up says nothing of the hook.
      isFailure: (error) => !(error instanceof SecretMissing),
    });
  const post = async ({ url, secret, isPrivate }: Hook, request: HookRequest, signal: AbortSignal): Promise<HookAnswer> => {
    const rules = { allowLoopback, allowPrivate: isPrivate };
    const postJson = createPostJson({ rules, ...(deps.lookUp === undefined ? {} : { lookUp: deps.lookUp }) });
    const body = JSON.stringify(toBody(request));
    const headers = toWebhookHeaders({ id: request.transfer, body, secret: await readSecret(secret), now: now() });
    return toAnswer(await postJson({ url: new URL(url), headers, body }, signal));
  };
  return {
    call: (hook, request) =>
      guardOf(request.service)
        .run({
          work: (signal) => post(hook, request, signal),
          timeoutMs,
          hasFailed: ({ answer }) => answer === "failed",
        })
        .catch((error: unknown) => failed(whyOf(error))),
  };
};

/** The same at every try of one transfer. */
const toBody = ({ at, deadline, transfer, service, from, to, reason }: HookRequest): object => ({
  type: "regent.transfer.prepare",
  transfer,
  service,
  from,
  to,
  reason,
  at: new Date(at).toISOString(),
  deadline: new Date(deadline).toISOString(),
});

const Said = z.object({
  state: z.enum(["promoted", "working", "refused"]),
  fenced: z.boolean().nullable().default(null),
  why: z.string().default(""),
});

const toAnswer = ({ status, body }: Answer): HookAnswer => {
  if (status === 202) return { answer: "working", isFenced: null, why: "" };
  if (status >= 300 && status < 400) return failed(`the hook answered ${status}, and redirects aren't followed`);
  if (status !== 200) return failed(`the hook answered ${status}`);
  const said = Said.safeParse(toJson(body));
  // What it said instead isn't repeated: it may quote what was sent.
  if (!said.success) return failed("the hook answered 200 and no state that Regent knows");
  const { state, fenced, why } = said.data;
  return { answer: state, isFenced: fenced, why: toLine(why) };
};

const failed = (why: string): HookAnswer => ({ answer: "failed", isFenced: null, why });

/** In the words that pages have for it, which repeat nothing that a driver says. */
const whyOf = (error: unknown): string => {
  const told = toFailure(error);
  return told.kind === "taken" ? "" : told.why;
};

const toJson = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
};

/** It ends up in terminals and chats: one line, nothing that overwrites or forges what stands beside it. */
const toLine = (why: string): string =>
  why
    .replace(/[\p{Cc}\p{Bidi_Control}\p{Zl}\p{Zp}]+/gu, " ")
    .trim()
    .slice(0, HOOK_WHY_MAX);
