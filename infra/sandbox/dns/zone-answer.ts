/** What a zone says to a question: records, wildcards, aliases, CNAME chains, referrals, and the two kinds of nothing. Pure but for chance. */
import type { Answer, RecordType as WireType } from "dns-packet";
import { CHAIN_LENGTH_MAX } from "../limits.ts";
import type { RecordSet, Records } from "../route53/model.ts";
import { isWithin, nameFromWire, nameToWire, parentOf } from "../route53/names.ts";
import { parseValue } from "../route53/values.ts";
import { type ChoiceContext, chooseSets } from "./choose.ts";

export interface ZoneView {
  readonly name: string;
  readonly records: Records;
}

export interface ZoneAnswer {
  readonly rcode: "NOERROR" | "NXDOMAIN" | "SERVFAIL";
  readonly isAuthoritative: boolean;
  readonly answers: readonly Answer[];
  readonly authorities: readonly Answer[];
  readonly additionals: readonly Answer[];
}

/** `asked` is the name as the asker spelled it; owners echo it, because resolvers check the case they sent. */
export const answerFromZone = (zone: ZoneView, asked: string, type: string, context: ChoiceContext): ZoneAnswer => {
  const answers: Answer[] = [];
  let owner = asked;
  for (let steps = 0; steps < CHAIN_LENGTH_MAX; steps++) {
    const name = nameFromWire(owner);
    if (!isWithin(name, zone.name)) return { ...nothing, answers };
    const cut = delegationAbove(zone, name);
    if (cut !== undefined) return steps === 0 ? refer(zone, cut) : { ...nothing, answers };
    const sets = setsAt(zone, name);
    if (sets === undefined) return { ...negative(zone, nodesOf(zone).has(name) ? "NOERROR" : "NXDOMAIN"), answers };
    const found = sets.filter((set) => set.type === type);
    if (found.length > 0) return withAnswers(zone, answers, toAnswers(owner, found, context));
    const [cname] =
      type === "CNAME"
        ? []
        : toAnswers(
            owner,
            sets.filter((set) => set.type === "CNAME"),
            context,
          );
    if (!cname) return { ...negative(zone, "NOERROR"), answers };
    answers.push(cname);
    owner = (cname as { data: string }).data;
  }
  return { ...nothing, rcode: "SERVFAIL", answers: [] };
};

const nothing: ZoneAnswer = { rcode: "NOERROR", isAuthoritative: true, answers: [], authorities: [], additionals: [] };

const withAnswers = (zone: ZoneView, before: readonly Answer[], found: readonly Answer[]): ZoneAnswer =>
  found.length > 0 ? { ...nothing, answers: [...before, ...found] } : { ...negative(zone, "NOERROR"), answers: before };

/** NXDOMAIN or NODATA, with the SOA record whose TTL says how long to believe it (RFC 2308: the lesser of TTL and minimum). */
const negative = (zone: ZoneView, rcode: "NOERROR" | "NXDOMAIN"): ZoneAnswer => {
  const soa = zone.records.get(zone.name)?.find((set) => set.type === "SOA");
  if (!soa) return { ...nothing, rcode: "SERVFAIL" };
  const [data] = wireValues(soa) as [{ minimum: number }];
  const ttl = Math.min(soa.ttl ?? 0, data.minimum);
  return { ...nothing, rcode, authorities: [{ type: "SOA", name: nameToWire(zone.name), ttl, data } as unknown as Answer] };
};

const nodesByRecords = new WeakMap<Records, ReadonlySet<string>>();

/** All names that exist, those between records and apex included: they answer NODATA and hide wildcards above them. */
const nodesOf = (zone: ZoneView): ReadonlySet<string> => {
  const known = nodesByRecords.get(zone.records);
  if (known) return known;
  const nodes = new Set<string>();
  for (const name of zone.records.keys())
    for (let at = name; isWithin(at, zone.name) && !nodes.has(at); at = parentOf(at)) nodes.add(at);
  nodesByRecords.set(zone.records, nodes);
  return nodes;
};

/** The name's own record sets, or those of the wildcard at its closest existing ancestor (RFC 4592). */
const setsAt = (zone: ZoneView, name: string): readonly RecordSet[] | undefined => {
  const own = zone.records.get(name);
  if (own) return own;
  const nodes = nodesOf(zone);
  if (nodes.has(name)) return undefined;
  let encloser = parentOf(name);
  while (!nodes.has(encloser) && encloser !== ".") encloser = parentOf(encloser);
  return zone.records.get(`\\052.${encloser}`);
};

const nsAt = (zone: ZoneView, name: string): RecordSet | undefined => zone.records.get(name)?.find((set) => set.type === "NS");

/** The highest name between apex and `name` that is handed to other servers. */
const delegationAbove = (zone: ZoneView, name: string): string | undefined => {
  let cut: string | undefined;
  for (let at = name; at !== zone.name && at !== "."; at = parentOf(at)) if (nsAt(zone, at)) cut = at;
  return cut;
};

const refer = (zone: ZoneView, cut: string): ZoneAnswer => {
  const ns = nsAt(zone, cut)!;
  const servers = wireValues(ns) as string[];
  const authorities = servers.map((data): Answer => ({ type: "NS", name: nameToWire(cut), ttl: ns.ttl ?? 0, data }));
  const glue = servers.flatMap((server) =>
    (zone.records.get(nameFromWire(server)) ?? [])
      .filter((set) => (set.type === "A" || set.type === "AAAA") && set.values !== undefined)
      .flatMap((set) => toRecords(server, set, 0)),
  );
  return { ...nothing, isAuthoritative: false, authorities, additionals: glue };
};

const toAnswers = (owner: string, group: readonly RecordSet[], context: ChoiceContext): Answer[] =>
  chooseSets(group, context).flatMap((set) => {
    const source = followAliases(set, context);
    return source ? toRecords(owner, source, Math.floor(context.random() * (source.values?.length ?? 1))) : [];
  });

/** The record set with values that an alias ends at; undefined if it ends nowhere. */
const followAliases = (set: RecordSet, context: ChoiceContext): RecordSet | undefined => {
  let current: RecordSet | undefined = set;
  for (let steps = 0; current?.aliasTarget && steps < CHAIN_LENGTH_MAX; steps++) {
    const atTarget: readonly RecordSet[] = context.records.get(current.aliasTarget.dnsName) ?? [];
    current = chooseSets(
      atTarget.filter((target) => target.type === set.type),
      context,
    )[0];
  }
  return current?.values ? current : undefined;
};

const wireBySet = new WeakMap<RecordSet, readonly unknown[]>();

/** Values in the form that goes on the wire. They were checked when they were written. */
const wireValues = (set: RecordSet): readonly unknown[] => {
  const known = wireBySet.get(set);
  if (known) return known;
  const data = (set.values ?? []).map((value) => {
    const parsed = parseValue(set.type, value);
    if (parsed.kind === "invalid") throw new Error(`stored value doesn't parse: ${parsed.message}`);
    return parsed.data;
  });
  wireBySet.set(set, data);
  return data;
};

/** All values as records of `owner`, turned round by `turn` places, so that askers who take the first spread out. */
const toRecords = (owner: string, set: RecordSet, turn: number): Answer[] => {
  const data = wireValues(set);
  const type = set.type as WireType;
  return data.map(
    (_, index) => ({ type, name: owner, ttl: set.ttl ?? 0, data: data[(index + turn) % data.length] }) as unknown as Answer,
  );
};
