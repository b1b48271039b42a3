/** What an endpoint publishes: types that agree within a service, values that DNS takes, aliases that lead somewhere. Pure. */
import { isIPv4, isIPv6 } from "node:net";
import type { AliasTarget, Declaration, Endpoint, RecordType, Service } from "@regent/contract";
import { DomainName } from "@regent/contract";
import type { ConfigurationProblem, Path } from "../problem-path.ts";
import { toTypes } from "../record-types.ts";
import { findDuplicates } from "./duplicates.ts";
import { isInsideZone } from "./names.ts";

export const findRecordProblems = (declaration: Declaration): ConfigurationProblem[] =>
  declaration.services.flatMap((service, at) => {
    const path = ["services", at];
    return [
      ...findTypeProblems(service, path),
      ...findApexProblems(service, path),
      ...service.endpoints.flatMap((endpoint, endpointAt) =>
        toTypes([endpoint]).flatMap((type) =>
          findAnswerProblems({ declaration, service, endpoint, type, path: [...path, "endpoints", endpointAt, type] }),
        ),
      ),
    ];
  });

/** All of a service's types share its weights, so every endpoint must answer every type. */
const findTypeProblems = (service: Service, path: Path): ConfigurationProblem[] => {
  const wanted = toTypes(service.endpoints.slice(0, 1));
  return service.endpoints.flatMap((endpoint, at) => {
    const place = { path: [...path, "endpoints", at], restsOn: [[...path, "endpoints"]] };
    const types = toTypes([endpoint]);
    if (types.length === 0)
      return [{ ...place, message: "publishes nothing", suggestion: "declare A, AAAA, both, or CNAME alone" }];
    if (types.includes("CNAME") && types.length > 1)
      return [{ ...place, message: `CNAME can't stand beside ${types.filter((type) => type !== "CNAME").join(" and ")}` }];
    if (wanted.length === 0 || types.join() === wanted.join()) return [];
    return [
      {
        ...place,
        message: `publishes ${types.join(" and ")}, the endpoint in ${service.endpoints[0]?.region} ${wanted.join(" and ")}`,
        suggestion: "every endpoint of a service declares the same types",
      },
    ];
  });
};

const findApexProblems = (service: Service, path: Path): ConfigurationProblem[] => {
  if (!service.endpoints.some(({ CNAME }) => CNAME !== undefined)) return [];
  const places = service.families?.map(({ name }, at) => ({ name, path: [...path, "families", at, "name"] })) ?? [
    { name: service.name, path: [...path, "name"] },
  ];
  return places
    .filter(({ name }) => name === service.zone)
    .map((place) => ({
      path: place.path,
      message: `a CNAME can't stand at the top of zone "${service.zone}"`,
      suggestion: "A and AAAA, with values or an alias",
      restsOn: [[...path, "endpoints"]],
    }));
};

interface AnswerPlace {
  readonly declaration: Declaration;
  readonly service: Service;
  readonly endpoint: Endpoint;
  readonly type: RecordType;
  readonly path: Path;
}

const findAnswerProblems = (place: AnswerPlace): ConfigurationProblem[] => {
  const answer = place.endpoint[place.type];
  if (answer === undefined) return [];
  return Array.isArray(answer) ? findValueProblems(place, answer) : findAliasProblems(place, answer.alias);
};

const VALUE_WORDS: Readonly<Record<RecordType, string>> = {
  A: "an IPv4 address",
  AAAA: "an IPv6 address",
  CNAME: "a domain name in lower case without final dot",
};

const findValueProblems = ({ service, type, path }: AnswerPlace, values: readonly string[]): ConfigurationProblem[] => [
  ...values.flatMap((value, at) =>
    isValue(type, value)
      ? []
      : [{ path: [...path, at], message: `"${value}" is not ${VALUE_WORDS[type]}`, suggestion: suggestType(type, value) }],
  ),
  ...findDuplicates(
    values.map((value, at) => ({ key: value.toLowerCase(), path: [...path, at] })),
    (value) => `${type} ${value}`,
  ),
  ...(type === "CNAME" && values.length > 1 ? [{ path, message: `a CNAME has one value, this one ${values.length}` }] : []),
  ...values.flatMap((value, at) =>
    type === "CNAME" && namesOf(service).includes(value)
      ? [{ path: [...path, at], message: `"${value}" leads back to itself` }]
      : [],
  ),
];

const isValue = (type: RecordType, value: string): boolean => {
  switch (type) {
    case "A":
      return isIPv4(value);
    case "AAAA":
      return isIPv6(value) && !value.includes("%");
    case "CNAME":
      return DomainName.safeParse(value).success && !value.startsWith("*.");
  }
};

const suggestType = (type: RecordType, value: string): string | undefined => {
  if (type === "A" && isIPv6(value)) return "an IPv6 address goes under AAAA";
  if (type === "AAAA" && isIPv4(value)) return "an IPv4 address goes under A";
  if (type !== "CNAME" && /[a-z]/.test(value) && DomainName.safeParse(value).success)
    return "a name goes under CNAME, or is an alias";
  return undefined;
};

/** Route 53's rules for aliases that can be told from here; the rest it says itself when the batch is sent. */
const findAliasProblems = ({ declaration, service, type, path }: AnswerPlace, alias: AliasTarget): ConfigurationProblem[] => {
  const place = [...path, "alias", "name"];
  if (namesOf(service).includes(alias.name)) return [{ path: place, message: `"${alias.name}" leads back to itself` }];
  const zone = declaration.zones.find(({ id }) => id === alias.hostedZoneId);
  if (zone !== undefined && !isInsideZone(alias.name, zone.name))
    return [
      {
        path: place,
        message: `"${alias.name}" is not inside zone "${zone.name}" (${zone.id})`,
        restsOn: [["zones"], [...path, "alias"]],
      },
    ];
  const own = declaration.zones.find(({ name }) => name === service.zone);
  if (type === "CNAME" && own !== undefined && alias.hostedZoneId !== own.id)
    return [
      {
        path: [...path, "alias", "hostedZoneId"],
        message: `an alias of type CNAME leads only into its own zone, ${own.id}`,
        suggestion: "A and AAAA aliases may lead elsewhere",
        restsOn: [["zones"]],
      },
    ];
  return [];
};

const namesOf = ({ name, families }: Service): string[] => families?.map((family) => family.name) ?? [name];
