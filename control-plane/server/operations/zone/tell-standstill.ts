/** What stands in the way of a move is told in history once, not at every look. */
import type { Instant } from "@regent/contract";
import type { Decision, ServiceSpec } from "@regent/engine";
import { movesTraffic } from "@regent/engine/safety/rule.ts";
import { findPin, inForce, layOverrides } from "@regent/engine/strategy/overrides.ts";
import type { Logger } from "pino";
import type { Clock, Ids } from "../../ports/clock.ts";
import { AUTOMATION } from "../memory/actors.ts";
import type { Draft } from "../memory/ledger.ts";
import type { DraftedChange } from "./draft-change.ts";

export interface TellDeps {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Logger;
}

/** Nothing is written to DNS: keep the memory that time alone changed, and tell a refusal or a standstill once. */
export const tellStandstill = (deps: TellDeps, draft: Draft, spec: ServiceSpec, decision: Decision): void => {
  const record = draft.record(spec.id);
  const key = standstillKey(decision);
  const traffic = decision.trafficNow;
  const { frozenGlobally: _global, ...controls } = decision.controlsAfter;
  const isPlacementOver = !decision.proposal && record.controls.placement !== null && controls.placement === null;
  const isTrafficSame = JSON.stringify(traffic) === JSON.stringify(record.traffic);
  if (key === record.lastRefusal && isTrafficSame && !isPlacementOver) return;
  draft.update(spec.id, (r) => ({
    ...r,
    traffic,
    lastRefusal: key,
    ...(isPlacementOver ? { controls: { ...r.controls, placement: null } } : {}),
  }));
  if (key === null && wasTold(record.lastRefusal)) tellEnd(deps, draft, spec.id, decision.sentence);
  // Whoever is asked is told by that.
  if (key === null || key === record.lastRefusal || decision.asks.length > 0) return;
  draft.tell({
    id: deps.ids.ulid(),
    at: deps.clock.now(),
    service: spec.id,
    kind: decision.failStatic !== null && !decision.proposal ? "fail-static" : "refused",
    actor: AUTOMATION,
    why: decision.sentence,
    page: true,
    detail: {
      rules: decision.rules,
      proposal: decision.proposal,
      ...(isByOverride(decision, deps.clock.now(), spec) ? { overridden: true } : {}),
    },
  });
};

/** A person's word keeps an unhealthy region in the answers: not that nobody is fit. */
const isByOverride = ({ controlsAfter, failStatic }: Decision, now: Instant, spec: ServiceSpec): boolean =>
  failStatic !== null &&
  (findPin({ controls: layOverrides({ controls: controlsAfter, now }).controls, spec }) !== null ||
    inForce(controlsAfter.overrides, now).some(({ what }) => what.kind === "on"));

/** Whoever waits for an approval was told by that, and is told of its end by that too. */
const wasTold = (key: string | null): boolean => key !== null && !key.endsWith(ASKS);
const ASKS = " asks";

/** Whom a standstill called is told that it is over. */
const tellEnd = (deps: TellDeps, draft: Draft, service: string, sentence: string): void =>
  draft.tell({
    id: deps.ids.ulid(),
    at: deps.clock.now(),
    service,
    kind: "control",
    actor: AUTOMATION,
    why: `nothing is held back any more: ${sentence}`,
    page: false,
    detail: { standstill: "over" },
  });

const UNDECIDED = "undecided";

/** A bug of ours stops this service alone; somebody must know, once. The next decision that can be made ends it. */
export const tellUndecided = (deps: Pick<TellDeps, "clock" | "ids">, draft: Draft, service: string): void => {
  if (isToldUndecided(draft.record(service))) return;
  draft.update(service, (record) => ({ ...record, lastRefusal: UNDECIDED }));
  draft.tell({
    id: deps.ids.ulid(),
    at: deps.clock.now(),
    service,
    kind: "refused",
    actor: AUTOMATION,
    why: "this service could not be decided: Regent failed on it, and its traffic stays as it is; the server's log says more",
    page: true,
    detail: { undecided: true },
  });
};

export const isToldUndecided = ({ lastRefusal }: { readonly lastRefusal: string | null }): boolean => lastRefusal === UNDECIDED;

/** A deferral of seconds is no news; a denial, a need for approval or a standstill is, until it changes. */
export const standstillKey = ({ proposal, rules, failStatic, asks }: Decision): string | null => {
  if (!proposal) return failStatic === null ? null : "fail-static";
  const standing = rules.filter((rule) => rule.answer !== "allow" && !rule.skipped && !isQuiet(rule, proposal.computedAt));
  if (standing.length === 0) return null;
  // Why nobody may write was told when it was found; that a mark or a record waits for it harms no traffic.
  if (!movesTraffic(proposal) && standing.every(({ rule }) => rule === "A13" || rule === "A14")) return null;
  const answers = standing.map(({ rule, answer }) => `${rule}:${answer}`).join(",");
  return `${proposal.kind} ${proposal.leaves.join(",")} ${answers}${asks.length > 0 ? ASKS : ""}`;
};

/** Waiting for so long asks nobody to get up. */
const DEFERRAL_QUIET_MS = 10_000;

/** A new configuration that is shown first, and the pace of a voluntary move: they wait as they are meant to, however long. */
const isPace = (rule: string): boolean => rule === "A15" || rule === "A16";

const isQuiet = ({ rule, answer, until }: Decision["rules"][number], now: number): boolean =>
  answer === "defer" && (isPace(rule) || (until !== undefined && until - now <= DEFERRAL_QUIET_MS));

export const tellViolations = (deps: TellDeps, draft: Draft, { spec, violations, proposal }: DraftedChange): void => {
  deps.log.error({ service: spec.id, violations }, "a batch breaks an invariant and is not sent");
  const key = `invariant ${violations.join(" ")}`;
  if (draft.record(spec.id).lastRefusal === key) return;
  draft.update(spec.id, (record) => ({ ...record, lastRefusal: key }));
  const why = `would move: ${proposal.why}; held back because the batch breaks an invariant: ${violations.join(" ")}`;
  draft.tell({
    id: deps.ids.ulid(),
    at: deps.clock.now(),
    service: spec.id,
    kind: "refused",
    actor: AUTOMATION,
    why,
    page: true,
    detail: { violations },
  });
};
