/** Regions, zones and checks that are named but not declared, and ids that are declared twice. Pure. */
import type { Declaration, Service } from "@regent/contract";
import { suggestDeclared } from "../nearest.ts";
import type { ConfigurationProblem, Path } from "../problem-path.ts";
import { findDuplicates } from "./duplicates.ts";

export const findReferenceProblems = (declaration: Declaration): ConfigurationProblem[] => {
  const { zones, regions, services } = declaration;
  return [
    ...findDuplicates(
      zones.map(({ id }, at) => ({ key: id, path: ["zones", at, "id"] })),
      (id) => `zone id "${id}"`,
    ),
    ...findDuplicates(
      zones.map(({ name }, at) => ({ key: name, path: ["zones", at, "name"] })),
      (name) => `zone "${name}"`,
    ),
    ...zones.flatMap(({ name }, at) =>
      name.startsWith("*.") ? [{ path: ["zones", at, "name"], message: `a zone can't be a wildcard: "${name}"` }] : [],
    ),
    ...findDuplicates(
      regions.map(({ id }, at) => ({ key: id, path: ["regions", at, "id"] })),
      (id) => `region "${id}"`,
    ),
    ...findDuplicates(
      services.map(({ id }, at) => ({ key: id, path: ["services", at, "id"] })),
      (id) => `service "${id}"`,
    ),
    ...services.flatMap((service, at) => ofService(declaration, service, ["services", at])),
  ];
};

const ofService = ({ zones, regions }: Declaration, service: Service, path: Path): ConfigurationProblem[] => {
  const zoneNames = zones.map(({ name }) => name);
  const regionIds = regions.map(({ id }) => id);
  const checkIds = service.checks.map(({ id }) => id);
  const served = service.endpoints.map(({ region }) => region);
  const families = service.families ?? [];
  return [
    ...unknown("zone", service.zone, { known: zoneNames, path: [...path, "zone"], restsOn: [["zones"]] }),
    ...service.endpoints.flatMap(({ region, targets }, at) => [
      ...unknown("region", region, { known: regionIds, path: [...path, "endpoints", at, "region"], restsOn: [["regions"]] }),
      ...Object.keys(targets ?? {}).flatMap((check) =>
        unknown("check", check, {
          known: checkIds,
          path: [...path, "endpoints", at, "targets", check],
          restsOn: [[...path, "checks"]],
          isAboutKey: true,
        }),
      ),
    ]),
    ...families.flatMap(({ viewer, priority, capacity }, at) => [
      ...(viewer === undefined
        ? []
        : unknown("region", viewer, { known: regionIds, path: [...path, "families", at, "viewer"], restsOn: [["regions"]] })),
      ...Object.entries({ priority, capacity }).flatMap(([key, byRegion]) =>
        Object.keys(byRegion ?? {}).flatMap((region) =>
          unknown("endpoint", region, {
            known: served,
            path: [...path, "families", at, key, region],
            restsOn: [[...path, "endpoints"]],
            isAboutKey: true,
          }),
        ),
      ),
    ]),
    ...findDuplicates(
      service.endpoints.map(({ region }, at) => ({ key: region, path: [...path, "endpoints", at, "region"] })),
      (region) => `an endpoint in region "${region}"`,
    ),
    ...findDuplicates(
      service.endpoints.flatMap(({ priority }, at) =>
        priority === undefined ? [] : [{ key: priority, path: [...path, "endpoints", at, "priority"] }],
      ),
      (priority) => `priority ${priority}`,
    ),
    ...findDuplicates(
      service.checks.map(({ id }, at) => ({ key: id, path: [...path, "checks", at, "id"] })),
      (id) => `check "${id}"`,
    ),
    ...findDuplicates(
      families.map(({ id }, at) => ({ key: id, path: [...path, "families", at, "id"] })),
      (id) => `family "${id}"`,
    ),
    ...findCrowding(service, path),
  ];
};

interface Reference {
  readonly known: readonly string[];
  readonly path: Path;
  readonly restsOn: readonly Path[];
  readonly isAboutKey?: boolean;
}

const unknown = (what: string, id: string, { known, ...at }: Reference): ConfigurationProblem[] =>
  known.includes(id) ? [] : [{ ...at, message: `unknown ${what} "${id}"`, suggestion: suggestDeclared(id, known) }];

/** More regions asked for than there are, and families whose priorities come out equal. */
const findCrowding = (service: Service, path: Path): ConfigurationProblem[] => {
  const { endpoints, regionsMin, families = [] } = service;
  const restsOn = [[...path, "endpoints"]];
  const tooMany =
    regionsMin !== undefined && regionsMin > endpoints.length
      ? [
          {
            path: [...path, "regionsMin"],
            message: `${regionsMin} regions must keep a positive weight, and the service has ${endpoints.length}`,
            restsOn,
          },
        ]
      : [];
  const equal = families.flatMap(({ priority = {} }, at) =>
    findDuplicates(
      Object.entries(priority).map(([region, key]) => ({ key: key ?? 0, path: [...path, "families", at, "priority", region] })),
      (key) => `priority ${key}`,
    ),
  );
  return [...tooMany, ...equal];
};
