/** Who may use which route: the one table. A route that isn't in it can't be mounted. */
import type { Role } from "../ports/access-store.ts";

/**
 * `public`: anybody who reaches the listener. `signed`: an agent, by its signature.
 * `role`: that role or a higher one; `reach` says what a token scoped to some services may do here: `service` the ones in its scope, `part` sees
 * its part of the answer, `all` nothing.
 */
export type RouteAccess =
  | { readonly kind: "public" }
  | { readonly kind: "signed" }
  | {
      readonly kind: "role";
      readonly role: Role;
      readonly reach: "service" | "part" | "all";
      /** Changes something: limited per actor, guarded against other sites. */
      readonly isMutation: boolean;
      /** Takes an Idempotency-Key. Not where the answer is a secret, which must not be kept. */
      readonly isOnce: boolean;
    };

const open = { kind: "public" } as const;
const look = (reach: "service" | "part" | "all"): RouteAccess => ({
  kind: "role",
  role: "viewer",
  reach,
  isMutation: false,
  isOnce: false,
});
const act = (role: Role, reach: "service" | "part" | "all"): RouteAccess => ({
  kind: "role",
  role,
  reach,
  isMutation: true,
  isOnce: true,
});

export const ROUTE_ACCESS = {
  "POST /v1/reports": { kind: "signed" },

  "GET /v1/overview": look("part"),
  "GET /v1/services/{service}": look("service"),
  "GET /v1/services/{service}/explanation": look("service"),
  "GET /v1/history": look("part"),
  "GET /v1/changes/{id}": look("part"),
  "GET /v1/events": look("part"),

  "POST /v1/services/{service}/failover": act("operator", "service"),
  "POST /v1/services/{service}/failback": act("operator", "service"),
  "POST /v1/services/{service}/adopt": act("admin", "service"),
  "POST /v1/services/{service}/release": act("admin", "service"),
  "POST /v1/services/{service}/drain": act("operator", "service"),
  "POST /v1/services/{service}/undrain": act("operator", "service"),
  "POST /v1/services/{service}/freeze": act("operator", "service"),
  "POST /v1/services/{service}/unfreeze": act("operator", "service"),
  "POST /v1/services/{service}/regions/{region}/freeze": act("operator", "service"),
  "POST /v1/services/{service}/regions/{region}/unfreeze": act("operator", "service"),
  "GET /v1/services/{service}/overrides": look("service"),
  "POST /v1/services/{service}/overrides": act("operator", "service"),
  "DELETE /v1/services/{service}/overrides/{override}": act("operator", "service"),
  "POST /v1/freeze": act("operator", "all"),
  "POST /v1/unfreeze": act("operator", "all"),

  // Of which services a region's is, is known when they are looked up: a scoped token must reach all of them.
  "POST /v1/regions/{region}/freeze": act("operator", "part"),
  "POST /v1/regions/{region}/unfreeze": act("operator", "part"),
  "POST /v1/regions/{region}/evacuate": act("operator", "part"),
  "POST /v1/regions/{region}/return": act("operator", "part"),
  "GET /v1/evacuations": look("part"),
  "GET /v1/evacuations/{id}": look("part"),
  "POST /v1/evacuations/{id}/stop": act("operator", "part"),

  "GET /v1/services/{service}/role": look("service"),
  "GET /v1/transfers": look("part"),
  "POST /v1/services/{service}/transfer/stop": act("operator", "service"),

  "GET /v1/approvals": look("part"),
  // Whose service an approval is of is known when it is found: a scoped token finds those in its scope.
  "POST /v1/approvals/{id}/approve": act("approver", "part"),
  "POST /v1/approvals/{id}/refuse": act("approver", "part"),

  "GET /v1/maintenance": look("part"),
  // A window may be about every service.
  "POST /v1/maintenance": act("operator", "all"),
  "DELETE /v1/maintenance/{id}": act("operator", "all"),

  "GET /v1/dead-letters": look("all"),
  "GET /v1/dead-letters/{id}": look("all"),
  "POST /v1/dead-letters/{id}/retry": act("operator", "all"),
  "DELETE /v1/dead-letters/{id}": act("operator", "all"),

  "GET /v1/recordings": look("all"),
  "GET /v1/incidents": look("all"),
  "POST /v1/incidents/{id}/acknowledge": act("operator", "all"),
  "POST /v1/notifiers/{id}/test": act("operator", "all"),

  "GET /v1/alerts": look("all"),
  "GET /v1/alert-rules": look("all"),
  "GET /v1/alert-rules/{id}/trial": look("all"),
  "PUT /v1/alert-rules/{id}": act("operator", "all"),
  "DELETE /v1/alert-rules/{id}": act("operator", "all"),

  "GET /v1/configuration": look("all"),
  "GET /v1/configuration/versions": look("all"),
  "GET /v1/configuration/versions/{version}": look("all"),
  "POST /v1/configuration/plan": { kind: "role", role: "operator", reach: "all", isMutation: false, isOnce: false },
  "PUT /v1/configuration": act("approver", "all"),

  "GET /v1/session": look("part"),
  "POST /v1/session/codes": { kind: "role", role: "operator", reach: "part", isMutation: true, isOnce: false },
  "POST /v1/session/end": { kind: "role", role: "viewer", reach: "part", isMutation: true, isOnce: false },
  "GET /open": open,

  "GET /livez": open,
  "GET /readyz": open,
  "GET /healthz": open,
  "GET /healthz/database": open,
  "GET /healthz/breakers": open,
  "GET /metrics": look("all"),
} as const satisfies Record<string, RouteAccess>;

export type RouteKey = keyof typeof ROUTE_ACCESS;

export const accessOf = (key: RouteKey): RouteAccess => ROUTE_ACCESS[key];
