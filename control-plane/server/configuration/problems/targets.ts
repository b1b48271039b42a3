/** Checks: each has somewhere to go, at a port that exists. Pure. */
import type { Check, Declaration, Endpoint } from "@regent/contract";
import { toProbeAddress } from "../probe-address.ts";
import type { ConfigurationProblem, Path } from "../problem-path.ts";

const PORT_MAX = 65_535;

export const findTargetProblems = ({ agents, services }: Declaration): ConfigurationProblem[] => [
  ...agents.flatMap(({ canaries }, at) =>
    canaries.flatMap((canary, canaryAt) => findPortProblems(canary, ["agents", at, "canaries", canaryAt])),
  ),
  ...services.flatMap(({ endpoints, checks }, at) =>
    endpoints.flatMap((endpoint, endpointAt) => {
      const path = ["services", at, "endpoints", endpointAt];
      return [
        ...(endpoint.probe === undefined ? [] : findPortProblems(endpoint.probe.address, [...path, "probe", "address"])),
        ...Object.entries(endpoint.targets ?? {}).flatMap(([check, address]) =>
          findPortProblems(address, [...path, "targets", check]),
        ),
        ...checks.flatMap((check, checkAt) =>
          findNowhere({ endpoint, check, path, checkPath: ["services", at, "checks", checkAt] }),
        ),
      ];
    }),
  ),
];

const findPortProblems = (address: string, path: Path): ConfigurationProblem[] => {
  const port = Number(address.slice(address.lastIndexOf(":") + 1));
  return port <= PORT_MAX ? [] : [{ path, message: `port ${port} is above ${PORT_MAX}` }];
};

interface Question {
  readonly endpoint: Endpoint;
  readonly check: Check;
  readonly path: Path;
  readonly checkPath: Path;
}

const findNowhere = ({ endpoint, check, path, checkPath }: Question): ConfigurationProblem[] => {
  if (toProbeAddress(endpoint, check) !== null) return [];
  const restsOn = [path, checkPath];
  if (check.kind === "postgres")
    return [
      {
        path: [...path, "targets", check.id],
        message: `check "${check.id}" has no address in ${endpoint.region}`,
        suggestion: `targets: { ${check.id}: "host:5432" }`,
        restsOn,
      },
    ];
  // An endpoint that publishes nothing is told by itself.
  if (endpoint.A === undefined && endpoint.AAAA === undefined && endpoint.CNAME === undefined) return [];
  return [
    {
      path: [...path, "targets", check.id],
      message: `check "${check.id}" has no port to dial in ${endpoint.region}`,
      suggestion: `"port" in the check, or targets: { ${check.id}: "host:port" }`,
      restsOn,
    },
  ];
};
