/**
 * May traffic of a service go where a proposal takes it, as far as its data is concerned. Pure; rule A7 words it, decide reads from it what must be led
 * where first.
 *
 * All families are one question: the data has one writable place for all of them, so a family can't follow it while another stays.
 */
import type { Instant, RegionId } from "@regent/contract";
import type { DatabaseView, Proposal, ServiceSpec, Situation, StatefulSpec } from "../model.ts";
import { replicationText } from "../stateful/see-databases.ts";
import { isHookCalled, isLeading } from "../stateful/transfer.ts";
import { regionsWhere } from "../strategy/parts.ts";
import { clockText, durationText } from "../text.ts";
import { isApproved } from "./approved.ts";
import { faultsLeft } from "./departures.ts";
import { movesTraffic, type RuleInput } from "./rule.ts";

export type RoleRuling =
  | { readonly kind: "fine" | "never"; readonly why: string }
  /** Another transfer must end first. */
  | { readonly kind: "wait"; readonly why: string }
  /** The writable role must be led there first; it may be on its way. */
  | { readonly kind: "lead"; readonly from: RegionId; readonly to: RegionId; readonly why: string }
  /** Writes may be lost, or a transfer was tried already: a person's word, and then the same. */
  | { readonly kind: "ask"; readonly why: string };

export const judgeRole = (input: RuleInput): RoleRuling => {
  const { proposal, situation } = input;
  const { stateful } = situation.spec;
  if (stateful === null) return fine("its data has no single writable place");
  if (!movesTraffic(proposal)) return fine("moves no traffic");
  const [to, ...more] = proposal.gains;
  if (to === undefined) return fine("no region gains traffic");
  // The hook works on it: what is seen of the databases changes by the moment, and the transfer says how it goes on.
  const led = more.length === 0 ? isLookedAt(situation, to) : null;
  if (led !== null && situation.transfer !== null && isHookCalled(situation.transfer)) return led;
  const served = regionsWhere(proposal.weightsBefore, proposal.weightsAfter, ({ after }) => after > 0);
  const split = served.find((region) => roleOf(situation, region) === "split");
  if (split !== undefined) return never(whyOf(situation, split));
  const writing = served.filter((region) => roleOf(situation, region) === "writable");
  if (writing.length > 1)
    return never(`${writing.join(" and ")} would have traffic, and the databases of both can be written to`);
  const missing = proposal.gains.filter((region) => !writing.includes(region));
  if (missing.length === 0) return led ?? writesAlone(situation, to);
  const [keeps] = writing;
  if (keeps !== undefined)
    return never(`${missing.join(", ")} would get traffic while ${keeps} has some and its database is the writable one`);
  if (more.length > 0) return never(`${proposal.gains.join(" and ")} would get traffic, and only one database can be writable`);
  return judgeTarget(input, stateful, to);
};

/** Seen to write isn't yet seen to write alone: the transfer says when traffic may follow. */
const isLookedAt = ({ transfer }: Situation, to: RegionId): RoleRuling | null =>
  isLeading(transfer) && transfer.to === to && transfer.phase !== "switch"
    ? { kind: "lead", from: transfer.from, to, why: transfer.why }
    : null;

/**
 * A second one that writes makes it unknown where the data is: it may have come back with what was lost, and just as well be the one that everybody
 * wrote to until now. Where a transfer has seen the target alone the traffic follows, whoever came back since.
 */
const writesAlone = (situation: Situation, to: RegionId): RoleRuling => {
  const { transfer, databases } = situation;
  const writing = databases.filter(({ region, role }) => region === to || role === "writable").map(({ region }) => region);
  const isLed = isLeading(transfer) && transfer.to === to;
  return writing.length === 1 || isLed ? fine(whyOf(situation, to)) : bothWrite(writing);
};

const bothWrite = (writing: readonly RegionId[]): RoleRuling =>
  never(`the databases of ${[...writing].sort().join(" and ")} can both be written to`);

const fine = (why: string): RoleRuling => ({ kind: "fine", why });
const never = (why: string): RoleRuling => ({ kind: "never", why });

const viewOf = ({ databases }: Situation, region: RegionId): DatabaseView | undefined =>
  databases.find((one) => one.region === region);
const roleOf = (situation: Situation, region: RegionId): DatabaseView["role"] => viewOf(situation, region)?.role ?? "unseen";
const whyOf = (situation: Situation, region: RegionId): string =>
  viewOf(situation, region)?.why ?? `nothing is known of the database in ${region}`;

