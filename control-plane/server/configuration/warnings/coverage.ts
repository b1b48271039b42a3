/** Is every region looked at from enough places? DESIGN §5 (views), §15 (a true failure that 4 outside vantages probe moves even if one lies). Pure. */
import type { AgentDeclaration, Declaration, Service } from "@regent/contract";
import { isAssigned } from "../to-agent-configuration.ts";

/** 2 networks x 2 regions: any one of them may be lost or lie and the rest still agree. */
const OUTSIDE_VANTAGES_WANTED = 4;

export const findCoverageWarnings = (declaration: Declaration): string[] => {
  const { agents, services } = declaration;
  if (services.length === 0) return [];
  if (agents.length === 0) return ["no agent is declared: nothing is probed, every verdict stays unknown"];
  return [
    ...findQuorumWarnings(declaration),
    ...services.flatMap((service) => findWitnessWarnings(service, agents)),
    ...servedRegions(declaration).flatMap((region) => [
      ...findOutsideWarnings(region, declaration),
      ...findInsideWarnings(region, declaration),
    ]),
  ];
};

const findQuorumWarnings = ({ quorum, agents, services }: Declaration): string[] => {
  const networks = [...new Set(agents.map(({ network }) => network))];
  const lone = services.filter((service) => service.quorum?.networks === 1 && quorum.networks !== 1).map(({ id }) => id);
  const single = "agents of a single network may move traffic, so one broken network can";
  return [
    ...(quorum.networks === 1 ? [`quorum.networks is 1: ${single}`] : []),
    ...(lone.length > 0 ? [`quorum.networks is 1 for ${list(lone)}: ${single}`] : []),
    ...(networks.length === 1 && services.some((service) => (service.quorum?.networks ?? quorum.networks) > 1)
      ? [`all agents stand on one network, ${networks[0]}, and 2 must agree: no failure seen from outside will ever move traffic`]
      : []),
  ];
};

const findWitnessWarnings = ({ id, endpoints }: Service, agents: readonly AgentDeclaration[]): string[] => {
  const served = endpoints.map(({ region }) => region);
  if (served.length !== 2 || agents.some(({ region }) => !served.includes(region))) return [];
  return [
    `service ${id}: 2 regions without a witness: when ${served.join(" and ")} disagree nobody can tell which is right; ` +
      "declare a third region with an agent and no endpoint",
  ];
};

const servedRegions = ({ regions, services }: Declaration): string[] =>
  regions
    .map(({ id }) => id)
    .filter((region) => services.some(({ endpoints }) => endpoints.some((endpoint) => endpoint.region === region)));

/** Do any of the region's services have a check that agents outside (or inside) it run? */
const checksOf = ({ services }: Declaration, region: string, isOwnRegion: boolean): string[] =>
  services
    .filter(({ endpoints }) => endpoints.some((endpoint) => endpoint.region === region))
    .flatMap(({ id, checks }) => checks.filter(({ from }) => isAssigned(from, isOwnRegion)).map((check) => `${id}/${check.id}`));

const findOutsideWarnings = (region: string, declaration: Declaration): string[] => {
  if (checksOf(declaration, region, false).length === 0)
    return [`region ${region}: no check looks at it from outside; only its own agents can tell`];
  const outside = declaration.agents.filter((agent) => agent.region !== region);
  const count = (key: (agent: AgentDeclaration) => string): number => new Set(outside.map(key)).size;
  const vantages = count((agent) => `${agent.region}/${agent.network}`);
  const networks = count((agent) => agent.network);
  const regions = count((agent) => agent.region);
  if (vantages >= OUTSIDE_VANTAGES_WANTED && networks >= 2 && regions >= 2) return [];
  return [
    `region ${region}: ${vantages} outside vantage${vantages === 1 ? "" : "s"} over ${networks} network${networks === 1 ? "" : "s"} and ` +
      `${regions} region${regions === 1 ? "" : "s"}; with fewer than ${OUTSIDE_VANTAGES_WANTED} (2 networks x 2 regions) one that is lost or lies can keep a failure from being believed`,
  ];
};

const findInsideWarnings = (region: string, declaration: Declaration): string[] => {
  const checks = checksOf(declaration, region, true);
  if (checks.length === 0 || declaration.agents.some((agent) => agent.region === region)) return [];
  return [`region ${region}: no agent stands in it, so ${list(checks)} can't be run from inside`];
};

const list = (names: readonly string[]): string =>
  names.length <= 3 ? names.join(", ") : `${names.slice(0, 3).join(", ")} and ${names.length - 3} more`;
