/** One request for each guarded route that its fake control plane answers well. A route without a row here fails the tests of every door. */
import { ROUTE_ACCESS, type RouteAccess, type RouteKey } from "../route-access.ts";
import type { AskOptions } from "./doors.ts";
import { CHANGE_ID } from "./fake-control-plane.ts";

const reason = "a drill on Monday";
const asked = { body: { reason } };
const inRegion = { body: { region: "east", reason } };
const yaml = { headers: { "content-type": "text/yaml", "if-match": '"7"' }, body: "regent: 1\n" };

const OPTIONS: Partial<Record<RouteKey, Pick<AskOptions, "body" | "headers">>> = {
  "POST /v1/services/{service}/failover": { body: { to: "west", reason } },
  "POST /v1/services/{service}/failback": asked,
  "POST /v1/services/{service}/adopt": asked,
  "POST /v1/services/{service}/release": asked,
  "POST /v1/services/{service}/drain": inRegion,
  "POST /v1/services/{service}/undrain": inRegion,
  "POST /v1/services/{service}/freeze": asked,
  "POST /v1/services/{service}/unfreeze": asked,
  "POST /v1/services/{service}/regions/{region}/freeze": asked,
  "POST /v1/services/{service}/regions/{region}/unfreeze": asked,
  "POST /v1/services/{service}/overrides": { body: { what: { kind: "off", region: "east" }, forSeconds: 3_600, reason } },
  "DELETE /v1/services/{service}/overrides/{override}": asked,
  "POST /v1/freeze": asked,
  "POST /v1/unfreeze": asked,
  "POST /v1/regions/{region}/freeze": asked,
  "POST /v1/regions/{region}/unfreeze": asked,
  "POST /v1/regions/{region}/evacuate": asked,
  "POST /v1/regions/{region}/return": asked,
  "POST /v1/evacuations/{id}/stop": asked,
  "POST /v1/services/{service}/transfer/stop": asked,
  "POST /v1/approvals/{id}/approve": asked,
  "POST /v1/approvals/{id}/refuse": asked,
  "POST /v1/maintenance": { body: { regions: ["east"], minutes: 60, reason } },
  "DELETE /v1/maintenance/{id}": asked,
  "POST /v1/incidents/{id}/acknowledge": asked,
  "POST /v1/notifiers/{id}/test": asked,
  "POST /v1/dead-letters/{id}/retry": asked,
  "DELETE /v1/dead-letters/{id}": asked,
  "PUT /v1/alert-rules/{id}": { body: { for: 5, expectedVersion: 0, reason } },
  "DELETE /v1/alert-rules/{id}": { body: { expectedVersion: 1, reason } },
  "POST /v1/configuration/plan": yaml,
  "PUT /v1/configuration": yaml,
};

const IDS: readonly (readonly [part: string, id: string])[] = [
  ["{service}", "shop"],
  ["{region}", "east"],
  ["{override}", CHANGE_ID],
  ["{version}", "6"],
  ["/notifiers/{id}", "/notifiers/pager"],
  ["/alert-rules/{id}", "/alert-rules/agents-missing"],
  ["{id}", CHANGE_ID],
];
const QUERIES: Partial<Record<RouteKey, string>> = { "GET /v1/recordings": "?from=1000&to=2000" };

export const toAsk = (key: RouteKey) => {
  const [method = "", pattern = ""] = key.split(" ");
  const path = IDS.reduce((told, [part, id]) => told.replace(part, id), pattern);
  return { method, pattern, path: `${path}${QUERIES[key] ?? ""}`, options: OPTIONS[key] ?? {} };
};

type Guarded = Extract<RouteAccess, { kind: "role" }> & { readonly key: RouteKey };

export const EVERY_ROUTE = Object.entries(ROUTE_ACCESS) as readonly [RouteKey, RouteAccess][];
export const GUARDED: readonly Guarded[] = EVERY_ROUTE.flatMap(([key, access]) =>
  access.kind === "role" ? [{ key, ...access }] : [],
);
