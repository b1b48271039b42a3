/** For tests: two real regions with a pair of databases, the links between its halves and from a hook, and what a superuser sees in each. */
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createLinks, type Links } from "../links/links.ts";
import { HOOK_VANTAGE, pairTarget, pairTargets, replicationOf } from "../pair.ts";
import { ownerConnection } from "../regions/owner-connection.ts";
import { createRegionClient, type RegionClient } from "../regions/region-client.ts";
import { type SpawnedRegion, spawnRegion } from "../regions/spawn-region.ts";
import { testClosedPort, testUntil } from "./observe.ts";

export const PRIMARY = "eu-west";
export const STANDBY = "us-east";
const HALVES = [PRIMARY, STANDBY] as const;
export type Half = (typeof HALVES)[number];

const TOKEN = "pair-test-token-12345";
export const TEST_PROBE_PASSWORD = "probe-password-of-the-pair";
export const TEST_HOOK_PASSWORD = "hook-password-of-the-pair";
const OWNER_PASSWORD = "owner-password-of-the-pair";

export interface TestPair {
  readonly links: Links;
  readonly client: (half: Half) => RegionClient;
  /** Of the half itself. */
  readonly port: (half: Half) => number;
  /** Of the hook's link to it. */
  readonly hookPort: (half: Half) => number;
  /** First row, as a superuser, straight to the half. */
  readonly ask: (half: Half, query: string) => Promise<Readonly<Record<string, unknown>>>;
  /** As `ask`, but the error's code when it fails. */
  readonly attempt: (half: Half, query: string) => Promise<Readonly<Record<string, unknown>> | string>;
  readonly cutReplication: (isCut: boolean) => Promise<void>;
  /** The half streams from the other one. */
  readonly untilStreams: (half: Half) => Promise<void>;
  readonly close: () => Promise<void>;
}

export const startTestPair = async (): Promise<TestPair> => {
  const folder = await mkdtemp(join(tmpdir(), "sandbox-pair-"));
  // A root caller's Postgres runs as another account, which must be able to pass through.
  await chmod(folder, 0o711);
  await writeFile(join(folder, "token"), `${TOKEN}\n`, { mode: 0o600 });
  const ports = { [PRIMARY]: await testClosedPort(), [STANDBY]: await testClosedPort() };
  const links = await createLinks({
    vantages: [],
    targets: pairTargets(HALVES.map((id) => ({ id, pairPort: ports[id] }))),
    ports: {},
  });
  const linkPort = (from: string, to: string): number =>
    links.state().find((link) => link.from === from && link.to === to)?.port ?? 0;
  const other = (half: Half): Half => (half === PRIMARY ? STANDBY : PRIMARY);
  const regions = new Map<Half, SpawnedRegion>();
  const close = async (): Promise<void> => {
    await Promise.all([...regions.values()].map((region) => region.stop()));
    await links.close();
    await rm(folder, { recursive: true, force: true });
  };
  // The standby first: it must wait for its primary by itself.
  const started = await Promise.allSettled(
    [STANDBY, PRIMARY].map(async (half) => {
      const region = await spawnRegion(join(folder, `${half}.json`), {
        region: half,
        dataDir: join(folder, half),
        tokenFile: join(folder, "token"),
        probePassword: TEST_PROBE_PASSWORD,
        pair: {
          initially: half === PRIMARY ? "primary" : "standby",
          port: ports[half as Half],
          otherDataDir: join(folder, other(half as Half)),
          otherPort: linkPort(replicationOf(half), pairTarget(other(half as Half))),
          ownerPassword: OWNER_PASSWORD,
          hookPassword: TEST_HOOK_PASSWORD,
        },
      });
      regions.set(half as Half, region);
    }),
  );
  const failed = started.find(({ status }) => status === "rejected");
  if (failed?.status === "rejected") {
    await close();
    throw failed.reason;
  }
  const ask: TestPair["ask"] = async (half, query) => {
    const sql = ownerConnection(ports[half], OWNER_PASSWORD);
    try {
      const [row] = await sql.unsafe(query);
      return { ...row };
    } finally {
      await sql.end({ timeout: 1 });
    }
  };
  const attempt: TestPair["attempt"] = (half, query) =>
    ask(half, query).catch((error: { code?: string }) => error.code ?? String(error));
  return {
    links,
    client: (half) => createRegionClient({ port: regions.get(half)?.ready.controlPort ?? 0, token: TOKEN }),
    port: (half) => ports[half],
    hookPort: (half) => linkPort(HOOK_VANTAGE, pairTarget(half)),
    ask,
    attempt,
    cutReplication: async (isCut) => {
      for (const half of HALVES) await links.set({ from: replicationOf(half) }, isCut ? "blackhole" : undefined);
    },
    untilStreams: async (half) => {
      const streams = "SELECT count(*)::int AS streaming FROM pg_stat_wal_receiver WHERE status = 'streaming'";
      await testUntil(
        () => attempt(half, streams),
        (seen) => typeof seen !== "string" && seen.streaming === 1,
        20_000,
      );
    },
    close,
  };
};
