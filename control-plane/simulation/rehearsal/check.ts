/** What was expected against what was told: each expectation met, or what came instead, with times. Pure. */
import type { Change, Weights } from "@regent/contract";
import { EVENTS, type Expectation, type Subject, type When } from "./expectation.ts";
import { expectedText, sharesText, whenText } from "./expectation-text.ts";
import { toList } from "./names.ts";
import type { Told } from "./run-rehearsal.ts";
import { momentText } from "./time.ts";

export interface Checked {
  readonly line: number;
  readonly isMet: boolean;
  readonly expected: string;
  /** What was so instead, or what met it. */
  readonly got: string;
}

/** Within this a share is the expected one: weights are whole numbers up to 255. */
const SHARE_NEAR = 0.02;
/** Lines of what came instead; nobody reads more. */
const TOLD_MAX = 6;

export const checkAll = (expect: readonly Expectation[], told: Told, stepMs: number): readonly Checked[] =>
  expect.map(({ line, when, subject }) => ({
    line,
    expected: `${expectedText(subject)} ${whenText(when)}`,
    ...(EVENTS.includes(subject.kind)
      ? checkEvents(when, eventsOf(subject, told), { others: othersOf(subject, told), stepMs })
      : checkSpans(when, spansOf(subject, told))),
  }));

// ------------------------------------------------------------------------------------------------ what happens

interface Happened {
  readonly at: number;
  readonly text: string;
}

/** `others`: of the same kind, whatever they are, to tell when none is what was expected. */
const checkEvents = (
  when: When,
  events: readonly Happened[],
  { others, stepMs }: { readonly others: readonly Happened[]; readonly stepMs: number },
): Pick<Checked, "isMet" | "got"> => {
  const [fromMs, toMs] = when.kind === "at" ? [when.atMs - stepMs, when.atMs + stepMs] : [when.fromMs, when.toMs];
  const inTime = events.filter(({ at }) => at >= fromMs && at <= toMs);
  const tell = (list: readonly Happened[]): string => (list.length > 0 ? shorten(list.map(happenedText)) : "nothing of the kind");
  switch (when.kind) {
    case "never":
      return { isMet: inTime.length === 0, got: tell(inTime) };
    case "count": {
      const isMet = when.isExact ? inTime.length === when.count : inTime.length <= when.count;
      return { isMet, got: `${inTime.length}: ${tell(inTime)}` };
    }
    default:
      return inTime.length > 0 ? { isMet: true, got: tell(inTime) } : { isMet: false, got: tell(others) };
  }
};

const happenedText = ({ at, text }: Happened): string => `${momentText(at)} ${text}`;

const shorten = (texts: readonly string[]): string =>
  [...texts.slice(0, TOLD_MAX), ...(texts.length > TOLD_MAX ? [`and ${texts.length - TOLD_MAX} more`] : [])].join("; ");

const isWanted = <T>(wanted: T | readonly T[] | undefined, value: T): boolean =>
  wanted === undefined || toList(wanted).includes(value);
const areWanted = (wanted: string | readonly string[] | undefined, values: readonly string[]): boolean =>
  wanted === undefined || toList(wanted).every((one) => values.includes(one));

const eventsOf = ({ kind, of }: Subject, told: Told): readonly Happened[] => {
  switch (kind) {
    case "change":
      return told.changes
        .filter(
          (change) =>
            isWanted(of.service, change.service) &&
            isWanted(of.kind, change.kind) &&
            isWanted(of.by, change.actor.kind) &&
            areWanted(of.left, leftBy(change)) &&
            areWanted(of.received, receivedBy(change)),
        )
        .map((change) => ({ at: change.at, text: changeText(change) }));
    case "page":
      return told.pages
        .filter(
          ({ service, kind: entry, why }) =>
            isWanted(of.service, service ?? "") &&
            isWanted(of.kind, entry) &&
            (of.saying === undefined || why.includes(of.saying)),
        )
        .map(({ at, service, kind: entry, why }) => ({ at, text: `page (${entry}) ${service ?? "all"}: ${why}` }));
    case "answer":
      return told.answers
        .filter(
          (answer) =>
            isWanted(of.service, answer.service ?? "") &&
            isWanted(of.do, answer.do as typeof of.do) &&
            isWanted(of.is, answer.is) &&
            (of.by === undefined || answer.rules.includes(of.by)),
        )
        .map((answer) => ({ at: answer.at, text: `${answer.do} by ${answer.by} was ${answer.is}: ${answer.why}` }));
    default:
      return [];
  }
};

const othersOf = (subject: Subject, told: Told): readonly Happened[] => {
  const service = subject.of.service;
  const of = service === undefined ? {} : { service };
  return eventsOf({ kind: subject.kind, of } as Subject, told);
};

export const leftBy = ({ weightsBefore, weightsAfter }: Pick<Change, "weightsBefore" | "weightsAfter">): readonly string[] =>
  regionsWhere(weightsBefore, weightsAfter, (before, after) => before > 0 && after === 0);
