/** The pair of databases that two regions may have: the links between its halves, and from the hook that promotes one of them. */
import type { LinkTarget, SandboxVantage } from "./faults.ts";
import type { LinkTargetAddress } from "./links/links.ts";

/** What a half's replication dials the other from, named as a vantage is. */
export const replicationOf = (region: string): SandboxVantage => `${region}/replication`;
export const pairTarget = (region: string): LinkTarget => `${region}/pair`;
/** Where whoever fences and promotes stands. */
export const HOOK_VANTAGE: SandboxVantage = "hook/net-a";

interface Half {
  readonly id: string;
  readonly pairPort?: number | undefined;
}

/** Two regions, or none. */
export const halvesOf = (regions: readonly Half[]): readonly string[] =>
  regions.filter(({ pairPort }) => pairPort !== undefined).map(({ id }) => id);

/** Each half is dialled by agents, by the hook, and by the other half. */
export const pairTargets = (regions: readonly Half[]): readonly LinkTargetAddress[] =>
  regions.flatMap(({ id, pairPort: port }): LinkTargetAddress[] => {
    if (port === undefined) return [];
    const others = halvesOf(regions).filter((other) => other !== id);
    const alsoFrom = [...others.map(replicationOf), HOOK_VANTAGE];
    return [{ name: pairTarget(id), host: "127.0.0.1", port, watch: "held", alsoFrom }];
  });
