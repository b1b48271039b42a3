/**
 * What an entry of history means to people: how bad, of which cause, and which parts are unwell or well again by it. Pure. Every kind of
 * entry has its row in docs/PAGING.md, and a test compares the two.
 */
import type { Change, HistoryEvent, Severity } from "@regent/contract";
import * as z from "zod";
import { ofAlert } from "./classify-alert.ts";
import { ofEvacuation } from "./classify-evacuation.ts";
import { ofOverride } from "./classify-override.ts";
import { ofTransfer } from "./classify-transfer.ts";

export interface PageEffect {
  /** With the opening moment it names the incident. */
  readonly cause: string;
  /** `opens` or adds to it; `adds` to an open one only; `closes` parts, wherever they are; `tells` without asking anybody to do anything. */
  readonly step: "opens" | "adds" | "closes" | "tells";
  readonly severity: Severity;
  readonly title: string;
  /** Unwell from now on, or well again. */
  readonly parts: readonly string[];
  /** Of these the message is, for routes by service; empty for the control plane's own. */
  readonly services: readonly string[];
  /** Notifiers that this can't be told: it is they who took nothing. */
  readonly except?: readonly string[];
  /** Told to these whatever routes say, as long as one of them is declared. */
  readonly only?: readonly string[];
}

/** What a part is called: a region of a service, or one side of a service. */
export const regionPart = (service: string, region: string): string => `${service}/${region}`;
export type Side = "held back" | "approval" | "fail-static" | "frozen" | "drift" | "role";
export const sidePart = (service: string, side: Side): string => `${service} ${side}`;

const ofRegion = (region: string): string => `region:${region}`;
const ofService = (service: string): string => `service:${service}`;
const ofControlPlane = (what: string): string => `control-plane:${what}`;

export const classifyEntry = (event: HistoryEvent): readonly PageEffect[] => {
  switch (event.kind) {
    case "verdict":
      return ofVerdict(event);
    case "change":
      return ofChange(event);
    case "refused":
      return ofRefusal(event);
    case "approval":
      return ofApproval(event);
    case "fail-static":
      return ofFailStatic(event);
    case "freeze":
    case "unfreeze":
      return ofFreeze(event);
    case "drift":
      return ofDrift(event);
    case "dead-letter":
      return ofDeadLetter(event);
    case "vantage":
      return ofVantage(event);
    case "mode":
      return ofMode(event);
    case "fence-lost":
    case "configuration":
      return [];
    case "transfer":
      return ofTransfer(event);
    case "alert":
      return ofAlert(event);
    case "override":
      return ofOverride(event);
    case "maintenance":
      return ofMaintenance(event);
    case "evacuation":
      return ofEvacuation(event);
    case "control":
      return ofControl(event);
  }
};

const tells = (cause: string, severity: Severity, title: string, services: readonly string[] = []): PageEffect => ({
  cause,
  step: "tells",
  severity,
  title,
  parts: [],
  services,
});

/** Well again; which incident has them is known elsewhere. */
const closes = (parts: readonly string[], services: readonly string[]): PageEffect => ({
  cause: "",
  step: "closes",
  severity: "info",
  title: "",
  parts,
  services,
});

// ------------------------------------------------------------------------------------------------------------- verdicts

const VerdictDetail = z.object({ region: z.string(), from: z.string().nullable(), to: z.string() });

const ofVerdict = ({ service, detail }: HistoryEvent): readonly PageEffect[] => {
  const parsed = VerdictDetail.safeParse(detail);
  if (!parsed.success || service === null) return [];
  const { region, from, to } = parsed.data;
  const base = { cause: ofRegion(region), parts: [regionPart(service, region)], services: [service] };
  switch (to) {
    case "unhealthy":
      return [{ ...base, step: "opens", severity: "warning", title: `${region} is unhealthy` }];
    case "degraded":
      return [{ ...base, step: "opens", severity: "warning", title: `${region} is degraded` }];
    case "unknown":
      // Nothing was ever heard of it: that is a beginning and no blindness.
      return from === null ? [] : [{ ...base, step: "opens", severity: "warning", title: `${region} can't be seen` }];
    case "recovering":
      return [{ ...base, step: "adds", severity: "info", title: `${region} recovers`, parts: [] }];
    default:
      return [closes(base.parts, base.services)];
  }
};

// -------------------------------------------------------------------------------------------------------------- changes

const SIDES_OF_A_MOVE: readonly Side[] = ["held back", "approval", "fail-static", "role"];

