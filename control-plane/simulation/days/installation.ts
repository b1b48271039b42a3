/**
 * What the virtual day watches: three regions, two networks in each, and one service for each strategy. Made by the same functions that a
 * server makes it with, so that every number of a profile is the shipped one.
 */
import { generateKeyPairSync } from "node:crypto";
import { Declaration, type ProfileName } from "@regent/contract";
import { type Installation, toInstallation } from "../world/stationing.ts";

export const REGIONS = ["r1", "r2", "r3"] as const;
const NETWORKS = ["net-a", "net-b"] as const;
export const SERVICES = ["passive", "active", "robin"] as const;

export interface InstallationOptions {
  /** `standard`. */
  readonly profile?: ProfileName;
  /** Laid over the profile by every service, in the words of the declaration. */
  readonly settings?: Readonly<Record<string, number>>;
  readonly failback?: "manual" | "automatic";
}

export const createInstallation = ({
  profile = "standard",
  settings = {},
  failback = "manual",
}: InstallationOptions = {}): Installation => {
  const declaration = Declaration.parse({
    regent: 1,
    owner: "virtual-day",
    profile,
    zones: [{ id: "Z1VIRTUAL", name: "example.test" }],
    regions: REGIONS.map((id) => ({ id })),
    agents: REGIONS.flatMap((region) =>
      NETWORKS.map((network) => ({ id: `${region}-${network}`, region, network, publicKeys: [newPublicKey()] })),
    ),
    services: [
      service("passive", { strategy: { kind: "active-passive", failback }, settings }),
      service("active", { strategy: { kind: "active-active", failback }, settings }),
      service("robin", { strategy: { kind: "round-robin", failback }, settings }),
    ],
  });
  return toInstallation(declaration);
};

/** One check from everywhere and one from inside only, both critical: what a region is left for. */
const service = (id: (typeof SERVICES)[number], more: object): object => ({
  id,
  name: `${id}.example.test`,
  zone: "example.test",
  endpoints: REGIONS.map((region, index) => ({
    region,
    capacity: CAPACITIES[index],
    headroom: HEADROOMS[index],
    A: [`192.0.2.${index + 10}`],
    targets: { db: `10.0.0.${index + 10}:5432` },
  })),
  checks: [
    { id: "web", kind: "http", path: "/healthz" },
    { id: "db", kind: "tcp", from: "inside" },
  ],
  ...more,
});

/** Not equal, and with room for a lost region, so that active-active has something to work out. */
const CAPACITIES = [50, 30, 20];
const HEADROOMS = [1.2, 1.4, 2.5];

/** Raw Ed25519 key in base64. Nothing is signed here: signatures have their own tests and would take the day's time. */
const newPublicKey = (): string =>
  generateKeyPairSync("ed25519").publicKey.export({ format: "der", type: "spki" }).subarray(-32).toString("base64");
