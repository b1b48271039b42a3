/**
 * The whole sandbox in one process: Route 53 and its DNS, the links, the control port, and the region processes where it is told to start
 * them. Everything starts or nothing stays.
 */
import { createAgentsWanted } from "./agents-wanted.ts";
import { type ControlDeps, createControl } from "./control.ts";
import { listenOnLoopback } from "./control-door.ts";
import { createLinks, type Links, type LinkTargetAddress } from "./links/links.ts";
import { halvesOf, pairTargets } from "./pair.ts";
import { createRegionClient } from "./regions/region-client.ts";
import { readToken } from "./regions/region-config.ts";
import { type RegionPorts, spawnRegions } from "./regions/spawn-regions.ts";
import { route53Ports, route53Switches, startRoute53Part } from "./route53-part.ts";
import { agentsOf, type SandboxConfig, type SandboxReady } from "./sandbox-config.ts";
import type { SandboxPorts } from "./sandbox-state.ts";

export interface RunningSandbox {
  readonly ready: SandboxReady;
  /** Stops everything in order: first what takes orders, then what answers. */
  readonly close: () => Promise<void>;
}

/** Rejects when a port is taken or a region can't start; what had started is stopped again. */
export const startSandbox = async (config: SandboxConfig): Promise<RunningSandbox> => {
  const started: (() => Promise<void>)[] = [];
  const close = async (): Promise<void> => {
    for (const stop of started.splice(0).reverse()) await stop();
  };
  const keep = <T extends { readonly close: () => Promise<void> }>(part: T): T => {
    started.push(part.close);
    return part;
  };
  try {
    const token = await readToken(config.tokenFile);
    const regions = config.spawnRegions ? keep(await spawnRegions(config)).regions : config.regions;
    const route53 = keep(await startRoute53Part(config, new Map(regions.map(({ id, apiPort }) => [id, apiPort]))));
    const links = keep(
      await createLinks({ vantages: config.vantages, targets: targetsOf(config, regions), ports: config.ports.links }),
    );
    let ports: SandboxPorts = { control: 0, ...route53Ports(route53) };
    const deps: ControlDeps = {
      token,
      regions: config.regions.map(({ id, publishedAddress }) => ({
        id,
        publishedAddress,
        client: createRegionClient({ port: portsIn(regions, id).controlPort, token }),
      })),
      links,
      pair: halvesOf(config.regions),
      agents: createAgentsWanted(agentsOf(config)),
      route53: route53Switches(route53),
      ports: () => ports,
    };
    const control = keep(await listenOnLoopback(createControl(deps), config.ports.control));
    ports = { ...ports, control: control.port };
    const ready: SandboxReady = {
      ready: true,
      ports,
      zoneIds: route53.zoneIds,
      links: linkPorts(links),
      regions: regions.map(toRegionPorts),
      pid: process.pid,
    };
    return { ready, close };
  } catch (error) {
    await close();
    throw error;
  }
};

/** Every region's API and database, the pair's halves, and the control plane. */
const targetsOf = (
  { controlPlane, regions: declared }: SandboxConfig,
  regions: readonly RegionPorts[],
): readonly LinkTargetAddress[] => [
  ...regions.flatMap(({ id, apiPort, databasePort }): LinkTargetAddress[] => [
    { name: `${id}/api`, host: "127.0.0.1", port: apiPort, watch: "held" },
    { name: `${id}/database`, host: "127.0.0.1", port: databasePort, watch: "held" },
  ]),
  ...pairTargets(declared),
  // A control plane that stops in order waits for its clients, so no connection is held to it.
  { name: "control-plane", host: controlPlane.host, port: controlPlane.port, watch: "dialled" },
];

const portsIn = (regions: readonly RegionPorts[], id: string): RegionPorts => {
  const found = regions.find((region) => region.id === id);
  if (found === undefined) throw new Error(`region ${id} is declared but has no ports`);
  return found;
};

const toRegionPorts = ({ id, apiPort, databasePort, controlPort }: RegionPorts): RegionPorts => ({
  id,
  apiPort,
  databasePort,
  controlPort,
});

const linkPorts = (links: Links): SandboxReady["links"] => {
  const ports: Record<string, Record<string, number>> = {};
  for (const { from, to, port } of links.state()) {
    ports[from] ??= {};
    ports[from][to] = port;
  }
  return ports;
};
