/**
 * What a region's own agents say of its database, put together. Outside agents don't count: a database is private, and its role is a matter of its own
 * region. Lag is what was last told while replication was connected: a standby whose link is cut has replayed all it received, and that says nothing.
 * Pure.
 */
import type { Facts, Instant, Outcome, Reason, RegionId } from "@regent/contract";
import type { AgentEvidence, DatabaseView, ServiceSpec, Vantage } from "../model.ts";
import { clockText, durationText } from "../text.ts";

/** A row of the check that `spec.stateful` names, of any region and agent. */
export interface DatabaseEvidence {
  readonly agent: string;
  readonly vantage: Vantage;
  readonly region: RegionId;
  /** Evidence time of the newest observation, and of its facts. */
  readonly at: Instant;
  readonly facts: Facts | null;
  readonly outcome: Outcome;
  readonly reason: Reason | null;
}

export interface DatabaseSights {
  readonly spec: Pick<ServiceSpec, "endpoints" | "settings">;
  readonly agents: readonly AgentEvidence[];
  readonly rows: readonly DatabaseEvidence[];
  readonly now: Instant;
  readonly previous: readonly DatabaseView[];
}

export const seeDatabases = ({ spec, agents, rows, now, previous }: DatabaseSights): readonly DatabaseView[] => {
  const isFresh = (at: Instant): boolean => now - at <= spec.settings.freshnessMs;
  const speaking = new Set(
    agents.filter(({ heardAt, selfHealthy }) => selfHealthy && heardAt !== null && isFresh(heardAt)).map(({ agent }) => agent),
  );
  return spec.endpoints.map(({ region }) => {
    const fresh = rows.filter(
      (row) => row.region === region && row.vantage.region === region && speaking.has(row.agent) && isFresh(row.at),
    );
    const before = previous.find((one) => one.region === region) ?? null;
    return viewOf({ region, sights: newestByVantage(fresh), before, failing: newest(fresh) });
  });
};

// ------------------------------------------------------------------------------------------------ one sight

type Role = Exclude<DatabaseView["role"], "split" | "unseen">;

interface Sight {
  readonly network: string;
  readonly at: Instant;
  readonly role: Role;
  /** Of a standby. */
  readonly isConnected: boolean;
  /** Of a connected one, when it says so. */
  readonly lagMs: number | null;
}

const toSight = ({ vantage, at, facts }: DatabaseEvidence): Sight | null => {
  const role = roleOf(facts);
  if (role === null) return null;
  const receivers = facts?.walReceivers;
  const isConnected = role === "standby" && typeof receivers === "number" && receivers > 0;
  const lag = facts?.lagSeconds;
  const lagMs = isConnected && typeof lag === "number" && lag >= 0 ? Math.round(lag * 1_000) : null;
  return { network: vantage.network, at, role, isConnected, lagMs };
};

/** A primary that doesn't say whether it may be written to is no sight of one. */
const roleOf = (facts: Facts | null): Role | null => {
  if (facts?.role === "standby") return "standby";
  if (facts?.role !== "primary" || typeof facts.readOnly !== "boolean") return null;
  return facts.readOnly ? "read-only" : "writable";
};

/** A vantage's agents share their network: the newest that tells a role speaks for it. */
const newestByVantage = (rows: readonly DatabaseEvidence[]): readonly Sight[] => {
  const byNetwork = new Map<string, Sight>();
  for (const row of [...rows].sort(byAge)) {
    const sight = toSight(row);
    if (sight) byNetwork.set(sight.network, sight);
  }
  return [...byNetwork.values()].sort((a, b) => a.at - b.at || (a.network < b.network ? -1 : 1));
};

/** Older first; the same answer whatever the order of rows. */
const byAge = (a: DatabaseEvidence, b: DatabaseEvidence): number => a.at - b.at || (a.agent < b.agent ? -1 : 1);

const newest = (rows: readonly DatabaseEvidence[]): DatabaseEvidence | null => [...rows].sort(byAge).at(-1) ?? null;

// ------------------------------------------------------------------------------------------------ one region

interface RegionSights {
  readonly region: RegionId;
  /** Oldest first. */
  readonly sights: readonly Sight[];
  readonly before: DatabaseView | null;
  /** The newest row of all, which may tell no role. */
  readonly failing: DatabaseEvidence | null;
}

const viewOf = (seen: RegionSights): DatabaseView => {
  const { region, sights, before } = seen;
  const kept = { lagMs: before?.lagMs ?? null, lagAt: before?.lagAt ?? null, linkLostAt: before?.linkLostAt ?? null };
  const last = sights.at(-1);
  if (last === undefined) return { region, role: "unseen", ...kept, seenAt: null, why: unseenText(seen) };
  const roles = new Set(sights.map(({ role }) => role));
  const seenAt = last.at;
  if (roles.size > 1) return { region, role: "split", ...kept, seenAt, why: splitText(region, sights) };
  if (last.role === "standby") return standbyView(seen, last, kept);
  const what = last.role === "writable" ? "writes" : "is a primary that refuses writes";
  // What it lagged as a standby is over with that.
  return {
    region,
    role: last.role,
    lagMs: null,
    lagAt: null,
    linkLostAt: null,
    seenAt,
    why: `${region} ${what}, ${fromText(sights)}`,
  };
};

type Replication = Pick<DatabaseView, "lagMs" | "lagAt" | "linkLostAt">;

const standbyView = ({ region, sights }: RegionSights, last: Sight, kept: Replication): DatabaseView => {
  const told = sights.findLast(({ lagMs }) => lagMs !== null);
  const isNewer = told !== undefined && (kept.lagAt === null || told.at >= kept.lagAt);
  const lag = isNewer ? { lagMs: told.lagMs, lagAt: told.at } : { lagMs: kept.lagMs, lagAt: kept.lagAt };
  const lostSince = last.isConnected ? null : firstLost(sights, kept.linkLostAt);
  const view = { region, role: "standby", ...lag, linkLostAt: lostSince, seenAt: last.at } as const;
  return { ...view, why: `${region} is a standby, ${replicationText(view)}, ${fromText(sights)}` };
};

/** Of the sights since it was last seen connected the first; one that is known already stays. */
const firstLost = (sights: readonly Sight[], known: Instant | null): Instant => {
  if (known !== null) return known;
  const connected = sights.findLast(({ isConnected }) => isConnected)?.at ?? Number.NEGATIVE_INFINITY;
  return Math.min(...sights.filter(({ isConnected, at }) => !isConnected && at >= connected).map(({ at }) => at));
};

/** `replication connected, 0 ms behind at 03:12:00Z`. */
export const replicationText = ({ lagMs, lagAt, linkLostAt }: Replication): string => {
  const lag =
    lagMs === null || lagAt === null ? "how far behind was never told" : `${durationText(lagMs)} behind at ${clockText(lagAt)}`;
  return linkLostAt === null ? `replication connected, ${lag}` : `replication cut since ${clockText(linkLostAt)}, ${lag}`;
};

const fromText = (sights: readonly Sight[]): string =>
  `seen from ${sights.length} ${sights.length === 1 ? "vantage" : "vantages"}`;

const splitText = (region: RegionId, sights: readonly Sight[]): string =>
  `${region} is seen in two ways: ${sights
    .map(({ network, role }) => `${role} from ${network}`)
    .sort()
    .join(", ")}`;

const unseenText = ({ region, failing }: RegionSights): string =>
  failing === null
    ? `no agent inside ${region} saw its database lately`
    : `no agent inside ${region} sees a role: ${failing.outcome}${failing.reason === null ? "" : ` (${failing.reason})`}`;
