/** Joins the Route 53 half of the sandbox to the rest: what it is started with, where it listens, and its switches on the control port. */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import type { Route53Switches } from "./control.ts";
import { type FaultInput, Propagation } from "./route53/index.ts";
import { type Route53Sandbox, startRoute53Sandbox } from "./route53-sandbox.ts";
import type { SandboxConfig } from "./sandbox-config.ts";
import type { SandboxPorts } from "./sandbox-state.ts";

/** Port of a published address on which native health checks find the region's API. */
const PUBLISHED_PORT = 80;

/** @param apiPortByRegion where each region's API really listens on 127.0.0.1 */
export const startRoute53Part = async (
  config: SandboxConfig,
  apiPortByRegion: ReadonlyMap<string, number>,
): Promise<Route53Sandbox> => {
  const dataDir = join(config.dataDir, "route53");
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const { route53: api, nameServers, resolver } = config.ports;
  return startRoute53Sandbox({
    dataDir,
    zones: config.zones,
    credentials: config.credentials,
    ports: { api, nameServers, resolver },
    nameServerNames: nameServers.map((_, index) => `ns-${index + 1}.sandbox.test`),
    addressMap: Object.fromEntries(
      config.regions.map(({ id, publishedAddress }) => [
        `${publishedAddress}:${PUBLISHED_PORT}`,
        `127.0.0.1:${apiPortByRegion.get(id)}`,
      ]),
    ),
    healthCheckTimeScale: config.healthCheckTimeScale,
    propagation: config.propagation,
    soa: { ttlSeconds: config.negativeTtlSeconds, minimumSeconds: config.negativeTtlSeconds },
    ...(config.rateLimit === undefined ? {} : { rateLimit: config.rateLimit }),
  });
};

/** Its ports, taken from the addresses it answers. */
export const route53Ports = (route53: Route53Sandbox): Omit<SandboxPorts, "control"> => ({
  route53: Number(new URL(route53.endpoint).port),
  nameServers: route53.nameServers.map(portOf),
  resolver: portOf(route53.resolver),
});

const portOf = (address: string): number => Number(address.slice(address.lastIndexOf(":") + 1));

const FaultChoice = z.strictObject({ id: z.string().max(100).optional() });

/** A whole mend clears the faults and leaves the propagation: that is a setting, not a fault. */
export const route53Switches = (route53: Route53Sandbox): Route53Switches => ({
  // The fault's own schema is asked first thing inside; this only tells the compiler so.
  fault: (body) => route53.faults.set(body as FaultInput),
  mend: (body) => void route53.faults.clear(FaultChoice.parse(body).id),
  propagation: (body) => void route53.setPropagation(Propagation.parse(body)),
  state: () => ({ faults: route53.faults.list(), calls: route53.calls() }),
});
