/** Slack's incoming webhooks. The URL is the secret, so it is never told. They know no id: a double shows the same incident and time. */
import type { SlackNotifier } from "@regent/contract";
import type { Notice, SendResult } from "../../ports/notifier.ts";
import { SLACK_TEXT_MAX, SUBJECT_MAX } from "./limits.ts";
import type { PostJson } from "./post-json.ts";
import { toResult } from "./results.ts";
import { type ReadSecret, SecretMissing } from "./secrets.ts";
import { toSubject, toText } from "./words.ts";

export interface SlackDeps {
  readonly postJson: PostJson;
  readonly readSecret: ReadSecret;
}

/** The message itself is bad. A webhook that was revoked (403, 404, 410) is set up anew by a person, and then takes what waited. */
const REFUSALS = [400, 413];

export const sendSlack = async (
  { postJson, readSecret }: SlackDeps,
  { secret }: SlackNotifier,
  notice: Notice,
  signal: AbortSignal,
): Promise<SendResult> => {
  const url = toUrl(await readSecret(secret));
  return toResult(await postJson({ url, headers: {}, body: JSON.stringify(toMessage(notice)) }, signal), REFUSALS);
};

const toUrl = (secret: string): URL => {
  if (!URL.canParse(secret)) throw new SecretMissing("the secret is no URL of an incoming webhook");
  return new URL(secret);
};

const toMessage = (notice: Notice): object => {
  const subject = toSubject(notice, SUBJECT_MAX);
  return {
    // Shown in notifications, where blocks aren't.
    text: escapeText(subject),
    blocks: [
      { type: "header", text: { type: "plain_text", text: subject, emoji: false } },
      { type: "section", text: { type: "mrkdwn", text: toSection(toText(notice)), verbatim: true } },
      { type: "context", elements: [{ type: "plain_text", text: `message ${notice.id}`, emoji: false }] },
    ],
  };
};

/** Whole lines, as many as there is room for. */
const toSection = (lines: readonly string[]): string => {
  let text = "";
  for (const line of lines) {
    const next = `${text}${text === "" ? "" : "\n"}${escapeText(line)}`;
    if (next.length > SLACK_TEXT_MAX) break;
    text = next;
  }
  return text;
};

/** The three characters that Slack reads as markup of links and mentions; others can only make text bold. */
export const escapeText = (text: string): string => text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
