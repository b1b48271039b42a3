/** What is told of databases in a rehearsal, against its configuration. Pure. Called by compile.ts. */
import type { FactLine } from "./databases.ts";
import { findStrangers, selectNames } from "./names.ts";
import { idsOf, type Scope, toMoment, vantagesOf } from "./scope.ts";
import type { WrittenFacts } from "./shape.ts";
import { toMs } from "./time.ts";

export const compileFacts = (written: readonly WrittenFacts[], scope: Scope): readonly FactLine[] =>
  written.map((line, index): FactLine => {
    const { declaration, find } = scope;
    const path = ["facts", index];
    const stateful = declaration.services.filter((service) => service.stateful !== undefined);
    if (stateful.length === 0) find(path, "no service of the configuration is stateful: nobody asks for the role of a database");
    const known = { vantages: vantagesOf(declaration), services: idsOf(stateful), regions: idsOf(declaration.regions) };
    const words = { vantages: "vantage (region/network)", services: "stateful service", regions: "region" };
    for (const key of ["vantages", "services", "regions"] as const)
      for (const message of findStrangers(line[key], known[key], words[key])) find([...path, key], message);
    const fromMs = line.from === undefined ? Number.NEGATIVE_INFINITY : toMoment(line.from, [...path, "from"], scope);
    const toMsAt = line.to === undefined ? Number.POSITIVE_INFINITY : toMoment(line.to, [...path, "to"], scope);
    if (fromMs >= toMsAt) find(path, "it ends before it begins");
    if (line.role === undefined && line.lag === undefined && line.link === undefined)
      find(path, "it says nothing: it needs `role`, `lag` or `link`");
    return {
      fromMs,
      toMs: toMsAt,
      vantages: selectNames(line.vantages, known.vantages),
      services: selectNames(line.services, known.services),
      regions: selectNames(line.regions, known.regions),
      role: line.role ?? null,
      lagMs: line.lag === undefined ? null : toMs(line.lag),
      isCut: line.link === undefined ? null : line.link === "cut",
    };
  });
