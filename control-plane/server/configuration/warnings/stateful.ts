/** A stateful service that could never leave, or only by hand: nobody sees where its data can be written, or nobody is asked to promote. Pure. */
import type { Declaration } from "@regent/contract";

export const findStatefulWarnings = ({ services, agents }: Declaration): string[] =>
  services.flatMap(({ id, stateful, endpoints }) => {
    if (stateful === undefined) return [];
    const blind = endpoints.filter(({ region }) => !agents.some((agent) => agent.region === region)).map(({ region }) => region);
    return [
      ...blind.map(
        (region) =>
          `service ${id}: no agent stands in ${region}, so nobody sees the role of its database, and traffic is never led there or away from it without a person`,
      ),
      ...(stateful.hook === undefined
        ? [
            `service ${id}: no hook is declared: when its region fails a person must promote another one, and traffic waits for that`,
          ]
        : []),
    ];
  });
