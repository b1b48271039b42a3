/** Evidence to verdicts, for the services that something touched. Persists what must survive a restart, and tells history of every new verdict. */
import type { Instant, RegionVerdict } from "@regent/contract";
import type { Assessment, HealthMemory, ServiceSpec } from "@regent/engine";
import { castTarget } from "@regent/engine/health/cast.ts";
import { judge, nextVerdictLookAt, toRegionVerdict } from "@regent/engine/health/verdict.ts";
import { assessCasting } from "@regent/engine/health/view.ts";
import type { Ids } from "../../ports/clock.ts";
import type { ServiceRecord } from "../../ports/decision-store.ts";
import type { EvidenceCache } from "../evidence/evidence-cache.ts";
import type { LookAtMaintenance } from "../maintenance/maintenance-book.ts";
import { AUTOMATION } from "../memory/actors.ts";
import type { Ledger } from "../memory/ledger.ts";
import { createSlices } from "../memory/slices.ts";
import { createSuspectBook, type SuspectLook } from "./suspect-book.ts";

export interface JudgedService {
  readonly verdicts: readonly RegionVerdict[];
  /** When a verdict could change by time alone. */
  readonly nextLookAt: Instant | null;
}

export interface JudgeDeps {
  readonly ledger: Ledger;
  readonly cache: EvidenceCache;
  readonly ids: Ids;
  readonly specs: () => ReadonlyMap<string, ServiceSpec>;
  readonly maintenance: LookAtMaintenance;
  /** Who has no vote at this look, `region/network`. */
  readonly onSuspects?: (suspects: ReadonlySet<string>) => void;
  /** When this process began to lead: agents get one freshness window to be heard before their silence means anything. */
  readonly leadingSince: () => Instant;
}

/**
 * `believe` is given what is believed of each service now, in the moment in which it is committed: whoever decides next finds verdicts and
 * memory of the same look. Nothing is believed that couldn't be committed.
 */
export const createJudgeServices = ({ ledger, cache, ids, specs, maintenance, leadingSince, onSuspects }: JudgeDeps) => {
  const lookForSuspects = createSuspectBook({ cache, specs });
  return async (
    services: Iterable<string>,
    now: Instant,
    believe: (judged: ReadonlyMap<string, JudgedService>) => void,
  ): Promise<ReadonlyMap<string, JudgedService>> => {
    const seen = lookForSuspects(now);
    onSuspects?.(seen.suspects);
    const look = (spec: ServiceSpec, before: ServiceRecord["health"]): Looked =>
      lookAt({ spec, before, cache, seen, maintenance, graceEndsAt: leadingSince() + spec.settings.freshnessMs, now });
    const looks = await lookInSlices(services, specs(), (spec) => {
      const { health: before } = ledger.record(spec.id);
      return { before, looked: look(spec, before) };
    });
    const judged = new Map<string, JudgedService>();
    await ledger.commit(
      (draft) => {
        for (const [id, { spec, before: seen, looked: lookedBefore }] of looks) {
          const before = draft.record(id).health;
          // Read again in between (a conflict, another leader's writes): what was looked at is no longer what is remembered.
          const looked = before === seen ? lookedBefore : look(spec, before);
          judged.set(id, { verdicts: looked.verdicts, nextLookAt: looked.nextLookAt });
          const changed = looked.memories.filter((memory) => !isSameMemory(before[memory.region], memory));
          if (changed.length === 0) continue;
          draft.update(id, (record) => ({
            ...record,
            health: { ...record.health, ...Object.fromEntries(changed.map((m) => [m.region, m])) },
          }));
          for (const memory of changed) {
            const previous = before[memory.region];
            if (previous?.verdict === memory.verdict) continue;
            const verdict = looked.verdicts.find(({ region }) => region === memory.region);
            draft.tell({
              id: ids.ulid(),
              at: now,
              service: id,
              kind: "verdict",
              actor: AUTOMATION,
              why: `${memory.region} is ${memory.verdict}${previous ? ` (was ${previous.verdict})` : ""}: ${memory.why}`,
              page: memory.verdict === "unhealthy",
              detail: {
                region: memory.region,
                from: previous?.verdict ?? null,
                to: memory.verdict,
                detectedAt: memory.detectedAt,
                evidence: verdict,
              },
            });
          }
        }
      },
      () => believe(judged),
    );
    return judged;
  };
};

