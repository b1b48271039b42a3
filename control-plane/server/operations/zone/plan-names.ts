/** What a declaration would do to names in DNS: which are created, which have to be adopted or taken over first, which would be left behind. */
import type { NameStep } from "@regent/contract";
import type { Observed, ServiceSpec } from "@regent/engine";
import { planAdoption } from "@regent/engine/plan/adoption.ts";
import { markNames } from "@regent/engine/plan/ownership-marks.ts";
import { preflight } from "@regent/engine/plan/preflight.ts";
import { toObserved } from "@regent/engine/plan/record-sets.ts";
import { NAMES_READ_MAX } from "../../limits.ts";
import type { ServiceRecord } from "../../ports/decision-store.ts";
import type { DnsProvider, ReadTurn } from "../../ports/dns-provider.ts";
import { wasWritten } from "./note-truth.ts";

export interface NamesDeps {
  readonly provider: Pick<DnsProvider, "readNames" | "readZone">;
  readonly recordOf: (service: string) => ServiceRecord;
}

/** A person waits, and nobody's traffic does. */
const TURN: ReadTurn = { lane: "read", rank: Number.MAX_SAFE_INTEGER };

/** Services whose names are ours and stay so are left out. */
export const planNames = async (
  deps: NamesDeps,
  before: readonly ServiceSpec[],
  after: readonly ServiceSpec[],
): Promise<readonly NameStep[]> => {
  const names = new Map(after.map(({ id, epochName }) => [id, epochName]));
  const left = before
    .filter((spec) => names.get(spec.id) !== spec.epochName && deps.recordOf(spec.id).epoch !== null)
    .map((spec) => toLeft(spec, names.has(spec.id)));
  const known = new Map(before.map((spec) => [spec.id, spec]));
  const isNew = (spec: ServiceSpec): boolean => {
    const old = known.get(spec.id);
    const { expected, blockedBy } = deps.recordOf(spec.id);
    return expected === null || blockedBy !== null || old?.name !== spec.name || old.owner !== spec.owner;
  };
  const asked = after.filter(isNew);
  const zones = [...new Set(asked.map(({ zoneId }) => zoneId))];
  const steps = await Promise.all(
    zones.map((zoneId) =>
      planZone(
        deps,
        zoneId,
        asked.filter((spec) => spec.zoneId === zoneId),
      ),
    ),
  );
  return [...steps.flat(), ...left];
};

/** Also of a service that gets another name. */
const toLeft = (spec: ServiceSpec, isRenamed: boolean): NameStep => ({
  service: spec.id,
  step: "release",
  owner: spec.owner,
  lines: [
    `The records of ${spec.name} would stay as they are, with the mark of ${spec.owner}; nobody would watch over them.`,
    `To give the name up, release it ${isRenamed ? "before you apply this" : "first"} (regent release ${spec.id} --reason …).`,
  ],
});

const planZone = async (
  { provider, recordOf }: NamesDeps,
  zoneId: string,
  specs: readonly ServiceSpec[],
): Promise<readonly NameStep[]> => {
  const read =
    specs.length > NAMES_READ_MAX
      ? await provider.readZone(zoneId, TURN)
      : await provider.readNames(zoneId, specs.flatMap(namesOf), TURN);
  if (read.kind !== "sets") {
    const why = read.kind === "throttled" ? "Route 53 throttles reads" : read.why;
    return specs.map(({ id }) => ({
      service: id,
      step: "unread" as const,
      owner: null,
      lines: [`DNS could not be read: ${why}.`],
    }));
  }
  return specs.map((spec) => toStep(spec, toObserved(spec, read.sets), recordOf(spec.id)));
};

const namesOf = (spec: ServiceSpec): readonly string[] => [
  ...new Set([...spec.families.map(({ name }) => name), spec.epochName, ...markNames(spec)]),
];

const toStep = (spec: ServiceSpec, observed: Observed, record: ServiceRecord): NameStep => {
  const everWritten = wasWritten(spec, record, []);
  const checked = preflight({ spec, observed, everWritten });
  const owner = observed.epoch?.owner ?? observed.marks?.[0]?.owner ?? null;
  if (checked.kind === "create")
    return { service: spec.id, step: "create", owner: null, lines: [`${spec.name} has no record yet: it is created.`] };
  if (checked.kind === "managed" && record.blockedBy === null && checked.epoch.ulid === record.epoch)
    return { service: spec.id, step: "keep", owner, lines: [`${spec.name} is ${spec.owner}'s already.`] };
  const takeover = observed.epoch && observed.epoch.owner !== spec.owner ? observed.epoch.owner : null;
  const adoption = planAdoption({ spec, observed, marks: observed.marks ?? [], takeover, everWritten });
  if (adoption.kind === "refused") return { service: spec.id, step: "refused", owner, lines: [adoption.why, adoption.fix] };
  const command = `regent adopt ${spec.id} ${takeover === null ? "" : `--takeover ${takeover} `}--reason …`;
  return {
    service: spec.id,
    step: takeover === null ? "adopt" : "takeover",
    owner,
    lines: [`${spec.name} stands already; with this file in force: ${command}`, ...adoption.lines],
  };
};
