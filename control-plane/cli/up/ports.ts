/** Every port of 127.0.0.1 that `up` uses: drawn free once and kept in the home, so that a part that is killed comes back where it was. */
import { createSocket } from "node:dgram";
import { createServer } from "node:net";
import * as z from "zod";
import { PORT_MAX, PORT_MIN } from "../limits.ts";
import { AGENTS, LINK_TARGETS, NAME_SERVER_COUNT, REGIONS } from "./layout.ts";
import { HALVES, PAIR_LINKS } from "./stateful.ts";

const Port = z.int().min(1).max(65_535);

export const Ports = z.strictObject({
  server: Port,
  /** The supervisor's own door. */
  up: Port,
  control: Port,
  route53: Port,
  nameServers: z.array(Port).length(NAME_SERVER_COUNT),
  resolver: Port,
  regions: z.record(z.string(), z.strictObject({ api: Port, database: Port, control: Port })),
  /** Only of a home that was made with a pair of databases: the half of each region that has one, and the hook. */
  pair: z.strictObject({ halves: z.record(z.string(), Port), hook: Port }).optional(),
  /** By vantage, then by target. */
  links: z.record(z.string(), z.record(z.string(), Port)),
});
export type Ports = z.infer<typeof Ports>;

/** The server's well-known port is taken if nobody has it; people type it. */
const SERVER_PORT = 7_420;

/** Keeps what is still free of `kept`, draws the rest anew. */
export const choosePorts = async (kept: Ports | null, hasPair = false): Promise<Ports> => {
  const taken = new Set<number>();
  const choose = async (wanted: number | undefined): Promise<number> => {
    for (let tried = 0; tried < 5_000; tried++) {
      const port = tried === 0 && wanted !== undefined ? wanted : randomPort();
      if (taken.has(port)) continue;
      taken.add(port);
      if (await isFree(port)) return port;
    }
    throw new Error(`There is no free port of 127.0.0.1 between ${PORT_MIN} and ${PORT_MAX}.`);
  };
  const regions: Ports["regions"] = {};
  for (const { id } of REGIONS) {
    const before = kept?.regions[id];
    regions[id] = {
      api: await choose(before?.api),
      database: await choose(before?.database),
      control: await choose(before?.control),
    };
  }
  const links: Ports["links"] = {};
  for (const { vantage } of AGENTS) {
    const targets: Record<string, number> = {};
    for (const target of LINK_TARGETS) targets[target] = await choose(kept?.links[vantage]?.[target]);
    links[vantage] = targets;
  }
  const pair = hasPair ? await choosePair(kept, links, choose) : undefined;
  const nameServers: number[] = [];
  for (let index = 0; index < NAME_SERVER_COUNT; index++) nameServers.push(await choose(kept?.nameServers[index]));
  return {
    server: await choose(kept?.server ?? SERVER_PORT),
    up: await choose(kept?.up),
    control: await choose(kept?.control),
    route53: await choose(kept?.route53),
    nameServers,
    resolver: await choose(kept?.resolver),
    regions,
    links,
    ...(pair === undefined ? {} : { pair }),
  };
};

/** Adds the pair's links to those that are drawn already. */
const choosePair = async (
  kept: Ports | null,
  links: Ports["links"],
  choose: (wanted: number | undefined) => Promise<number>,
): Promise<NonNullable<Ports["pair"]>> => {
  const halves: Record<string, number> = {};
  for (const half of HALVES) halves[half] = await choose(kept?.pair?.halves[half]);
  for (const { from, to } of PAIR_LINKS) {
    links[from] ??= {};
    links[from][to] = await choose(kept?.links[from]?.[to]);
  }
  return { halves, hook: await choose(kept?.pair?.hook) };
};

export const portsIn = ({ regions, links, nameServers, pair, ...single }: Ports): number[] => [
  ...Object.values(single),
  ...(pair === undefined ? [] : [pair.hook, ...Object.values(pair.halves)]),
  ...nameServers,
  ...Object.values(regions).flatMap((ports) => Object.values(ports)),
  ...Object.values(links).flatMap((targets) => Object.values(targets)),
];

const randomPort = (): number => PORT_MIN + Math.floor(Math.random() * (PORT_MAX - PORT_MIN));

/** Over TCP and UDP, as name servers want both. */
export const isFree = async (port: number): Promise<boolean> => (await isTcpFree(port)) && (await isUdpFree(port));

const isTcpFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen({ port, host: "127.0.0.1", exclusive: true }, () => server.close(() => resolve(true)));
  });

const isUdpFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = createSocket("udp4");
    socket.once("error", () => {
      socket.close();
      resolve(false);
    });
    socket.bind(port, "127.0.0.1", () => socket.close(() => resolve(true)));
  });
