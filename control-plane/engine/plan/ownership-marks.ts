/**
 * Marks by which other tools say that a name is theirs. Pure. external-dns writes a TXT record beside each record that it manages: at the name
 * itself, or at a label made of the record type, such as `a-www.example.com` (its `--txt-prefix` may say otherwise: such marks are not seen).
 */
import type { RecordSet, ServiceSpec } from "../model.ts";

export interface OwnershipMark {
  readonly tool: "external-dns";
  readonly owner: string;
  /** Name of the TXT record. */
  readonly name: string;
}

const PREFIXES = ["a-", "aaaa-", "cname-"] as const;

/** Names, besides those of the families, at which a mark of one of this service's names may stand. */
export const markNames = (spec: Pick<ServiceSpec, "families">): readonly string[] =>
  spec.families.flatMap(({ name }) => (name.startsWith("*.") ? [] : PREFIXES.map((prefix) => `${prefix}${name}`)));

/** In the order read; `sets` may be a whole page of the zone. */
export const readMarks = (spec: Pick<ServiceSpec, "families">, sets: readonly RecordSet[]): readonly OwnershipMark[] => {
  const names = new Set([...spec.families.map(({ name }) => name), ...markNames(spec)]);
  return sets.flatMap((set) => (set.type === "TXT" && names.has(set.name) ? (toMark(set) ?? []) : []));
};

const toMark = ({ name, values }: RecordSet): OwnershipMark | null => {
  for (const value of values ?? []) {
    const text = value.replaceAll('"', "");
    const [, owner] = /(?:^|,)external-dns\/owner=([^,]*)/.exec(text) ?? [];
    if (text.startsWith("heritage=external-dns") && owner !== undefined) return { tool: "external-dns", owner, name };
  }
  return null;
};
