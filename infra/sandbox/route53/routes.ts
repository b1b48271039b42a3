/** From method and path to an operation, as the service's model lists them. Pure. */
import {
  createHealthCheck,
  deleteHealthCheck,
  getHealthCheck,
  getHealthCheckCount,
  getHealthCheckStatus,
  listHealthChecks,
  updateHealthCheck,
} from "./operations/health-checks.ts";
import {
  createHostedZone,
  deleteHostedZone,
  getHostedZone,
  getHostedZoneCount,
  listHostedZones,
  listHostedZonesByName,
} from "./operations/hosted-zones.ts";
import type { Operation } from "./operations/operation.ts";
import { changeResourceRecordSets, getChange, listResourceRecordSets } from "./operations/record-sets.ts";

interface Route {
  readonly method: "GET" | "POST" | "DELETE";
  readonly path: RegExp;
  readonly name: string;
  readonly run: Operation;
}

const id = "([A-Za-z0-9-]{1,64})";
const route = (method: Route["method"], path: string, name: string, run: Operation): Route => ({
  method,
  path: new RegExp(`^/2013-04-01/${path}/?$`),
  name,
  run,
});

const routes: readonly Route[] = [
  route("POST", `hostedzone/${id}/rrset`, "ChangeResourceRecordSets", changeResourceRecordSets),
  route("GET", `hostedzone/${id}/rrset`, "ListResourceRecordSets", listResourceRecordSets),
  route("GET", `change/${id}`, "GetChange", getChange),
  route("POST", "hostedzone", "CreateHostedZone", createHostedZone),
  route("GET", "hostedzone", "ListHostedZones", listHostedZones),
  route("GET", "hostedzonesbyname", "ListHostedZonesByName", listHostedZonesByName),
  route("GET", "hostedzonecount", "GetHostedZoneCount", getHostedZoneCount),
  route("GET", `hostedzone/${id}`, "GetHostedZone", getHostedZone),
  route("DELETE", `hostedzone/${id}`, "DeleteHostedZone", deleteHostedZone),
  route("POST", "healthcheck", "CreateHealthCheck", createHealthCheck),
  route("GET", "healthcheck", "ListHealthChecks", listHealthChecks),
  route("GET", "healthcheckcount", "GetHealthCheckCount", getHealthCheckCount),
  route("GET", `healthcheck/${id}/status`, "GetHealthCheckStatus", getHealthCheckStatus),
  route("GET", `healthcheck/${id}`, "GetHealthCheck", getHealthCheck),
  route("POST", `healthcheck/${id}`, "UpdateHealthCheck", updateHealthCheck),
  route("DELETE", `healthcheck/${id}`, "DeleteHealthCheck", deleteHealthCheck),
];

export interface Found {
  readonly name: string;
  readonly id: string;
  readonly run: Operation;
}

export const findOperation = (method: string, path: string): Found | undefined => {
  for (const { method: wanted, path: pattern, name, run } of routes) {
    const match = wanted === method ? pattern.exec(path) : null;
    if (match) return { name, id: match[1] ?? "", run };
  }
  return undefined;
};
