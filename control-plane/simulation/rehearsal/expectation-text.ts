/** An expectation as a sentence. Pure. */
import type { Subject, When } from "./expectation.ts";
import { toList } from "./names.ts";
import { momentText } from "./time.ts";

export const whenText = (when: When): string => {
  switch (when.kind) {
    case "at":
      return `at ${momentText(when.atMs)}`;
    case "by":
      return when.fromMs === 0 ? `by ${momentText(when.toMs)}` : `from ${momentText(when.fromMs)} by ${momentText(when.toMs)}`;
    case "during":
      return spanText(when);
    case "never":
      return `never ${spanText(when)}`;
    case "count":
      return `${when.isExact ? "exactly" : "at most"} ${when.count} times ${spanText(when)}`;
  }
};

const spanText = ({ fromMs, toMs }: { readonly fromMs: number; readonly toMs: number }): string =>
  `from ${momentText(fromMs)} to ${momentText(toMs)}`;

export const sharesText = (parts: Readonly<Record<string, number>>): string =>
  Object.entries(parts)
    .map(([region, part]) => `${region} ${Math.round(part * 100)} %`)
    .join(", ");

export const expectedText = ({ kind, of }: Subject): string => {
  const service = of.service ?? "any service";
  switch (kind) {
    case "verdict":
      return `${service}: ${of.region} is ${toList(of.is).join(" or ")}`;
    case "shares":
      return `${service}: ${sharesText(of.is)}`;
    case "change":
      return words([
        of.kind === undefined ? "a change" : toList(of.kind).join(" or "),
        `of ${service}`,
        of.by === undefined ? "" : `by ${of.by}`,
        of.left === undefined ? "" : `that leaves ${toList(of.left).join(", ")}`,
        of.received === undefined ? "" : `to ${toList(of.received).join(", ")}`,
      ]);
    case "held":
      return words([
        `a move of ${service}`,
        of.left === undefined ? "" : `away from ${toList(of.left).join(", ")}`,
        "held back",
        of.by === undefined ? "" : `by ${toList(of.by).join(" and ")}`,
        of.answer === undefined ? "" : `(${of.answer})`,
      ]);
    case "page":
      return words([
        "a page",
        of.kind === undefined ? "" : `(${of.kind})`,
        `about ${service}`,
        of.saying === undefined ? "" : `that says "${of.saying}"`,
      ]);
    case "standstill":
      return `${service} stands still`;
    case "answer":
      return words([
        of.do ?? "what was asked",
        `of ${service} is`,
        of.is ?? "answered",
        of.by === undefined ? "" : `by ${of.by}`,
      ]);
  }
};

const words = (parts: readonly string[]): string => parts.filter((part) => part !== "").join(" ");
