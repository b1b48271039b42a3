/** What a rehearsal expects, against its configuration. Pure. Called by compile.ts. */
import { ChangeKind, HistoryKind } from "@regent/contract";
import type { Path } from "@regent/server/configuration/problem-path.ts";
import { EVENTS, type Expectation, SUBJECTS, type Subject, type When } from "./expectation.ts";
import { findStrangers, toList } from "./names.ts";
import { idsOf, type Scope, toMoment } from "./scope.ts";
import type { WrittenExpectation, WrittenNames } from "./shape.ts";
import { momentText } from "./time.ts";

export const compileExpectations = (written: readonly WrittenExpectation[], scope: Scope): readonly Expectation[] =>
  written.flatMap((one, index): readonly Expectation[] => {
    const path = ["expect", index];
    const subject = toSubject(one, path, scope);
    const when = toWhen(one, path, scope);
    if (subject === null || when === null) return [];
    if (when.kind === "count" && !EVENTS.includes(subject.kind))
      scope.find(path, `a ${subject.kind} lasts and isn't counted: use at, by, from/to or never`);
    tellStrangers(subject, [...path, subject.kind], scope);
    return [{ line: scope.lineOf(path), when, subject }];
  });

const toSubject = (one: WrittenExpectation, path: Path, { find }: Scope): Subject | null => {
  const given = SUBJECTS.filter((kind) => one[kind] !== undefined);
  const [kind] = given;
  if (given.length === 1 && kind !== undefined) return { kind, of: one[kind] } as Subject;
  find(path, `an expectation is about one of ${SUBJECTS.join(", ")}${given.length === 0 ? "" : `, not ${given.join(" and ")}`}`);
  return null;
};

const toWhen = (one: WrittenExpectation, path: Path, scope: Scope): When | null => {
  const { at, by, from, to, never, atMost, exactly } = one;
  const { find, forMs } = scope;
  const moment = (key: "at" | "by" | "from" | "to"): number => toMoment(one[key] ?? 0, [...path, key], scope);
  const named = (["at", "by", "never", "atMost", "exactly"] as const).filter((key) => one[key] !== undefined);
  if (named.length > 1) return tellNull(find, path, `when? ${named.join(" and ")} don't go together`);
  const fromMs = from === undefined ? 0 : moment("from");
  const toMsAt = to === undefined ? forMs : moment("to");
  if (fromMs >= toMsAt) return tellNull(find, path, `from ${momentText(fromMs)} to ${momentText(toMsAt)} is no time at all`);
  if (at !== undefined)
    return from === undefined && to === undefined
      ? { kind: "at", atMs: moment("at") }
      : tellNull(find, path, "at is one moment: from and to don't go with it");
  if (by !== undefined) {
    if (to !== undefined) return tellNull(find, path, "by is the end: to doesn't go with it");
    const end = moment("by");
    return fromMs > end ? tellNull(find, path, "from is after by") : { kind: "by", fromMs, toMs: end };
  }
  if (never) return { kind: "never", fromMs, toMs: toMsAt };
  const count = atMost ?? exactly;
  if (count !== undefined) return { kind: "count", fromMs, toMs: toMsAt, count, isExact: exactly !== undefined };
  if (from === undefined && to === undefined)
    return tellNull(find, path, "when? say at, by, from and to, never, atMost or exactly");
  return { kind: "during", fromMs, toMs: toMsAt };
};

const tellNull = (find: Scope["find"], path: Path, message: string): null => {
  find(path, message);
  return null;
};

const tellStrangers = ({ kind, of }: Subject, path: Path, { declaration, find }: Scope): void => {
  const tell = (key: string, written: WrittenNames | undefined, known: readonly string[], what: string): void => {
    for (const message of findStrangers(written, known, what)) find([...path, key], message);
  };
  const service = declaration.services.find(({ id }) => id === of.service);
  const regions = service?.endpoints.map(({ region }) => region) ?? idsOf(declaration.regions);
  tell("service", of.service, idsOf(declaration.services), "service");
  switch (kind) {
    case "verdict":
      tell("region", of.region, regions, "region of this service");
      break;
    case "shares":
      tell("family", of.family, service?.families?.map(({ id }) => id) ?? ["default"], "family of this service");
      tell("is", Object.keys(of.is), regions, "region of this service");
      break;
    case "change":
      tell("kind", of.kind === undefined ? undefined : [...toList(of.kind)], ChangeKind.options, "kind of change");
      tell("left", of.left, regions, "region");
      tell("received", of.received, regions, "region");
      break;
    case "held":
      tell("left", of.left, regions, "region");
      break;
    case "page":
      tell("kind", of.kind, HistoryKind.options, "kind of history entry");
      break;
    case "standstill":
    case "answer":
      break;
  }
};
