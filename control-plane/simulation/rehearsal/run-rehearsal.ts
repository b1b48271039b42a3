/** Runs a rehearsal: the virtual world with what its lines say is seen, asked for and broken, and its story in times of the timeline. */
import type { Change } from "@regent/contract";
import type { RefuseResult } from "@regent/server/operations/approval/refuse-approval.ts";
import type { ApproveResult } from "@regent/server/operations/zone/approve-move.ts";
import type { StoredWindow } from "@regent/server/ports/maintenance-store.ts";
import { WARM_UP_MS } from "../limits.ts";
import type { Held, Standing, Standstill, Story, Turn } from "../world/story.ts";
import { createVirtualWorld, type VirtualWorld } from "../world/virtual-world.ts";
import { createDatabases } from "./databases.ts";
import { createOutcomes, createSilence, idOf } from "./outcomes.ts";
import type { MaintenanceLine, OperatorLine, Rehearsal } from "./rehearsal.ts";

/** What became of something that an operator asked for. */
export interface Answer {
  readonly at: number;
  readonly by: string;
  readonly do: string;
  readonly service: string | null;
  readonly is: "made" | "unchanged" | "refused" | "away";
  /** Rules that refused it. */
  readonly rules: readonly string[];
  readonly why: string;
}

export interface Page {
  readonly at: number;
  readonly service: string | null;
  readonly kind: string;
  readonly why: string;
}

/** Times are ms of the timeline; what was before it has time 0. */
export interface Told {
  readonly turns: readonly Turn[];
  readonly standings: readonly Standing[];
  readonly changes: readonly (Change & { readonly at: number })[];
  readonly held: readonly Held[];
  readonly standstills: readonly Standstill[];
  readonly pages: readonly Page[];
  readonly answers: readonly Answer[];
}

export interface RehearsalRun {
  readonly told: Told;
  readonly probes: number;
  readonly failures: number;
  readonly reports: number;
  readonly looks: number;
  /** Of one processor. */
  readonly tookMs: number;
  /** Virtual time per processor time, the warm-up counted. */
  readonly pace: number;
}

/** A midnight: the engine's times of day then read as times of the timeline. */
export const MIDNIGHT = 1_795_046_400_000;
const STARTS_AT = MIDNIGHT - WARM_UP_MS;

/** `onEnd` sees the world as it is when the timeline is over. */
export const runRehearsal = async (
  rehearsal: Rehearsal,
  onEnd: (world: VirtualWorld) => void | Promise<void> = () => undefined,
): Promise<RehearsalRun> => {
  const began = process.cpuUsage();
  const { installation, outcomes: lines, seed, stepMs, forMs, dns } = rehearsal;
  const kinds = new Map(
    installation.applied.declaration.services.flatMap(({ id, checks }) =>
      checks.map((check) => [`${id}/${check.id}`, check.kind]),
    ),
  );
  const isHttp = (service: string, check: string): boolean => kinds.get(`${service}/${check}`) === "http";
  const see = createOutcomes({ lines, seed, stepMs, isHttp });
  const databases = createDatabases(installation.applied.declaration, rehearsal.facts, rehearsal.hook);
  const silent = createSilence(lines);
  const vantageOf = new Map(installation.agents.map(({ declared }) => [declared.id, idOf(declared)]));
  let probes = 0;
  let failures = 0;
  const world = await createVirtualWorld({
    installation,
    seed,
    startsAt: STARTS_AT,
    probe: (start) => {
      const seen = see(start, start.at - WARM_UP_MS);
      probes += 1;
      if (seen.outcome === "fail") failures += 1;
      // Who gets no answer is told nothing.
      const facts = seen.outcome === "ok" ? databases.factsFor(start, start.at - WARM_UP_MS) : undefined;
      return facts === undefined ? seen : { ...seen, facts };
    },
    hooks: databases.hooks,
    isSilent: (agent, at) => silent(vantageOf.get(agent) ?? "", at - WARM_UP_MS),
    maintenance: rehearsal.maintenance.map(toStored),
    dnsFaultAt: (at) => dns.find(({ fromMs, toMs }) => at - WARM_UP_MS >= fromMs && at - WARM_UP_MS < toMs)?.fault ?? null,
  });
  const answers: Answer[] = [];
  for (const line of rehearsal.operators)
    world.later(WARM_UP_MS + line.atMs, async () => void answers.push(await ask(world, line)));
  for (const { atMs, edit } of rehearsal.edits) world.later(WARM_UP_MS + atMs, () => world.server.edit(edit, MIDNIGHT + atMs));
  for (const { atMs, installation: next } of rehearsal.configuration)
    world.later(WARM_UP_MS + atMs, () => world.server.apply(next.applied, MIDNIGHT + atMs));
  await world.runUntil(WARM_UP_MS);
  const whyThen = beliefsOf(world, installation.applied.specs.keys());
  await world.runUntil(WARM_UP_MS + forMs);
  await onEnd(world);
  const { user, system } = process.cpuUsage(began);
  const tookMs = (user + system) / 1_000;
  const { story } = world.server;
  return {
    told: toTold(story, answers, whyThen),
    probes,
    failures,
    reports: story.reports,
    looks: story.looks,
    tookMs,
    pace: (WARM_UP_MS + forMs) / Math.max(1, tookMs),
  };
};

