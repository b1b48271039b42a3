/**
 * Follows an accepted change until the world sees it, by three clocks: Route 53 says INSYNC, every authoritative server answers the new epoch
 * record, every configured resolver does. A clock that never strikes says so; it never turns a success into a failure.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { ChangeStage, ChangeTimes } from "@regent/contract";
import type { ServiceSpec } from "@regent/engine";
import { parseEpoch } from "@regent/engine/plan/epoch.ts";
import type { Logger } from "pino";
import {
  GET_CHANGE_EVERY_MS,
  GET_CHANGE_FIRST_MS,
  RESOLVER_TIMEOUT_MS,
  STRIKE_CONFLICTS_MAX,
  VERIFY_FIRST_MS,
  VERIFY_FOR_MS,
  VERIFY_MAX_MS,
} from "../../limits.ts";
import type { Clock } from "../../ports/clock.ts";
import { DatabaseAway } from "../../ports/database-away.ts";
import type { DnsProvider } from "../../ports/dns-provider.ts";
import type { Resolver } from "../../ports/resolver.ts";
import type { KeepDeadLetter } from "../memory/keep-dead-letter.ts";
import { LeadershipLost, type Ledger, LedgerConflict } from "../memory/ledger.ts";

export interface VerifyDeps {
  readonly clock: Clock;
  readonly provider: Pick<DnsProvider, "readChange">;
  readonly resolver: Resolver;
  readonly ledger: Ledger;
  readonly log: Logger;
  readonly specs: () => ReadonlyMap<string, ServiceSpec>;
  /** `ip:port` of the zone's authoritative servers. */
  readonly serversOf: (zoneId: string) => Promise<readonly string[]>;
  /** `ip:port` of resolvers that stand for the users'. */
  readonly resolvers: readonly string[];
  readonly onStranded: (service: string) => void;
  readonly keepDeadLetter: KeepDeadLetter;
}

export const createVerifyChange =
  (deps: VerifyDeps) =>
  async (changeId: string, signal: AbortSignal): Promise<void> => {
    const change = deps.ledger.change(changeId);
    const spec = change ? deps.specs().get(change.service) : undefined;
    if (!change || !spec) return;
    const servers = await deps.serversOf(spec.zoneId);
    const { revision, times } = change;
    const what = { changeId, spec, revision, isRelease: change.kind === "release" };
    await Promise.all([
      times.inSync === undefined ? followSync(deps, changeId, spec, signal) : null,
      times.visible === undefined ? followServers(deps, { ...what, servers, clock: "visible", stage: "visible" }, signal) : null,
      times.resolved === undefined && deps.resolvers.length > 0
        ? followServers(deps, { ...what, servers: deps.resolvers, clock: "resolved", stage: null }, signal)
        : null,
    ]);
  };

interface Strike {
  readonly changeId: string;
  readonly clock: keyof ChangeTimes;
  readonly stage: ChangeStage | null;
}

/**
 * What was seen is written down when the database is back; it was seen when it was seen. What the database refuses to write down is put aside:
 * the change itself stands, and only this clock of it waits for a person.
 */
const strike = async (deps: VerifyDeps, { changeId, clock, stage }: Strike, signal: AbortSignal): Promise<void> => {
  const at = deps.clock.now();
  let conflicts = 0;
  for (const until = deps.clock.monotonic() + VERIFY_FOR_MS; !signal.aborted; await pause(VERIFY_MAX_MS, signal))
    try {
      return await write(deps, { changeId, clock, stage }, at);
    } catch (error) {
      // Whoever leads now follows this change anew.
      if (error instanceof LeadershipLost) throw error;
      if (error instanceof LedgerConflict && conflicts++ < STRIKE_CONFLICTS_MAX) continue;
      if (!(error instanceof DatabaseAway))
        return deps.keepDeadLetter({ kind: "strike", subject: changeId, payload: { changeId, clock, stage, at } }, error);
      if (deps.clock.monotonic() > until) throw error;
    }
};

const write = (deps: VerifyDeps, { changeId, clock, stage }: Strike, at: number): Promise<void> =>
  deps.ledger.commit((draft) => {
    const known = deps.ledger.change(changeId);
    // A change that was lost stays lost: what servers show by now is its successor.
    if (known && known.stage !== "lost") draft.stage({ changeId, stage: stage ?? known.stage, at, clock });
  });

const followSync = async (deps: VerifyDeps, changeId: string, spec: ServiceSpec, signal: AbortSignal): Promise<void> => {
  const row = deps.ledger.outbox(spec.id).find((r) => r.changeId === changeId);
  if (!row?.changeInfoId) return;
  const until = deps.clock.monotonic() + VERIFY_FOR_MS;
  await pause(GET_CHANGE_FIRST_MS, signal);
  while (!signal.aborted && deps.clock.monotonic() < until) {
    const progress = await deps.provider.readChange(row.changeInfoId);
    if (progress.kind === "in-sync") return strike(deps, { changeId, clock: "inSync", stage: "in-sync" }, signal);
    if (progress.kind === "missing") {
      deps.log.warn({ changeId, service: spec.id }, "Route 53 no longer knows an accepted change: reading the zone again");
      return deps.onStranded(spec.id);
    }
    await pause(GET_CHANGE_EVERY_MS, signal);
  }
};

interface Follow {
  readonly changeId: string;
  readonly spec: ServiceSpec;
  readonly revision: number;
  readonly isRelease: boolean;
  readonly servers: readonly string[];
  readonly clock: keyof ChangeTimes;
  readonly stage: ChangeStage | null;
}

const followServers = async (deps: VerifyDeps, follow: Follow, signal: AbortSignal): Promise<void> => {
  const until = deps.clock.monotonic() + VERIFY_FOR_MS;
  let missing = follow.servers;
  if (missing.length === 0) return;
  for (
    let wait = VERIFY_FIRST_MS;
    !signal.aborted && deps.clock.monotonic() < until;
    wait = Math.min(VERIFY_MAX_MS, wait * 1.5)
  ) {
    const shown = await Promise.all(missing.map((server) => isShown(deps.resolver, server, follow)));
    missing = missing.filter((_, i) => !shown[i]);
    if (missing.length === 0) return strike(deps, follow, signal);
    await pause(wait, signal);
  }
  if (!signal.aborted)
    deps.log.warn({ changeId: follow.changeId, missing }, `not ${follow.clock} on every server in ${VERIFY_FOR_MS / 1000} s`);
};

/** The record itself, or that it is gone: a release takes it away. */
const isShown = async (resolver: Resolver, server: string, { spec, revision, isRelease }: Follow): Promise<boolean> => {
  const epoch = await readEpochAt(resolver, server, spec);
  if (epoch === "silent") return false;
  return epoch === null ? isRelease : epoch.revision >= revision;
};

/** The epoch record that one server shows; null when it shows none, `silent` when it doesn't answer. */
export const readEpochAt = async (resolver: Resolver, server: string, spec: ServiceSpec) => {
  const answer = await resolver.ask(server, spec.epochName, "TXT", RESOLVER_TIMEOUT_MS);
  if (answer.kind === "failed") return "silent" as const;
  return answer.kind === "answer" ? (answer.values.map(parseEpoch).find((epoch) => epoch !== null) ?? null) : null;
};

const pause = (ms: number, signal: AbortSignal): Promise<void> => sleep(ms, undefined, { signal }).catch(() => undefined);
