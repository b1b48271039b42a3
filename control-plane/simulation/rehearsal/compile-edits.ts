/** What somebody else writes in DNS while a rehearsal runs, against its configuration. Pure. Called by compile.ts. */
import { suggestDeclared } from "@regent/server/configuration/nearest.ts";
import type { EditLine } from "./rehearsal.ts";
import { idsOf, type Scope, toMoment } from "./scope.ts";
import type { WrittenEdit } from "./shape.ts";

export const compileEdits = (written: readonly WrittenEdit[], scope: Scope): readonly EditLine[] =>
  written.flatMap(({ at, service, region, weight, owner }, index): readonly EditLine[] => {
    const path = ["edits", index];
    const { declaration, find } = scope;
    const atMs = toMoment(at, [...path, "at"], scope);
    const declared = declaration.services.find(({ id }) => id === service);
    if (declared === undefined) {
      find([...path, "service"], strange("service", service, idsOf(declaration.services)));
      return [];
    }
    if (owner !== undefined && region === undefined && weight === undefined) {
      if (owner !== declaration.owner) return [{ atMs, edit: { kind: "owner", service, owner } }];
      find([...path, "owner"], `${owner} is the owner that the configuration declares: nothing would change`);
      return [];
    }
    if (owner !== undefined || region === undefined || weight === undefined) {
      find(path, "an edit is of a `region` and its `weight`, or of the `owner`");
      return [];
    }
    const regions = declared.endpoints.map((endpoint) => endpoint.region);
    if (regions.includes(region)) return [{ atMs, edit: { kind: "weight", service, region, weight } }];
    find([...path, "region"], strange("region of this service", region, regions));
    return [];
  });

const strange = (what: string, name: string, known: readonly string[]): string => {
  const suggestion = suggestDeclared(name, known);
  return `no ${what} "${name}" is declared${suggestion === undefined ? "" : `; ${suggestion}`}`;
};