/** All of the traffic that moves goes to a region whose database can't be written to, and no other region with traffic has the role. */
const judgeTarget = (input: RuleInput, stateful: StatefulSpec, to: RegionId): RoleRuling => {
  const { proposal, situation } = input;
  const view = viewOf(situation, to);
  if (view?.role !== "standby") return never(whyOf(situation, to));
  const writing = situation.databases
    .filter(({ region, role }) => region !== to && role === "writable")
    .map(({ region }) => region);
  if (writing.length > 1) return bothWrite(writing);
  const { transfer } = situation;
  if (isLeading(transfer))
    return transfer.to === to
      ? { kind: "lead", from: transfer.from, to, why: transfer.why }
      : { kind: "wait", why: `the writable role is on its way from ${transfer.from} to ${transfer.to}: ${transfer.why}` };
  const lead: RoleRuling = {
    kind: "lead",
    ...{ from: writing[0] ?? leftBy(proposal, to), to },
    why: `${to} has a standby: the writable role must be led there first`,
  };
  if (isAgreed(input)) return lead;
  const fault = faultOf(input, lead.from);
  const tried = triedBefore(input, to, fault);
  if (tried !== null) return { kind: "ask", why: tried };
  const lacks = whatLacks(view, { spec: situation.spec, stateful, fault, now: situation.now });
  if (lacks === null) return lead;
  // In an emergency a person may prefer lost writes; who goes back, or moves for another reason, can wait until nothing is lost.
  return proposal.kind === "failover" ? { kind: "ask", why: lacks } : never(lacks);
};

/** A person agreed to what this would ask: the role is led there all the same, never skipped. What they agreed to and then stopped is asked anew. */
const isAgreed = ({ proposal, situation: { approved, transfer } }: RuleInput): boolean =>
  isApproved(proposal, approved) &&
  approved.asks.includes("A7") &&
  (transfer?.phase !== "stopped" || approved.at === undefined || approved.at > transfer.phaseAt);

/** Nobody is seen to write: it is taken from where the traffic was. */
const leftBy = ({ leaves, weightsBefore }: Proposal, to: RegionId): RegionId => {
  const held = new Map<RegionId, number>();
  for (const weights of Object.values(weightsBefore))
    for (const [region, weight] of Object.entries(weights))
      if (region !== to) held.set(region, (held.get(region) ?? 0) + weight + (leaves.includes(region) ? 1_000 : 0));
  const [most] = [...held].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1));
  return most?.[0] ?? to;
};

/** First sign of what is fled from; null when nothing is. */
const faultOf = ({ proposal, situation }: RuleInput, from: RegionId): Instant | null => {
  const left = faultsLeft(proposal, situation);
  const one = situation.health[left.includes(from) ? from : (left[0] ?? "")];
  return one === undefined ? null : (one.detectedAt ?? one.evidenceSince);
};

/** Automation doesn't try twice what failed, or what a person ended, for one and the same cause. */
const triedBefore = ({ proposal, situation: { transfer } }: RuleInput, to: RegionId, fault: Instant | null): string | null => {
  if (proposal.isAsked || transfer?.phase !== "stopped" || transfer.stoppedFor === "unwanted") return null;
  const isSameCause = fault === null ? transfer.to === to : fault <= transfer.phaseAt;
  return isSameCause ? `${transfer.why}; automation doesn't try again by itself` : null;
};

// ------------------------------------------------------------------------------------------------ replication

interface Limits {
  readonly spec: ServiceSpec;
  readonly stateful: StatefulSpec;
  readonly fault: Instant | null;
  readonly now: Instant;
}

/** Why writes may be lost; null when at most `lagMaxMs` of them are. */
const whatLacks = (view: DatabaseView, { spec, stateful, fault, now }: Limits): string | null => {
  const { region, lagMs, lagAt, linkLostAt } = view;
  const { intervalMs, timeoutMs, freshnessMs } = spec.settings;
  const { lagMaxMs } = stateful;
  // One fault ends a region and the replication from it; two probes may see that so far apart, in either order.
  const slackMs = fault === null ? 0 : intervalMs + timeoutMs;
  const at = fault ?? now;
  if (linkLostAt !== null && (fault === null || linkLostAt < at - slackMs)) {
    const before =
      fault === null
        ? `${durationText(at - linkLostAt)} ago`
        : `${durationText(at - linkLostAt)} before the fault at ${clockText(at)}`;
    return `${region} lacks what was written since its replication was cut at ${clockText(linkLostAt)}, ${before}; ${replicationText(view)}`;
  }
  if (lagMs === null || lagAt === null)
    return `how far ${region} is behind was never told, at most ${durationText(lagMaxMs)} is allowed`;
  if (lagMs > lagMaxMs)
    return `${region} was ${durationText(lagMs)} behind at ${clockText(lagAt)}, at most ${durationText(lagMaxMs)} is allowed`;
  const ageMaxMs = Math.max(lagMaxMs, fault === null ? freshnessMs : slackMs);
  if (lagAt >= at - ageMaxMs) return null;
  const before = fault === null ? "ago" : `before the fault at ${clockText(at)}`;
  return `${region} was last heard ${durationText(lagMs)} behind at ${clockText(lagAt)}, ${durationText(at - lagAt)} ${before}, at most ${durationText(ageMaxMs)} is allowed`;
};
