/** A valid declaration as the engine takes it: everything resolved, nothing left to default. Pure. */
import { createHash } from "node:crypto";
import type { Check, Declaration, Drift, Endpoint, Family, Service } from "@regent/contract";
import type { CheckSpec, EditClass, EndpointSpec, FamilySpec, ServiceSpec } from "@regent/engine";
import { epochName } from "@regent/engine";
import { isSized, sizeOf } from "./endpoint-size.ts";
import { toTypes } from "./record-types.ts";
import { toServiceSafety, toServiceSettings, toTtlSeconds } from "./service-settings.ts";
import { toStableText } from "./stable-text.ts";

/** In declared order. Throws when the declaration was not checked (findDeclarationProblems): an unknown zone, no room for the epoch record. */
export const toServiceSpecs = (declaration: Declaration): ServiceSpec[] =>
  declaration.services.map((service) => toServiceSpec(declaration, service));

const toServiceSpec = (declaration: Declaration, service: Service): ServiceSpec => {
  const zone = declaration.zones.find(({ name }) => name === service.zone);
  const epoch = epochName(declaration.epochLabel, service.name, service.zone);
  if (zone === undefined || epoch === null) throw new Error(`Service ${service.id} was not checked: zone or epoch record name.`);
  const endpoints = toEndpointSpecs(service.endpoints);
  return {
    id: service.id,
    name: service.name,
    zoneId: zone.id,
    priority: service.priority,
    owner: declaration.owner,
    epochName: epoch,
    ttlSeconds: toTtlSeconds(declaration, service),
    types: toTypes(service.endpoints),
    mode: service.mode,
    strategy: service.strategy,
    settings: toServiceSettings(declaration, service),
    quorumNetworks: service.quorum?.networks ?? declaration.quorum.networks,
    regionsMin: service.regionsMin ?? defaultRegionsMin(service),
    drift: toDriftPolicies(declaration.drift, service.drift),
    safety: toServiceSafety(declaration, service),
    isSized: isSized(service),
    stateful: toStatefulSpec(service.stateful),
    endpoints,
    checks: service.checks.map(toCheckSpec),
    probed: toProbed(service),
    families: (service.families ?? [{ id: "default", name: service.name }]).map((family) => toFamilySpec(family, endpoints)),
  };
};

/** The engine needs no addresses and paths, but has to know that a release of ours changed them (A11). */
const toProbed = ({ checks, endpoints }: Service): string => {
  const places = endpoints.map(({ region, probe, targets }) => ({ region, probe, targets }));
  return createHash("sha256").update(toStableText({ checks, places })).digest("hex").slice(0, 16);
};

const toStatefulSpec = (stateful: Service["stateful"]): ServiceSpec["stateful"] =>
  stateful === undefined
    ? null
    : {
        check: stateful.check,
        lagMaxMs: stateful.lagMaxSeconds * 1_000,
        leaseMs: stateful.leaseSeconds * 1_000,
        prepareMs: stateful.prepareSeconds * 1_000,
        roleMs: stateful.roleSeconds * 1_000,
        hasHook: stateful.hook !== undefined,
      };

/** What a service says of a class counts; then its policy for all, then the declaration's. */
const toDriftPolicies = (all: Drift, own: Drift | undefined): ServiceSpec["drift"] => {
  const policyOf = (drift: Drift | undefined, of: EditClass) => (typeof drift === "string" ? drift : drift?.[of]);
  const resolve = (of: EditClass) => policyOf(own, of) ?? policyOf(all, of) ?? "report";
  return {
    weight: resolve("weight"),
    value: resolve("value"),
    ttl: resolve("ttl"),
    missing: resolve("missing"),
    extra: resolve("extra"),
    healthcheck: resolve("healthcheck"),
  };
};

/** Three regions that share the load keep two; elsewhere one must be enough. */
const defaultRegionsMin = ({ endpoints, strategy }: Service): number =>
  endpoints.length >= 3 && strategy.kind === "active-active" ? 2 : 1;

/** Priorities that aren't declared follow the largest declared one, in declared order: alone, 1, 2, 3. */
const toEndpointSpecs = (endpoints: readonly Endpoint[]): EndpointSpec[] => {
  let last = Math.max(0, ...endpoints.map(({ priority }) => priority ?? 0));
  return endpoints.map((endpoint) => {
    const priority = endpoint.priority ?? ++last;
    const { region, healthCheckId } = endpoint;
    const answers = Object.fromEntries(toTypes([endpoint]).map((type) => [type, endpoint[type]])) as EndpointSpec["answers"];
    return { region, priority, ...sizeOf(endpoint), answers, ...(healthCheckId === undefined ? {} : { healthCheckId }) };
  });
};

const toCheckSpec = ({ id, from, scope, criticality, deep, weight, latencyWarnMs, latencyCritMs }: Check): CheckSpec => ({
  id,
  from,
  scope,
  criticality,
  deep,
  weight,
  ...(latencyWarnMs === undefined ? {} : { latencyWarnMs }),
  ...(latencyCritMs === undefined ? {} : { latencyCritMs }),
});

/** Priority and capacity of every region: the endpoint's, under the family's own. */
const toFamilySpec = (
  { id, name, viewer, priority = {}, capacity = {} }: Family,
  endpoints: readonly EndpointSpec[],
): FamilySpec => ({
  id,
  name,
  ...(viewer === undefined ? {} : { viewer }),
  priority: Object.fromEntries(endpoints.map((endpoint) => [endpoint.region, priority[endpoint.region] ?? endpoint.priority])),
  capacity: Object.fromEntries(endpoints.map((endpoint) => [endpoint.region, capacity[endpoint.region] ?? endpoint.capacity])),
});
