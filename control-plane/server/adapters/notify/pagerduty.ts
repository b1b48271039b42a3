/**
 * PagerDuty's Events API v2. One alert of an incident is one `dedup_key`: whatever comes twice changes nothing. What became worse is an alert of its
 * own, as PagerDuty calls nobody for one that was acknowledged; who acknowledges or closes the incident does so for all of them.
 */
import type { PagerDutyNotifier } from "@regent/contract";
import type { Notice, NoticeAction, SendResult } from "../../ports/notifier.ts";
import { PAGERDUTY_SUMMARY_MAX } from "./limits.ts";
import type { PostJson } from "./post-json.ts";
import { toResult } from "./results.ts";
import type { ReadSecret } from "./secrets.ts";
import { toSubject, toText } from "./words.ts";

export interface PagerDutyDeps {
  readonly postJson: PostJson;
  readonly readSecret: ReadSecret;
}

const URLS = { us: "https://events.pagerduty.com/v2/enqueue", eu: "https://events.eu.pagerduty.com/v2/enqueue" } as const;

/** 400: the event itself is bad, and will be at every try. A rate limit answers 429; everything else may pass. */
const REFUSALS = [400];

export const sendPagerDuty = async (
  { postJson, readSecret }: PagerDutyDeps,
  { where, secret }: PagerDutyNotifier,
  notice: Notice,
  signal: AbortSignal,
): Promise<SendResult> => {
  const url = new URL(where === "us" || where === "eu" ? URLS[where] : where);
  const routingKey = await readSecret(secret);
  const post = async (event: object): Promise<SendResult> =>
    toResult(await postJson({ url, headers: {}, body: JSON.stringify(event) }, signal), REFUSALS);
  const { alerts } = notice.incident;
  const isForAll = ACTIONS[notice.action] !== "trigger";
  let result: SendResult = { kind: "taken" };
  for (const alert of isForAll ? alerts : alerts.slice(-1)) {
    result = await post(toEvent(notice, routingKey, alert));
    if (result.kind !== "taken") return result;
  }
  // A test mustn't leave an alert that stands open.
  if (notice.action === "test" && result.kind === "taken")
    return post({ ...toEvent(notice, routingKey, alerts.at(-1)), event_action: "resolve" });
  return result;
};

const ACTIONS: Readonly<Record<NoticeAction, "trigger" | "acknowledge" | "resolve">> = {
  open: "trigger",
  update: "trigger",
  escalate: "trigger",
  acknowledge: "acknowledge",
  close: "resolve",
  // What asks nobody to do anything, and what an operator only wants to see arrive, mustn't stand open.
  tell: "resolve",
  test: "trigger",
};

const toEvent = (notice: Notice, routingKey: string, alert = ""): object => {
  const { incident, action } = notice;
  return {
    routing_key: routingKey,
    event_action: ACTIONS[action],
    dedup_key: `${incident.id}/${alert}`,
    payload: {
      summary: toSubject(notice, PAGERDUTY_SUMMARY_MAX),
      source: notice.owner,
      severity: incident.severity,
      timestamp: new Date(notice.at).toISOString(),
      component: incident.cause,
      class: action,
      custom_details: {
        message: notice.id,
        hit: incident.hit,
        unwell: incident.unwell,
        parts: incident.parts,
        said: toText(notice),
      },
    },
    client: "Regent",
  };
};
