/** What one agent is told to probe. Pure. Called when a report asks for its configuration, and by findAgentProblems for its counting. */
import type { AgentConfiguration, Assignment, Cadence, Check, Declaration, Endpoint, ProbeSpec, Service } from "@regent/contract";
import type { Settings } from "@regent/engine";
import { toProbeAddress } from "./probe-address.ts";
import { PROFILES } from "./profiles.ts";
import { toServiceSettings } from "./service-settings.ts";

/** Stands in `regionHeader.value` for the id of the region that is probed. */
export const REGION_PLACEHOLDER = "{region}";

/** What reports are meant for, so that they can't be replayed to another control plane. */
export const toAudience = (owner: string): string => `${owner}/v1/reports`;

/** Does an agent run a check declared `from` on an endpoint of its own region (`isOwnRegion`), or of another? */
export const isAssigned = (from: Check["from"], isOwnRegion: boolean): boolean => {
  switch (from) {
    case "inside":
      return isOwnRegion;
    case "outside":
      return !isOwnRegion;
    case "everywhere":
      return true;
  }
};

/**
 * The agent's configuration, or null when no such agent is declared. Assignments in declared order: service, endpoint, check. Reports as often
 * as the most demanding of its services wants. Throws when the declaration was not checked (a check without an address).
 */
export const toAgentConfiguration = (
  declaration: Declaration,
  agentId: string,
  { version, issuedAt, aud = toAudience(declaration.owner) }: { version: number; issuedAt: number; aud?: string },
): AgentConfiguration | null => {
  const agent = declaration.agents.find(({ id }) => id === agentId);
  if (agent === undefined) return null;
  const work = declaration.services.map((service) => {
    const settings = toServiceSettings(declaration, service);
    return { settings, assignments: toAssignments(service, agent.region, toCadence(settings)) };
  });
  const reportIntervals = work.filter(({ assignments }) => assignments.length > 0).map(({ settings }) => settings.reportMs);
  return {
    v: 1,
    agent: agent.id,
    region: agent.region,
    network: agent.network,
    aud,
    version,
    issuedAt,
    reportIntervalMs: reportIntervals.length > 0 ? Math.min(...reportIntervals) : PROFILES[declaration.profile].settings.reportMs,
    canaries: [...agent.canaries],
    assignments: work.flatMap(({ assignments }) => assignments),
  };
};

const toCadence = ({ intervalMs, recheckMs, timeoutMs, fall, clear, rise }: Settings): Cadence => ({
  intervalMs,
  recheckMs,
  timeoutMs,
  fall,
  clear,
  rise,
});

const toAssignments = (service: Service, ownRegion: string, cadence: Cadence): Assignment[] =>
  service.endpoints.flatMap((endpoint) =>
    service.checks
      .filter(({ from }) => isAssigned(from, endpoint.region === ownRegion))
      .map((check) => ({
        target: `${service.id}/${endpoint.region}/${check.id}`,
        cadence,
        probe: toProbe(service, endpoint, check),
      })),
  );

const toProbe = (service: Service, endpoint: Endpoint, check: Check): ProbeSpec => {
  const found = toProbeAddress(endpoint, check);
  if (found === null) throw new Error(`Service ${service.id} was not checked: ${check.id} has no address in ${endpoint.region}.`);
  const { id, from, scope, criticality, deep, weight, port, ...probe } = check;
  if (probe.kind !== "http") return { ...probe, address: found.address };
  const { regionHeader, ...http } = probe;
  // A client asks the endpoint for the service's name; without it, TLS and virtual hosts would judge a bare address.
  const host = http.host ?? (found.isEndpoint && !service.name.startsWith("*.") ? service.name : undefined);
  return {
    ...http,
    address: found.address,
    ...(host === undefined ? {} : { host }),
    ...(regionHeader === undefined
      ? {}
      : { regionHeader: { ...regionHeader, value: regionHeader.value.replaceAll(REGION_PLACEHOLDER, endpoint.region) } }),
  };
};
