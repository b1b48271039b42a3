/** A notice in words: one line for a subject, some for a text. Pure. Nothing in it can end a header or a line. */
import type { Notice, NoticeAction } from "../../ports/notifier.ts";

const VERB: Readonly<Record<NoticeAction, string>> = {
  open: "opened",
  update: "goes on",
  escalate: "is not acknowledged",
  acknowledge: "is acknowledged",
  close: "is over",
  tell: "news",
  test: "test",
};

/** Control characters, halves of others, and those that turn the direction of writing become spaces. */
const DISGUISES = /[\p{Cc}\p{Cs}\p{Bidi_Control}\p{Zl}\p{Zp}]+/gu;
export const oneLine = (text: string): string => text.replace(DISGUISES, " ").trim();

const cut = (text: string, max: number): string => (text.length <= max ? text : `${oneLine(text.slice(0, max - 1))}…`);

/** `[critical] traffic left eu-west (200 hit): opened` */
export const toSubject = ({ action, incident }: Notice, max: number): string => {
  const hit = incident.hit > 1 ? ` (${incident.hit} hit)` : "";
  return cut(oneLine(`[${action === "close" ? "over" : incident.severity}] ${incident.title}${hit}: ${VERB[action]}`), max);
};

export const toText = ({ action, at, owner, incident }: Notice): string[] =>
  [
    `${incident.title}: ${VERB[action]}${incident.acknowledgedBy === null ? "" : `, acknowledged by ${incident.acknowledgedBy}`}`,
    ...incident.lines.map((line) => `${new Date(line.at).toISOString()}  ${line.why}`),
    ...(incident.hit === 0 ? [] : [`${incident.hit} hit, ${incident.unwell} not well: ${toParts(incident.parts, incident.hit)}`]),
    `installation ${owner}, incident ${incident.id}, opened ${new Date(incident.openedAt).toISOString()}, told ${new Date(at).toISOString()}`,
  ].map(oneLine);

const toParts = (parts: readonly string[], hit: number): string =>
  `${parts.join(", ")}${hit > parts.length ? ` and ${hit - parts.length} more` : ""}`;
