/** Agents: where they stand, their keys, and how much they are given to do. Pure. */
import type { Declaration } from "@regent/contract";
import { ASSIGNMENTS_PER_AGENT_MAX } from "../limits.ts";
import { suggestDeclared } from "../nearest.ts";
import { type ConfigurationProblem, toValueText } from "../problem-path.ts";
import { isAssigned } from "../to-agent-configuration.ts";
import { findDuplicates } from "./duplicates.ts";

const PUBLIC_KEY_BYTES = 32;

export const findAgentProblems = (declaration: Declaration): ConfigurationProblem[] => {
  const { agents, regions } = declaration;
  const regionIds = regions.map(({ id }) => id);
  const keys = agents.flatMap(({ publicKeys }, at) =>
    publicKeys.map((key, keyAt) => ({ key, path: ["agents", at, "publicKeys", keyAt] })),
  );
  return [
    ...findDuplicates(
      agents.map(({ id }, at) => ({ key: id, path: ["agents", at, "id"] })),
      (id) => `agent "${id}"`,
    ),
    // One key for two agents would let each speak for the other.
    ...findDuplicates(keys, (key) => `the public key ${toValueText(key)}`).map((problem) => ({
      ...problem,
      suggestion: "every agent has a key pair of its own",
    })),
    ...keys
      .filter(({ key }) => Buffer.from(key, "base64").length !== PUBLIC_KEY_BYTES)
      .map(({ key, path }) => ({ path, message: `${toValueText(key)} is not ${PUBLIC_KEY_BYTES} bytes in base64` })),
    ...agents.flatMap(({ region }, at) =>
      regionIds.includes(region)
        ? []
        : [
            {
              path: ["agents", at, "region"],
              message: `unknown region "${region}"`,
              suggestion: suggestDeclared(region, regionIds),
              restsOn: [["regions"]],
            },
          ],
    ),
    ...findOverload(declaration),
  ];
};

/** Agents of one region get the same assignments, so they are counted once a region. */
const findOverload = ({ agents, services }: Declaration): ConfigurationProblem[] => {
  const countByRegion = new Map<string, number>();
  const count = (own: string): number =>
    services.reduce(
      (sum, { endpoints, checks }) =>
        sum +
        endpoints.reduce((inner, { region }) => inner + checks.filter(({ from }) => isAssigned(from, region === own)).length, 0),
      0,
    );
  return agents.flatMap(({ id, region }, at) => {
    const assignments = countByRegion.get(region) ?? count(region);
    countByRegion.set(region, assignments);
    return assignments <= ASSIGNMENTS_PER_AGENT_MAX
      ? []
      : [
          {
            path: ["agents", at],
            message: `agent "${id}" would have ${assignments} checks to run, at most ${ASSIGNMENTS_PER_AGENT_MAX} are allowed`,
            restsOn: [["services"]],
          },
        ];
  });
};
