/** The `regent.yaml` of a new home: three services over three regions, one for each strategy. Pure; written once by `up`, then the operator's. */
import { apiAddress, CANARIES, DATABASE_SECRET, databaseAddress, OWNER, REGIONS, ZONE } from "./layout.ts";
import { toLedgerYaml } from "./stateful.ts";

export interface RegentYamlInput {
  readonly zoneId: string;
  readonly agents: readonly {
    readonly id: string;
    readonly region: string;
    readonly network: string;
    readonly publicKey: string;
  }[];
  /** Native Route 53 health check by region, attached to `checkout`. */
  readonly healthCheckIds: Readonly<Record<string, string>>;
  /** Where a pair of databases is: the port of 127.0.0.1 that promotes one of its halves. */
  readonly hookPort?: number | undefined;
}

export const toRegentYaml = ({ zoneId, agents, healthCheckIds, hookPort }: RegentYamlInput): string => `\
# What this Regent keeps answering, from where it looks, and how it may move traffic. Read at the first start only; afterwards change it with
# \`regent plan regent.yaml\` and \`regent apply regent.yaml\`.
regent: 1
owner: ${OWNER}

# 1 s probes, short holds, quick returns: made for a laptop, where one wants to see things happen. Production uses \`standard\`.
profile: sandbox

zones:
  - { id: ${zoneId}, name: ${ZONE} }

regions:
${REGIONS.map(({ id, name }) => `  - { id: ${id}, name: ${name} }`).join("\n")}

# Two agents in each region, on two networks. Only the public half of an agent's key stands here.
agents:
${agents
  .map(
    ({ id, region, network, publicKey }) =>
      `  - { id: ${id}, region: ${region}, network: ${network}, publicKeys: ["${publicKey}"], canaries: ${JSON.stringify(CANARIES)} }`,
  )
  .join("\n")}

services:
  # One region serves, the next takes over. Native Route 53 health checks are attached as well: with all of Regent dead, Route 53 itself
  # still leaves a dead primary.
  - id: checkout
    name: checkout.${ZONE}
    zone: ${ZONE}
    strategy: { kind: active-passive, failback: automatic }
    endpoints:
${REGIONS.map(({ id, publishedAddress }, index) =>
  endpoint(id, publishedAddress, {
    more: `priority: ${index + 1}${healthCheckIds[id] === undefined ? "" : `, healthCheckId: ${healthCheckIds[id]}`}`,
    hasDatabase: true,
  }),
).join("\n")}
    checks:
${WEB_CHECK}
${DATABASE_CHECK}

  # All regions serve by capacity; headroom says how far above its base share a region can be loaded when another one is gone. Without
  # eu-west the others can carry 92 % of the traffic: \`plan\` warns of it, and the caps then show in the weights.
  - id: shop
    name: shop.${ZONE}
    zone: ${ZONE}
    strategy: { kind: active-active, failback: automatic }
    endpoints:
${SHOP_CAPACITY.map(({ region, capacity, headroom }) =>
  endpoint(region, addressOf(region), { more: `capacity: ${capacity}, headroom: ${headroom}`, hasDatabase: true }),
).join("\n")}
    checks:
${WEB_CHECK}
${DATABASE_CHECK}

  # Equal parts to every fit region.
  - id: api
    name: api.${ZONE}
    zone: ${ZONE}
    strategy: { kind: round-robin, failback: automatic }
    endpoints:
${REGIONS.map(({ id, publishedAddress }) => endpoint(id, publishedAddress, { more: "", hasDatabase: false })).join("\n")}
    checks:
${WEB_CHECK}
${hookPort === undefined ? "" : toLedgerYaml(hookPort)}`;

/** Another region's answer is a failure of its own kind. */
const WEB_CHECK = `      - { id: web, kind: http, from: everywhere, criticality: critical, path: /healthz, codes: ["200"], regionHeader: { name: x-region, value: "{region}" } }`;
/** Private, so only the region's own agents look. The sandbox's databases speak no TLS; in production leave \`tls\` at verify-full. */
const DATABASE_CHECK = `      - { id: db, kind: postgres, from: inside, criticality: critical, role: writable, tls: "off", secret: ${DATABASE_SECRET} }`;

/** Losing ap-south must give .600/.400, and losing eu-west .457/.543: the headroom of us-east is what the plain ratio would break. */
const SHOP_CAPACITY = [
  { region: "eu-west", capacity: 50, headroom: 1.2 },
  { region: "us-east", capacity: 30, headroom: 1.4 },
  { region: "ap-south", capacity: 20, headroom: 2.5 },
] as const;

const addressOf = (region: string): string => {
  const found = REGIONS.find(({ id }) => id === region);
  if (found === undefined) throw new Error(`region ${region} is not laid out`);
  return found.publishedAddress;
};

const endpoint = (region: string, address: string, { more, hasDatabase }: { more: string; hasDatabase: boolean }): string => {
  const fields = [
    `region: ${region}`,
    ...(more === "" ? [] : [more]),
    `A: [${address}]`,
    `probe: { address: "${apiAddress(region)}" }`,
    ...(hasDatabase ? [`targets: { db: "${databaseAddress(region)}" }`] : []),
  ];
  return `      - { ${fields.join(", ")} }`;
};