interface Looked {
  readonly memories: readonly HealthMemory[];
  readonly verdicts: readonly RegionVerdict[];
  readonly nextLookAt: Instant | null;
}

interface Look {
  readonly before: ServiceRecord["health"];
  readonly looked: Looked;
}

const lookInSlices = async (
  services: Iterable<string>,
  specs: ReadonlyMap<string, ServiceSpec>,
  look: (spec: ServiceSpec) => Look,
): Promise<ReadonlyMap<string, Look & { readonly spec: ServiceSpec }>> => {
  const looks = new Map<string, Look & { readonly spec: ServiceSpec }>();
  const rest = createSlices();
  for (const id of services) {
    const spec = specs.get(id);
    if (spec) looks.set(id, { spec, ...look(spec) });
    await rest();
  }
  return looks;
};

interface LookInput {
  readonly spec: ServiceSpec;
  readonly before: Readonly<Record<string, HealthMemory>>;
  readonly cache: EvidenceCache;
  readonly seen: SuspectLook;
  readonly maintenance: LookAtMaintenance;
  readonly graceEndsAt: Instant;
  readonly now: Instant;
}

const lookAt = ({ spec, before, cache, seen, maintenance, graceEndsAt, now }: LookInput): Looked => {
  const { suspects, castings } = seen;
  const seating = cache.seating();
  const memories: HealthMemory[] = [];
  const verdicts: RegionVerdict[] = [];
  const looks: Instant[] = [];
  for (const { region } of spec.endpoints) {
    const previous = before[region] ?? null;
    const target = cache.targetOf(spec.id, region);
    const casting = castings.get(target) ?? castTarget({ spec, region, seating, rows: cache.rowsOf(target), now });
    const assessment: Assessment = assessCasting({ casting, suspects, previous });
    const window = maintenance(spec.id, region, now);
    const judged = judge({ assessment, memory: previous, settings: spec.settings, maintenance: window.why, now });
    // We were away, not they: keep the verdict until they had the time to be heard. Its evidence is unknown meanwhile, so nothing lands there.
    const isKept = now < graceEndsAt && previous !== null && judged.verdict === "unknown" && previous.verdict !== "unknown";
    const memory = isKept ? previous : judged;
    memories.push(memory);
    const verdict = toRegionVerdict(memory, assessment);
    verdicts.push(isKept ? { ...verdict, evidence: "unknown" } : verdict);
    if (isKept) looks.push(graceEndsAt);
    // A window begins and ends without a report.
    if (window.nextEdgeAt !== null) looks.push(window.nextEdgeAt);
    for (const at of [assessment.nextLookAt, nextVerdictLookAt({ assessment, memory, settings: spec.settings, now })])
      if (at !== null) looks.push(at);
  }
  return { memories, verdicts, nextLookAt: looks.length > 0 ? Math.min(...looks) : null };
};

/** `why` counts seconds and vantages; it is told when something else changes, not written at every look. */
const isSameMemory = (a: HealthMemory | undefined, b: HealthMemory): boolean =>
  a !== undefined &&
  a.verdict === b.verdict &&
  a.since === b.since &&
  a.evidence === b.evidence &&
  a.evidenceSince === b.evidenceSince &&
  a.detectedAt === b.detectedAt &&
  a.before === b.before &&
  a.penalty === b.penalty &&
  a.penaltyAt === b.penaltyAt &&
  a.isSuppressed === b.isSuppressed &&
  a.factor === b.factor;
