/** `settings.fall=5` laid over whatever a rehearsal's configuration says, in each of its versions. Pure. */
import { Strategy } from "@regent/contract";
import { setValue } from "../rehearsal/set-value.ts";
import { readKey, type SettingKey } from "./setting-keys.ts";

/** Takes a configuration as it was read, not checked yet, and gives another. */
export type Vary = (written: unknown) => unknown;

export type WhatIf =
  | {
      readonly kind: "if";
      readonly vary: Vary;
      readonly text: string;
      /** A sentence where one of them means nothing in this configuration. */
      readonly findUnmeant: (written: unknown) => string | null;
    }
  | { readonly kind: "wrong"; readonly why: string };

const LENGTH_MAX = 500;

interface Assignment {
  readonly of: SettingKey;
  readonly value: string;
}

export const readWhatIf = (assignments: readonly string[]): WhatIf => {
  const sets: Assignment[] = [];
  for (const assignment of assignments) {
    const equals = assignment.indexOf("=");
    if (equals < 1 || assignment.length > LENGTH_MAX)
      return { kind: "wrong", why: `"${assignment.slice(0, 80)}" is not key=value, such as settings.fall=5` };
    const read = readKey(assignment.slice(0, equals).trim());
    if (read.kind === "unknown") return { kind: "wrong", why: read.why };
    sets.push({ of: read.of, value: assignment.slice(equals + 1).trim() });
  }
  const vary: Vary = (written) => sets.reduce((value, { of, value: text }) => place(value, of, text), written);
  return { kind: "if", vary, text: assignments.join(", "), findUnmeant: (written) => findUnmeant(sets, written) };
};

const place = (written: unknown, { service, key }: SettingKey, text: string): unknown => {
  const services = servicesOf(written).filter((one) => service === null || one.id === service);
  const placed = services
    .filter((one) => takes(one, key))
    .reduce((value, { id }) => set(value, `services.${id}.${key}=${text}`), written);
  return service === null && key === "profile" ? set(placed, `profile=${text}`) : placed;
};

const set = (value: unknown, assignment: string): unknown => {
  const result = setValue(value, assignment);
  return result.kind === "set" ? result.value : value;
};

interface WrittenService {
  readonly id: string;
  readonly strategy?: { readonly kind?: unknown } | null;
}

export const servicesOf = (written: unknown): readonly WrittenService[] => {
  const { services } = (written ?? {}) as { readonly services?: unknown };
  return Array.isArray(services) ? services.filter((one) => typeof one?.id === "string") : [];
};

/** Only some strategies have a trickle, or a threshold of panic. */
const takes = ({ strategy }: WrittenService, key: string): boolean => {
  const [head, name = ""] = key.split(".");
  if (head !== "strategy" || name === "kind") return true;
  const kind = Strategy.options.find(({ shape }) => shape.kind.value === strategy?.kind);
  return kind === undefined || name in kind.shape;
};

const findUnmeant = (sets: readonly Assignment[], written: unknown): string | null => {
  const services = servicesOf(written);
  for (const { of, value } of sets) {
    const { service, key } = of;
    if (service !== null && !services.some(({ id }) => id === service))
      return `no service "${service}" is declared; declared: ${services.map(({ id }) => id).join(", ")}`;
    const [first] = services.filter((one) => (service === null || one.id === service) && takes(one, key));
    if (first === undefined) return `${key}: no service's strategy has it`;
    const tried = setValue(written, `services.${first.id}.${key}=${value}`);
    if (tried.kind === "wrong") return tried.why;
  }
  return null;
};
