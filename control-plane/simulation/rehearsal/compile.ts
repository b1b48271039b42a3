/**
 * The words of a rehearsal against its configuration: every name that isn't declared, every moment after the end and every part that would never
 * come is told, all at once. Pure. Called by read-rehearsal.ts.
 */

import { compileEdits } from "./compile-edits.ts";
import { compileExpectations } from "./compile-expectations.ts";
import { compileFacts } from "./compile-facts.ts";
import { compileMaintenance } from "./compile-maintenance.ts";
import { compileOperators } from "./compile-operators.ts";
import { findStrangers, selectNames } from "./names.ts";
import { parseNotation } from "./notation.ts";
import type { OutcomeLine } from "./outcomes.ts";
import type { DnsLine, Rehearsal } from "./rehearsal.ts";
import { checksOf, idsOf, type Scope, toMoment, vantagesOf } from "./scope.ts";
import type { WrittenOutcomes, WrittenRehearsal } from "./shape.ts";
import { momentText, toMs } from "./time.ts";

export type Compiled = Pick<Rehearsal, "outcomes" | "facts" | "operators" | "maintenance" | "dns" | "edits" | "expect">;

export const compile = (written: WrittenRehearsal, scope: Scope): Compiled => ({
  outcomes: written.outcomes.flatMap((line, index) => compileOutcomes(line, index, scope)),
  facts: compileFacts(written.facts, scope),
  operators: compileOperators(written.operators, scope),
  maintenance: compileMaintenance(written.maintenance, scope),
  dns: compileDns(written.dns, scope),
  edits: compileEdits(written.edits, scope),
  expect: compileExpectations(written.expect, scope),
});

// ------------------------------------------------------------------------------------------------ outcomes

const compileOutcomes = (line: WrittenOutcomes, index: number, scope: Scope): readonly OutcomeLine[] => {
  const { declaration, find, stepMs, forMs } = scope;
  const path = ["outcomes", index];
  const side = line.vantages === "inside" || line.vantages === "outside" ? line.vantages : null;
  const vantages = side === null ? line.vantages : undefined;
  const known = {
    vantages: vantagesOf(declaration),
    services: idsOf(declaration.services),
    regions: idsOf(declaration.regions),
    checks: checksOf(declaration),
  };
  const tell = (key: keyof typeof known, written: WrittenOutcomes[keyof typeof known], what: string): void => {
    for (const message of findStrangers(written, known[key], what)) find([...path, key], message);
  };
  tell("vantages", vantages, "vantage (region/network)");
  tell("services", line.services, "service");
  tell("regions", line.regions, "region");
  tell("checks", line.checks, "check");
  const notation = parseNotation(String(line.what), stepMs);
  if (notation.kind === "nonsense") {
    find([...path, "what"], notation.why);
    return [];
  }
  const { parts } = notation;
  const late = parts.find(({ fromMs }) => fromMs >= forMs);
  if (late)
    find([...path, "what"], `a part begins at ${momentText(late.fromMs)}, and the rehearsal is over at ${momentText(forMs)}`);
  const isSilence = parts.some(({ sight }) => sight.kind === "silence");
  if (isSilence && (side !== null || [line.services, line.regions, line.checks].some((names) => names !== undefined)))
    find(path, "silence is an agent's as a whole: such a line names vantages (region/network) and nothing else");
  const checks = selectNames(line.checks, known.checks);
  const isCode = parts.some(({ sight }) => sight.kind === "code");
  const isHttp = declaration.services.some((service) =>
    service.checks.some(({ id, kind }) => kind === "http" && (checks?.has(id) ?? true)),
  );
  if (isCode && !isHttp) find([...path, "what"], "only http checks see a status, and none of these checks is one");
  return [
    {
      index,
      vantages: selectNames(vantages, known.vantages),
      side,
      services: selectNames(line.services, known.services),
      regions: selectNames(line.regions, known.regions),
      checks,
      parts,
      latencyMs: line.latency === undefined ? null : toMs(line.latency),
    },
  ];
};

// ------------------------------------------------------------------------------------------------ Route 53

const LATE =
  "a send that applies late can't be rehearsed: sends have timers of their own, which virtual time doesn't drive; throttle and away can";

const compileDns = (written: WrittenRehearsal["dns"], scope: Scope): readonly DnsLine[] =>
  written.flatMap(({ from, to, what }, index): readonly DnsLine[] => {
    const path = ["dns", index];
    const [fromMs, toMsAt] = [toMoment(from, [...path, "from"], scope), toMoment(to, [...path, "to"], scope)];
    if (fromMs >= toMsAt) scope.find(path, "it ends before it begins");
    if (what !== "late") return [{ fromMs, toMs: toMsAt, fault: what }];
    scope.find([...path, "what"], LATE);
    return [];
  });
