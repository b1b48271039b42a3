/**
 * Asked before every write: may this service's name be written at all, and is it a first write? Pure. Whatever isn't plainly ours is refused,
 * with what stands there and what a person does about it; an epoch record that vanished after we wrote is never made again.
 */
import type { Epoch, Observed, RecordSet, ServiceSpec } from "../model.ts";
import type { OwnershipMark } from "./ownership-marks.ts";
import { toSetWords } from "./record-values.ts";

export type PreflightProblem =
  | "simple-record"
  | "weighted-without-epoch"
  | "cname-at-label"
  | "foreign-epoch"
  | "epoch-missing"
  | "epoch-unreadable"
  | "other-policy"
  | "other-tool"
  | "mixed";

export interface PreflightRefusal {
  readonly kind: "refused";
  readonly problem: PreflightProblem;
  /** What stands in DNS, in one sentence with its names. */
  readonly why: string;
  /** What a person does about it. */
  readonly fix: string;
}

export type Preflight = { readonly kind: "create" } | { readonly kind: "managed"; readonly epoch: Epoch } | PreflightRefusal;

export interface PreflightQuestion {
  readonly spec: ServiceSpec;
  readonly observed: Observed;
  /** True once any batch of this service may have reached Route 53, by the outbox. */
  readonly everWritten: boolean;
}

/**
 * `create`: nothing stands at the names, and nothing of ours ever did. `managed`: our own epoch record stands there, over nothing but weighted
 * sets (missing or changed members are drift, not a refusal). Everything else is refused before anything is sent.
 */
export const preflight = ({ spec, observed, everWritten }: PreflightQuestion): Preflight => {
  const { epochSet, epoch } = observed;
  if (epochSet !== null && epoch === null) return refuseUnreadable(epochSet);
  if (epoch !== null && epoch.owner !== spec.owner) return refuseForeign(spec, epoch);
  if (epochSet === null && everWritten) return refuseMissing(spec);
  const cname = findCnameConflict(spec, observed);
  if (cname !== null) return cname;
  const addresses = toAddressSets(spec, observed);
  if (epoch !== null) return addresses.every(isWeighted) ? { kind: "managed", epoch } : refusePolicy(spec, addresses);
  const [mark] = observed.marks ?? [];
  if (mark !== undefined) return refuseMarked(mark);
  if (addresses.length === 0) return { kind: "create" };
  return addresses.every(isWeighted) ? refuseUnfenced(spec, addresses) : refusePolicy(spec, addresses);
};

const refuseMarked = ({ owner, name }: OwnershipMark): PreflightRefusal => ({
  kind: "refused",
  problem: "other-tool",
  why: `external-dns (owner ${owner}) marks this name as its own with the TXT record ${name}.`,
  fix: "Take the name out of external-dns' sources, let it or yourself remove its TXT records; Regent never touches them.",
});

/** Sets at a family's name that answer for it, in any of the types that the service declares. */
const toAddressSets = (spec: ServiceSpec, { sets }: Observed): RecordSet[] =>
  sets.filter((set) => spec.families.some(({ name }) => name === set.name) && spec.types.some((type) => type === set.type));

const isWeighted = (set: RecordSet): boolean =>
  set.weight !== undefined && set.setIdentifier !== undefined && set.other === undefined;

const isSimple = (set: RecordSet): boolean =>
  set.weight === undefined && set.setIdentifier === undefined && set.other === undefined;

/** At one name, a CNAME stands alone: in the way of other types, or kept out by them. */
const findCnameConflict = (spec: ServiceSpec, { sets }: Observed): PreflightRefusal | null => {
  const wantsCname = spec.types.includes("CNAME");
  const conflict = sets.find((set) => (set.name !== spec.epochName && wantsCname ? set.type !== "CNAME" : set.type === "CNAME"));
  if (conflict === undefined) return null;
  const wanted = conflict.name === spec.epochName ? "the epoch record" : `records of type ${spec.types.join(" and ")}`;
  return {
    kind: "refused",
    problem: "cname-at-label",
    why: `${toSetWords(conflict)} stands where ${wanted} would go, and DNS allows no other type beside a CNAME.`,
    fix: isApexSet(conflict)
      ? `The top of a zone can't have a CNAME: declare alias answers of type A and AAAA for service ${spec.id}, or another name.`
      : `Delete ${toSetWords(conflict)}, or declare another name for service ${spec.id}.`,
  };
};

const isApexSet = ({ type }: RecordSet): boolean => type === "SOA" || type === "NS";

const refusePolicy = (spec: ServiceSpec, addresses: readonly RecordSet[]): PreflightRefusal => {
  const odd = addresses.filter((set) => !isWeighted(set));
  const problem =
    odd.length < addresses.length
      ? "mixed"
      : odd.every(isSimple)
        ? "simple-record"
        : odd.some(isSimple)
          ? "mixed"
          : "other-policy";
  return {
    kind: "refused",
    problem,
    why: POLICY_WHY[problem](toList(odd)),
    fix: problem === "other-policy" ? OTHER_POLICY_FIX : adoptFix(spec),
  };
};

const POLICY_WHY = {
  "simple-record": (list: string) => `${list} is a simple record, which Route 53 can't turn into a weighted one in place.`,
  "other-policy": (list: string) => `${list} has a routing policy that isn't weighted.`,
  mixed: (list: string) => `The name holds weighted records and others: ${list} is not weighted.`,
};

const OTHER_POLICY_FIX = "Bring it to weighted records by hand first, or declare a name that has no records.";

const adoptFix = ({ id }: ServiceSpec): string =>
  `See what adopting would change (regent adopt ${id} --reason … --dry-run), then adopt it; or declare a name that has no records.`;

const refuseUnfenced = (spec: ServiceSpec, addresses: readonly RecordSet[]): PreflightRefusal => ({
  kind: "refused",
  problem: "weighted-without-epoch",
  why: `${toList(addresses)} is weighted already, and there is no epoch record at ${spec.epochName}: somebody else writes this name.`,
  fix: `Stop whoever writes it. ${adoptFix(spec)}`,
});

const refuseMissing = (spec: ServiceSpec): PreflightRefusal => ({
  kind: "refused",
  problem: "epoch-missing",
  why: `Regent has written ${spec.name} before, and its epoch record ${spec.epochName} TXT is gone.`,
  fix: `Find out who deleted it. To go on from what stands, adopt the name again (regent adopt ${spec.id} --reason …); Regent never makes the record anew by itself.`,
});

const refuseUnreadable = (epochSet: RecordSet): PreflightRefusal => ({
  kind: "refused",
  problem: "epoch-unreadable",
  why: `${toSetWords(epochSet)} holds ${(epochSet.values ?? []).join(" ") || "no value"}, which isn't an epoch record that this version reads.`,
  fix: `If it was edited by hand, restore the text that Regent last wrote; if another product wrote it, set another epochLabel.`,
});

const refuseForeign = (spec: ServiceSpec, epoch: Epoch): PreflightRefusal => ({
  kind: "refused",
  problem: "foreign-epoch",
  why: `The epoch record ${spec.epochName} names owner ${epoch.owner}, and this installation is ${spec.owner}.`,
  fix: `Stop the installation of ${epoch.owner} and take the name over (regent adopt ${spec.id} --takeover ${epoch.owner} --reason …), or remove service ${spec.id} from this declaration.`,
});

/** The first three by name, the rest by number: a sentence, not a listing. */
const toList = (sets: readonly RecordSet[]): string => {
  const words = sets.slice(0, 3).map(toSetWords).join(", ");
  return sets.length > 3 ? `${words} and ${sets.length - 3} more` : words;
};