const toStored = ({ fromMs, toMs, by, reason, regions, services }: MaintenanceLine, index: number): StoredWindow => ({
  id: `window-${index + 1}`,
  from: MIDNIGHT + fromMs,
  to: MIDNIGHT + toMs,
  regions,
  services,
  by,
  reason,
  plannedAt: STARTS_AT,
});

// ------------------------------------------------------------------------------------------------ operators

const ask = async ({ server }: VirtualWorld, { atMs, by, reason, act }: OperatorLine): Promise<Answer> => {
  const now = MIDNIGHT + atMs;
  switch (act.kind) {
    case "move": {
      const { service, move, breakGlass } = act;
      const request = { move, by, reason, breakGlass };
      const result = await server.move({ service, request, dryRun: false, expectedRevision: null }, now);
      return { at: atMs, by, do: move.kind, service, ...toAnswer(result) };
    }
    case "freeze": {
      const { scope, isFrozen } = act;
      const why = await server.freeze({ scope, isFrozen, by, reason }, now);
      const service = scope.kind === "global" ? null : scope.service;
      return { at: atMs, by, do: isFrozen ? "freeze" : "unfreeze", service, is: "made", rules: [], why };
    }
    case "override": {
      const { service, what, forMs, breakGlass } = act;
      const base = { at: atMs, by, do: "override", service };
      const asked = { service, what, forMs, until: null, by, reason, breakGlass, dryRun: false, expectedRevision: null };
      const result = await server.override(asked, now);
      if (result.kind === "set") return { ...base, is: "made", rules: [], why: result.answer.why };
      if (result.kind === "invalid-override")
        return { ...base, is: "refused", rules: [], why: result.problems.map(({ message }) => message).join("; ") };
      return { ...base, ...toAnswer(result) };
    }
    case "answer": {
      const { service, isApproved } = act;
      const base = { at: atMs, by, do: isApproved ? "approve" : "refuse", service };
      const approval = server.ledger.record(service).approval;
      // Nothing was ever asked: that is an answer too.
      if (approval === null) return { ...base, is: "refused", rules: [], why: "nothing waits for approval" };
      const order = { id: approval.id, by, reason, scope: null };
      if (isApproved) return { ...base, ...toAnswer(await server.approve(service, order, now)) };
      const refused = await server.refuse(order, now);
      return refused.kind === "refused"
        ? { ...base, is: "made", rules: [], why: `refused: ${refused.approval.why}` }
        : { ...base, ...toAnswer(refused) };
    }
  }
};

const toAnswer = (
  result: ApproveResult | Exclude<RefuseResult, { readonly kind: "refused" }>,
): Pick<Answer, "is" | "rules" | "why"> => {
  switch (result.kind) {
    case "answered":
      return { is: result.answer.changeId === null ? "unchanged" : "made", rules: [], why: result.answer.why };
    case "refused-by-rule": {
      const { rules, why } = result.answer;
      const against = rules.filter(({ answer, skipped }) => answer !== "allow" && !skipped);
      return { is: "refused", rules: against.map(({ rule }) => rule), why };
    }
    case "dns-away":
      return { is: "away", rules: [], why: result.why };
    case "name-taken":
    case "override-stands":
    case "approval-closed":
    case "stale-approval":
    case "not-ready":
      return { is: "refused", rules: [], why: result.why };
    default:
      return { is: "refused", rules: [], why: result.kind };
  }
};

// ------------------------------------------------------------------------------------------------ times of the timeline

/** By `service/region`: what a verdict rests on when the timeline begins, which may be more than when it was first given. */
const beliefsOf = ({ server }: VirtualWorld, services: Iterable<string>): ReadonlyMap<string, string> =>
  new Map(
    [...services].flatMap((service) =>
      server.verdictsOf(service).map(({ region, why }) => [`${service}/${region}`, why] as const),
    ),
  );

const toTold = (story: Story, answers: readonly Answer[], whyThen: ReadonlyMap<string, string>): Told => {
  const inTime = <T extends { readonly at: number }>(one: T): T => ({ ...one, at: one.at - MIDNIGHT });
  const since = <T extends { readonly at: number }>(all: readonly T[]): T[] => all.map(inTime).filter(({ at }) => at >= 0);
  const spans = <T extends { readonly at: number; readonly until: number }>(all: readonly T[]): T[] =>
    all.map((one) => ({ ...inTime(one), until: one.until - MIDNIGHT })).filter(({ until }) => until > 0);
  return {
    turns: startingAt0(story.turns.map(inTime), ({ service, region }) => `${service}/${region}`).map((turn) =>
      turn.at === 0 ? { ...turn, why: whyThen.get(`${turn.service}/${turn.region}`) ?? turn.why } : turn,
    ),
    standings: startingAt0(story.standings.map(inTime), ({ service }) => service),
    changes: since(story.changes.map((change) => ({ ...change, at: change.times.decided }))),
    held: spans(story.held),
    standstills: spans(story.standstills),
    pages: since(story.history.filter(({ page }) => page)).map(({ at, service, kind, why }) => ({ at, service, kind, why })),
    answers,
  };
};

/** Of each subject what stood when the timeline began, told at 0, and all that came later. */
const startingAt0 = <T extends { readonly at: number }>(all: readonly T[], keyOf: (one: T) => string): readonly T[] => {
  const before = new Map(all.filter(({ at }) => at <= 0).map((one) => [keyOf(one), { ...one, at: 0 }]));
  return [...before.values(), ...all.filter(({ at }) => at > 0)];
};
