/** The world that `regent up` makes: names and numbers of its zone, regions, vantages and services. The one place that has them. */

export const ZONE = "example.test";
export const OWNER = "regent-sandbox";

export interface RegionLayout {
  readonly id: string;
  readonly name: string;
  /** RFC 5737: what DNS answers, so that no answer ever leads to a stranger. */
  readonly publishedAddress: string;
}

export const REGIONS: readonly RegionLayout[] = [
  { id: "eu-west", name: "Ireland", publishedAddress: "192.0.2.10" },
  { id: "us-east", name: "Virginia", publishedAddress: "192.0.2.20" },
  { id: "ap-south", name: "Mumbai", publishedAddress: "192.0.2.30" },
];

export const NETWORKS = ["net-a", "net-b"] as const;

export interface AgentLayout {
  readonly id: string;
  readonly region: string;
  readonly network: string;
  /** `region/network`, as the sandbox names where it stands. */
  readonly vantage: string;
}

/** Two in every region, one on each network. */
export const AGENTS: readonly AgentLayout[] = REGIONS.flatMap(({ id: region }) =>
  NETWORKS.map((network) => ({
    id: `${region}-${network.slice(-1)}`,
    region,
    network,
    vantage: `${region}/${network}`,
  })),
);

export const NAME_SERVER_COUNT = 4;

/** Addresses as the configuration declares them; an agent's `connectTo` leads each to the sandbox's link of its vantage. */
export const apiAddress = (region: string): string => `api.${region}.internal:80`;
export const databaseAddress = (region: string): string => `db.${region}.internal:5432`;
/** What agents dial to tell their own broken network from a broken target; led to name servers of the sandbox. */
export const CANARIES = ["198.51.100.53:53", "203.0.113.53:53"] as const;

/** Name of the secret that agents log in to the regions' databases with. */
export const DATABASE_SECRET = "db-probe";

/** Everything that a link leads to, as the sandbox names it. */
export const LINK_TARGETS: readonly string[] = [...REGIONS.flatMap(({ id }) => [`${id}/api`, `${id}/database`]), "control-plane"];
