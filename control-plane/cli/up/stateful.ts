/**
 * What `regent up --stateful` adds: a pair of databases in two regions, the service `ledger` whose data stands there, and the example hook that
 * fences one half and promotes the other. The one place that has its names and numbers.
 */
import { randomBytes } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { HOOK_VANTAGE, pairTarget, replicationOf } from "@regent/sandbox/pair.ts";
import { HOOK_ROLE, type PairConfig, REGION_DATABASE } from "@regent/sandbox/regions/region-config.ts";
import { ensureSecret, type Home, readText, writePrivate } from "./home.ts";
import { AGENTS, apiAddress, REGIONS, ZONE } from "./layout.ts";
import type { Ports } from "./ports.ts";

/** The first is where `ledger` is served from at the beginning. */
export const HALVES = ["eu-west", "us-east"] as const;
type Half = (typeof HALVES)[number];
const isHalf = (region: string): region is Half => HALVES.some((half) => half === region);
const otherHalf = (half: Half): Half => (half === HALVES[0] ? HALVES[1] : HALVES[0]);

export const ledgerAddress = (region: string): string => `ledger.${region}.internal:5432`;
/** Name of the secret that agents see role and lag of the two halves with. */
export const LEDGER_SECRET = "ledger-probe";
/** Names of files in the home's folder `secrets`, where the server looks for them. */
export const HOOK_SECRET_FILE = "promote-standby";

/** Links beside those of a sandbox without a pair: from everybody who dials one half, by vantage. */
export const PAIR_LINKS: readonly { readonly from: string; readonly to: string }[] = [
  ...AGENTS.flatMap(({ vantage: from }) => HALVES.map((half) => ({ from, to: pairTarget(half) }))),
  ...HALVES.map((half) => ({ from: replicationOf(half), to: pairTarget(otherHalf(half)) })),
  ...HALVES.map((half) => ({ from: HOOK_VANTAGE, to: pairTarget(half) })),
];

export interface StatefulSecrets {
  readonly ownerPassword: string;
  readonly hookPassword: string;
  /** `whsec_` and base64: what Regent signs its calls of the hook with. */
  readonly signingSecret: string;
}

export const settleStatefulSecrets = async (home: Home): Promise<StatefulSecrets> => {
  const path = home.serverSecret(HOOK_SECRET_FILE);
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const kept = (await readText(path))?.trim();
  const signingSecret = kept ?? `whsec_${randomBytes(32).toString("base64")}`;
  if (kept === undefined) await writePrivate(path, `${signingSecret}\n`);
  return {
    ownerPassword: await ensureSecret(home.pair.ownerPassword),
    hookPassword: await ensureSecret(home.pair.hookPassword),
    signingSecret,
  };
};

const linkPort = ({ links }: Ports, from: string, to: string): number => {
  const port = links[from]?.[to];
  if (port === undefined) throw new Error(`${from} has no link to ${to}`);
  return port;
};

/** The region's half, for its process; undefined where it has none. */
export const pairConfig = (
  home: Home,
  region: string,
  { ports, secrets }: { readonly ports: Ports; readonly secrets: StatefulSecrets | null },
): PairConfig | undefined => {
  if (secrets === null || ports.pair === undefined || !isHalf(region)) return undefined;
  const other = otherHalf(region);
  return {
    initially: region === HALVES[0] ? "primary" : "standby",
    port: ports.pair.halves[region] ?? 0,
    otherDataDir: home.region(other).folder,
    otherPort: linkPort(ports, replicationOf(region), pairTarget(other)),
    ownerPassword: secrets.ownerPassword,
    hookPassword: secrets.hookPassword,
  };
};

/** The hook's one file; it reaches each half over a link, so that it can be cut off as well. */
export const writeHookSettings = (home: Home, ports: Ports, { hookPassword, signingSecret }: StatefulSecrets): Promise<void> => {
  const url = (half: string): string =>
    `postgres://${HOOK_ROLE}:${hookPassword}@127.0.0.1:${linkPort(ports, HOOK_VANTAGE, pairTarget(half))}/${REGION_DATABASE}`;
  const databases = Object.fromEntries(HALVES.map((half) => [half, url(half)]));
  return writePrivate(
    home.pair.hookSettings,
    JSON.stringify({ port: ports.pair?.hook, secret: signingSecret, databases }, null, 2),
  );
};

/** To be appended to `services`. Going back waits for a person: first the other half must stream again. */
export const toLedgerYaml = (hookPort: number): string => `
  # Its data has one writable place, in the first of two regions at the beginning, and the second one streams from there. The role is led to
  # the other region before the traffic (docs/HOOKS.md); the hook is docs/example/hooks/promote-standby.mjs.
  - id: ledger
    name: ledger.${ZONE}
    zone: ${ZONE}
    strategy: { kind: active-passive, failback: manual }
    endpoints:
${HALVES.map(
  (region, index) =>
    `      - { region: ${region}, priority: ${index + 1}, A: [${addressOf(region)}], probe: { address: "${apiAddress(region)}" }, targets: { role: "${ledgerAddress(region)}" } }`,
).join("\n")}
    checks:
      - { id: web, kind: http, from: everywhere, criticality: critical, path: /healthz, codes: ["200"], regionHeader: { name: x-region, value: "{region}" } }
      - { id: role, kind: postgres, from: inside, criticality: critical, role: any, tls: "off", secret: ${LEDGER_SECRET} }
    stateful:
      check: role
      lagMaxSeconds: 5
      leaseSeconds: 2
      prepareSeconds: 40
      roleSeconds: 15
      hook: { url: "http://127.0.0.1:${hookPort}/", secret: { file: ${HOOK_SECRET_FILE} } }
`;

const addressOf = (region: string): string => REGIONS.find(({ id }) => id === region)?.publishedAddress ?? "";