const ofChange = ({ service, change, actor }: HistoryEvent): readonly PageEffect[] => {
  if (service === null || change === undefined) return [];
  const { left, gained } = movedRegions(change);
  const over = closes(
    SIDES_OF_A_MOVE.map((side) => sidePart(service, side)),
    [service],
  );
  const region = left[0] ?? gained[0] ?? "";
  if (change.kind === "create" || change.kind === "adopt") return [];
  // Weights that moved between regions that all keep some: nothing is held back any more, and that is all.
  if (left.length === 0 && gained.length === 0)
    return JSON.stringify(change.weightsBefore) === JSON.stringify(change.weightsAfter) ? [] : [over];
  if (actor.kind === "operator") return [over, tells(ofRegion(region), "info", `${actor.name} moved traffic by hand`, [service])];
  if (left.length === 0) return [over, tells(ofRegion(region), "info", `traffic returns to ${region}`, [service])];
  // Giving traffic back empties the place that had it meanwhile: nothing is wrong there.
  if (change.kind === "failback" || change.kind === "return")
    return [over, tells(ofRegion(gained[0] ?? region), "info", `traffic returns to ${gained[0] ?? "its region"}`, [service])];
  // Somebody works there and wanted it empty: nobody is called.
  const isMaintained = (each: string): boolean =>
    change.evidence.some((seen) => seen.region === each && seen.verdict === "maintenance");
  const [maintained, fled] = [left.filter(isMaintained), left.filter((each) => !isMaintained(each))];
  return [
    over,
    ...maintained.map((each) => tells(ofRegion(each), "info", `traffic left ${each} for maintenance`, [service])),
    ...fled.map(
      (each): PageEffect => ({
        cause: ofRegion(each),
        step: "opens",
        severity: "critical",
        title: `traffic left ${each}`,
        parts: [regionPart(service, each)],
        services: [service],
      }),
    ),
  ];
};

/** Regions whose weight became zero, or was zero, in a family. */
const movedRegions = ({ weightsBefore, weightsAfter }: Pick<Change, "weightsBefore" | "weightsAfter">) => {
  const left = new Set<string>();
  const gained = new Set<string>();
  for (const [family, after] of Object.entries(weightsAfter)) {
    const before = weightsBefore[family] ?? {};
    for (const region of new Set([...Object.keys(before), ...Object.keys(after)])) {
      const [was, is] = [before[region] ?? 0, after[region] ?? 0];
      if (was > 0 && is === 0) left.add(region);
      if (was === 0 && is > 0) gained.add(region);
    }
  }
  return { left: [...left], gained: [...gained] };
};

// ---------------------------------------------------------------------------------------------------- what was held back

const RefusedDetail = z.object({
  violations: z.array(z.unknown()).optional(),
  undecided: z.literal(true).optional(),
  proposal: z.object({ kind: z.string(), leaves: z.array(z.string()) }).nullish(),
});

const ofRefusal = ({ service, detail }: HistoryEvent): readonly PageEffect[] => {
  if (service === null) return [];
  const { violations, proposal, undecided } = RefusedDetail.safeParse(detail).data ?? {};
  if (violations !== undefined || undecided)
    return [
      {
        cause: ofService(service),
        step: "opens",
        severity: "critical",
        title: undecided ? `${service} can't be decided` : `an invariant of ${service} is broken`,
        parts: [sidePart(service, "held back")],
        services: [service],
      },
    ];
  if (proposal?.kind === "failover" && proposal.leaves.length > 0)
    return proposal.leaves.map((region) => ({
      cause: ofRegion(region),
      step: "opens",
      severity: "critical",
      title: `traffic can't leave ${region} by itself`,
      parts: [regionPart(service, region)],
      services: [service],
    }));
  return [
    {
      cause: ofService(service),
      step: "opens",
      severity: proposal?.kind === "failover" ? "critical" : "warning",
      title: `a change of ${service} is held back`,
      parts: [sidePart(service, "held back")],
      services: [service],
    },
  ];
};

const ControlDetail = z.object({ standstill: z.literal("over") });

/** An operator's word asks nobody; that nothing is held back any more ends what a standstill began. */
const ofControl = ({ service, detail }: HistoryEvent): readonly PageEffect[] =>
  service === null || !ControlDetail.safeParse(detail).success
    ? []
    : [closes([sidePart(service, "held back"), sidePart(service, "fail-static")], [service])];

const MaintenanceDetail = z.object({
  step: z.enum(["planned", "begins", "ends", "taken-back"]),
  window: z.object({ id: z.string(), services: z.array(z.string()).nullable() }),
});
const MAINTENANCE_STEPS = { planned: "is planned", begins: "begins", ends: "is over", "taken-back": "was taken back" } as const;

/** Planned work asks nobody to do anything. */
const ofMaintenance = ({ detail }: HistoryEvent): readonly PageEffect[] => {
  const parsed = MaintenanceDetail.safeParse(detail);
  if (!parsed.success) return [];
  const { step, window } = parsed.data;
  return [
    tells(`maintenance:${window.id}`, "info", `maintenance ${window.id} ${MAINTENANCE_STEPS[step]}`, window.services ?? []),
  ];
};

const ApprovalDetail = z.object({
  state: z.string(),
  kind: z.string(),
  weightsBefore: z.record(z.string(), z.record(z.string(), z.number())).default({}),
  weightsAfter: z.record(z.string(), z.record(z.string(), z.number())).default({}),
});
const AskedDetail = z.object({ approval: ApprovalDetail });

