/** DNS names: inside their zone, claimed once, with room for the epoch record beside them. Pure. */
import type { Declaration, Service } from "@regent/contract";
import { epochName } from "@regent/engine";
import { suggestNearest } from "../nearest.ts";
import type { ConfigurationProblem, Path } from "../problem-path.ts";
import { findDuplicates } from "./duplicates.ts";

export const findNameProblems = (declaration: Declaration): ConfigurationProblem[] => [
  ...declaration.services.flatMap((service, at) => [
    // Of an unknown zone nothing is known, its edges neither.
    ...(declaration.zones.some(({ name }) => name === service.zone) ? findOutside(service, ["services", at]) : []),
    ...findNoRoom(declaration, service, ["services", at]),
    ...findLeafAtTop(service, ["services", at]),
  ]),
  ...findSharedNames(declaration),
  ...findEpochNamesTaken(declaration),
];

export const isInsideZone = (name: string, zone: string): boolean => name === zone || name.endsWith(`.${zone}`);

const findOutside = ({ name, zone, families = [] }: Service, path: Path): ConfigurationProblem[] =>
  [
    { name, at: [...path, "name"] },
    ...families.map((family, at) => ({ name: family.name, at: [...path, "families", at, "name"] })),
  ]
    .filter((place) => !isInsideZone(place.name, zone))
    .map((place) => ({
      path: place.at,
      message: `"${place.name}" is not inside zone "${zone}"`,
      suggestion: suggestNearest(place.name, [`${place.name.split(".")[0]}.${zone}`]),
      restsOn: [["zones"], [...path, "zone"]],
    }));

/** The epoch record takes one more label than the service's own name. */
const findNoRoom = ({ epochLabel }: Declaration, { name, zone }: Service, path: Path): ConfigurationProblem[] => {
  if (!isInsideZone(name, zone) || epochName(epochLabel, name, zone) !== null) return [];
  return [
    {
      path: [...path, "name"],
      message: `"${name}" leaves no room for its epoch record, which has "${epochLabel}." in front and at most 253 characters`,
      suggestion: "a shorter name, or a shorter epochLabel",
      restsOn: [["epochLabel"]],
    },
  ];
};

/** The top of a service with several families is a static latency or geolocation record that isn't ours to write. */
const findLeafAtTop = ({ name, families = [] }: Service, path: Path): ConfigurationProblem[] =>
  families.length < 2
    ? []
    : families.flatMap((family, at) =>
        family.name === name
          ? [
              {
                path: [...path, "families", at, "name"],
                message: `family "${family.id}" is named as its service, whose own record leads viewers to the families`,
                suggestion: `a name of its own, such as ${family.id}.${name}`,
              },
            ]
          : [],
      );

/** A name that two services, or two families of one, would both write. */
const findSharedNames = ({ services }: Declaration): ConfigurationProblem[] => {
  const claims = services.flatMap((service, at) => {
    const families = service.families ?? [];
    const own = families.map((family, familyAt) => ({ key: family.name, path: ["services", at, "families", familyAt, "name"] }));
    const isNamedByFamily = families.some((family) => family.name === service.name);
    return isNamedByFamily ? own : [{ key: service.name, path: ["services", at, "name"] }, ...own];
  });
  return findDuplicates(claims, (name) => `the name "${name}"`);
};

const findEpochNamesTaken = (declaration: Declaration): ConfigurationProblem[] => {
  const ownerByEpochName = new Map<string, string>();
  for (const { id, name, zone } of declaration.services) {
    const epoch = epochName(declaration.epochLabel, name, zone);
    if (epoch !== null) ownerByEpochName.set(epoch, id);
  }
  return declaration.services.flatMap((service, at) =>
    [
      { name: service.name, path: ["services", at, "name"] },
      ...(service.families ?? []).map((family, familyAt) => ({
        name: family.name,
        path: ["services", at, "families", familyAt, "name"],
      })),
    ].flatMap(({ name, path }) => {
      const owner = ownerByEpochName.get(name);
      if (owner === undefined) return [];
      return [{ path, message: `"${name}" is the name of the epoch record of service "${owner}"`, restsOn: [["epochLabel"]] }];
    }),
  );
};
