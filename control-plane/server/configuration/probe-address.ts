/** Where agents dial one check of one endpoint. Pure. Called by find-problems' target checks and by to-agent-configuration.ts. */
import type { Check, Endpoint, EndpointAnswer } from "@regent/contract";

export interface ProbeAddress {
  /** `host:port` */
  readonly address: string;
  /** False when the check has a target of its own: that host answers under its own name, not under the service's. */
  readonly isEndpoint: boolean;
}

/**
 * The check's own target in this region; else, for http and tcp, the endpoint's probe address; else the first published value (A, then AAAA,
 * then CNAME; of an alias its name) with the check's port, which for http is 80 or 443 when not given. null when none of these is declared.
 */
export const toProbeAddress = (endpoint: Endpoint, check: Check): ProbeAddress | null => {
  const target = endpoint.targets?.[check.id];
  if (target !== undefined) return { address: target, isEndpoint: false };
  if (check.kind === "postgres") return null;
  if (endpoint.probe !== undefined) return { address: endpoint.probe.address, isEndpoint: true };
  const port = check.port ?? defaultPort(check);
  const answer = endpoint.A ?? endpoint.AAAA ?? endpoint.CNAME;
  const host = answer === undefined ? undefined : firstHost(answer);
  if (port === undefined || host === undefined) return null;
  return { address: host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`, isEndpoint: true };
};

const defaultPort = (check: Check): number | undefined => {
  if (check.kind !== "http") return undefined;
  return check.tls ? 443 : 80;
};

const firstHost = (answer: EndpointAnswer): string | undefined => (Array.isArray(answer) ? answer[0] : answer.alias.name);