const ofApproval = (event: HistoryEvent): readonly PageEffect[] => {
  const { service } = event;
  if (service === null) return [];
  const approval = AskedDetail.safeParse(event.detail).data?.approval;
  const part = sidePart(service, "approval");
  if (approval && approval.state !== "waiting") return [closes([part], [service])];
  const left = approval ? movedRegions(approval).left : [];
  const isRescue = approval?.kind === "failover";
  return [
    {
      // 200 services that wait to leave one region ask one question.
      cause: isRescue && left[0] !== undefined ? ofRegion(left[0]) : ofService(service),
      step: "opens",
      severity: isRescue ? "critical" : "warning",
      title: isRescue ? `leaving ${left.join(", ")} waits for approval` : `a change of ${service} waits for approval`,
      parts: [part],
      services: [service],
    },
  ];
};

const KeptDetail = z.object({ overridden: z.literal(true) });

/** No region is fit for any of them: one cause, however many services it stops. */
const ofFailStatic = ({ service, detail }: HistoryEvent): readonly PageEffect[] =>
  service === null
    ? []
    : [
        {
          ...(KeptDetail.safeParse(detail).success
            ? { cause: ofService(service), title: `an override keeps traffic where ${service} is unhealthy or worked on` }
            : { cause: ofControlPlane("fail-static"), title: "weights are kept as they are, as no region is fit" }),
          step: "opens",
          severity: "critical",
          parts: [sidePart(service, "fail-static")],
          services: [service],
        },
      ];

// ------------------------------------------------------------------------------------------------------ freezes and drift

const FreezeDetail = z.object({
  scope: z.object({ kind: z.string(), region: z.string().optional(), isEverywhere: z.boolean().optional() }).optional(),
});

export const EVERYTHING = "everything";

const ofFreeze = ({ kind, service, actor, detail }: HistoryEvent): readonly PageEffect[] => {
  const { scope } = FreezeDetail.safeParse(detail).data ?? {};
  const what = service === null ? EVERYTHING : scope?.region === undefined ? service : `${service} in ${scope.region}`;
  const services = service === null ? [] : [service];
  const parts = [sidePart(what, "frozen")];
  if (kind === "unfreeze") return [closes(parts, services)];
  const isOwn = actor.kind === "automation";
  // 200 services of one region were frozen by one word.
  if (scope?.region !== undefined && scope.isEverywhere)
    return [
      {
        cause: ofRegion(scope.region),
        step: "opens",
        severity: "warning",
        title: `${actor.name} froze ${scope.region}`,
        parts,
        services,
      },
    ];
  return [
    {
      cause: service === null ? ofControlPlane("frozen") : ofService(service),
      step: "opens",
      severity: isOwn ? "critical" : "warning",
      title: isOwn ? `Regent froze ${what}` : `${actor.name} froze ${what}`,
      parts,
      services,
    },
  ];
};

/** An edit of a zone touches many names at once: all that differ are one incident. */
const ofDrift = ({ service, page }: HistoryEvent): readonly PageEffect[] => {
  if (service === null) return [];
  const parts = [sidePart(service, "drift")];
  if (!page) return [closes(parts, [service])];
  return [
    {
      cause: ofControlPlane("drift"),
      step: "opens",
      severity: "warning",
      title: "DNS is not as Regent wrote it",
      parts,
      services: [service],
    },
  ];
};

// ----------------------------------------------------------------------------------------------------------- dead letters

const DeadLetterDetail = z.object({ notifiers: z.array(z.string()) });
export const DEAD_LETTERS = ofControlPlane("dead-letters");

/** A page that a notifier refused is no reason to send it another page. */
const ofDeadLetter = ({ page, detail }: HistoryEvent): readonly PageEffect[] => {
  if (!page) return [];
  const except = DeadLetterDetail.safeParse(detail).data?.notifiers ?? [];
  return [{ ...tells(DEAD_LETTERS, "warning", "something could not be processed and was put aside"), except }];
};

// ---------------------------------------------------------------------------------------------------------------- vantages

const VantageDetail = z.object({ vantage: z.string(), isSuspect: z.boolean() });

const ofVantage = ({ detail }: HistoryEvent): readonly PageEffect[] => {
  const parsed = VantageDetail.safeParse(detail);
  if (!parsed.success) return [];
  const { vantage, isSuspect } = parsed.data;
  const parts = [`vantage ${vantage}`];
  if (!isSuspect) return [closes(parts, [])];
  return [
    {
      cause: ofControlPlane("vantages"),
      step: "opens",
      severity: "warning",
      title: `${vantage} can't be believed`,
      parts,
      services: [],
    },
  ];
};

// ------------------------------------------------------------------------------------------------------------------ modes

const ModeDetail = z.object({ mode: z.string() });

const ofMode = ({ page, detail }: HistoryEvent): readonly PageEffect[] => {
  const mode = ModeDetail.safeParse(detail).data?.mode;
  // A jump of the clock is told under this kind too, and has no mode.
  if (mode === undefined) return [];
  const parts = ["the control plane"];
  if (!page) return [closes(parts, [])];
  return [
    {
      cause: ofControlPlane("mode"),
      step: "opens",
      severity: "critical",
      title: `the control plane is ${mode}`,
      parts,
      services: [],
    },
  ];
};