export const receivedBy = ({ weightsBefore, weightsAfter }: Pick<Change, "weightsBefore" | "weightsAfter">): readonly string[] =>
  regionsWhere(weightsBefore, weightsAfter, (before, after) => after > before);

const regionsWhere = (before: Weights, after: Weights, is: (before: number, after: number) => boolean): readonly string[] => [
  ...new Set(
    Object.entries(after).flatMap(([family, weights]) => {
      const old = partsOf(before[family] ?? {});
      const next = partsOf(weights);
      return Object.keys(next).filter((region) => is(old[region] ?? 0, next[region] ?? 0));
    }),
  ),
];

export const changeText = (change: Told["changes"][number]): string => {
  const [left, received] = [leftBy(change), receivedBy(change)];
  const moved = [left.length > 0 ? `left ${left.join(", ")}` : "", received.length > 0 ? `${received.join(", ")} received` : ""];
  return [`${change.kind} of ${change.service}`, ...moved.filter((text) => text !== "")].join(", ");
};

// ------------------------------------------------------------------------------------------------ what lasts

interface Span {
  readonly at: number;
  /** Not so any more at that moment. */
  readonly until: number;
  readonly isWanted: boolean;
  readonly text: string;
}

const checkSpans = (when: When, spans: readonly Span[]): Pick<Checked, "isMet" | "got"> => {
  const [fromMs, toMs] = when.kind === "at" ? [when.atMs, when.atMs] : [when.fromMs, when.toMs];
  const inTime = spans.filter(({ at, until }) => at <= toMs && until > fromMs);
  const wanted = inTime.filter((span) => span.isWanted);
  const got = (list: readonly Span[]): string =>
    list.length > 0 ? shorten(list.map(({ at, text }) => `${momentText(Math.max(at, fromMs))} ${text}`)) : "nothing of the kind";
  switch (when.kind) {
    case "at":
    case "by":
      return { isMet: wanted.length > 0, got: got(wanted.length > 0 ? wanted.slice(0, 1) : inTime) };
    case "never":
      return { isMet: wanted.length === 0, got: got(wanted) };
    case "count":
    case "during":
      return { isMet: coversAll(wanted, fromMs, toMs), got: got(inTime) };
  }
};

/** Spans of one subject follow each other; of several, such as two rules that hold, they may lie over each other. */
const coversAll = (spans: readonly Span[], fromMs: number, toMs: number): boolean => {
  let reached = fromMs;
  for (const { at, until } of [...spans].sort((a, b) => a.at - b.at)) if (at <= reached) reached = Math.max(reached, until);
  return reached > toMs || (reached === toMs && toMs > fromMs);
};

const spansOf = ({ kind, of }: Subject, told: Told): readonly Span[] => {
  switch (kind) {
    case "verdict": {
      const turns = told.turns.filter(({ service, region }) => service === of.service && region === of.region);
      return turns.map(({ at, to, why }, i) => ({
        at,
        until: turns[i + 1]?.at ?? Number.POSITIVE_INFINITY,
        isWanted: toList(of.is).includes(to),
        text: `${to} (${why})`,
      }));
    }
    case "shares": {
      const standings = told.standings.filter(({ service }) => service === of.service);
      return standings.map(({ at, weights }, i) => {
        const parts = partsOf(weights[of.family ?? "default"] ?? Object.values(weights)[0] ?? {});
        return {
          at,
          until: standings[i + 1]?.at ?? Number.POSITIVE_INFINITY,
          isWanted: Object.entries(of.is).every(([region, part]) => Math.abs((parts[region] ?? 0) - part) <= SHARE_NEAR),
          text: sharesText(parts),
        };
      });
    }
    case "held":
      return told.held
        .filter((held) => isWanted(of.service, held.service) && areWanted(of.left, held.left))
        .map((held) => ({ at: held.at, until: held.until, isWanted: isHeldBy(of, held), text: held.sentence }));
    case "standstill":
      return told.standstills
        .filter(({ service }) => service === of.service)
        .map(({ at, until, sentence }) => ({ at, until, isWanted: true, text: sentence }));
    default:
      return [];
  }
};

/** Every rule that is named stands in the way, with the answer that is named. */
const isHeldBy = (of: Extract<Subject, { kind: "held" }>["of"], { rules, mode }: Told["held"][number]): boolean => {
  const standing = rules.filter(({ answer }) => of.answer === undefined || answer === of.answer);
  if (of.by === undefined) return of.answer === undefined || standing.length > 0;
  return toList(of.by).every((one) => (one === "mode" ? mode !== null : standing.some(({ rule }) => rule === one)));
};

/** Weights as parts of the traffic. */
export const partsOf = (weights: Readonly<Record<string, number>>): Readonly<Record<string, number>> => {
  const sum = Object.values(weights).reduce((all, weight) => all + weight, 0);
  return Object.fromEntries(Object.entries(weights).map(([region, weight]) => [region, sum === 0 ? 0 : weight / sum]));
};
