/** Builds the HTTP face of a control plane: every route, behind the same checks. */
import { OpenAPIHono } from "@hono/zod-openapi";
import { createCredentialReader } from "../access/credential-reader.ts";
import { createLanes } from "../access/lanes.ts";
import { createRateLimit } from "../access/rate-limit.ts";
import { MUTATIONS_BURST, MUTATIONS_PER_SECOND, SIGN_IN_FAILURES_PER_MINUTE } from "../limits.ts";
import { readDashboard } from "./dashboard-files.ts";
import type { AppDeps, HttpContext, HttpEnv } from "./env.ts";
import { createEventStreams } from "./event-streams.ts";
import { createHostCheck } from "./middleware/host-check.ts";
import { createOnce } from "./middleware/once.ts";
import { createRequestLog } from "./middleware/request-log.ts";
import { createSecurityHeaders } from "./middleware/security-headers.ts";
import type { Mount } from "./mount-route.ts";
import { type Failure, toFailure, toProblemResponse, toSlug } from "./problems.ts";
import { mountAlerts } from "./routes/alerts.ts";
import { mountApprovals } from "./routes/approvals.ts";
import { mountConfiguration } from "./routes/configuration.ts";
import { mountDashboard } from "./routes/dashboard.ts";
import { mountDeadLetters } from "./routes/dead-letters.ts";
import { mountDocs } from "./routes/docs.ts";
import { mountEvacuations } from "./routes/evacuations.ts";
import { mountEvents } from "./routes/events.ts";
import { mountFreezes } from "./routes/freezes.ts";
import { mountHealth } from "./routes/health.ts";
import { mountIncidents } from "./routes/incidents.ts";
import { mountMaintenance } from "./routes/maintenance.ts";
import { mountMoves } from "./routes/moves.ts";
import { mountNames } from "./routes/names.ts";
import { mountOverrides } from "./routes/overrides.ts";
import { mountRecordings } from "./routes/recordings.ts";
import { mountReports } from "./routes/reports.ts";
import { mountSessions, toCookieName } from "./routes/sessions.ts";
import { mountTransfers } from "./routes/transfers.ts";
import { mountViews } from "./routes/views.ts";

export type RegentApp = OpenAPIHono<HttpEnv> & {
  /** Ends the live streams and lets none begin: the first step of a graceful stop. */
  readonly endStreams: () => void;
};

export const createApp = (deps: AppDeps): RegentApp => {
  const { access, clock, controlPlane, cookieSecure } = deps;
  const app = createBase(deps);
  const credentials = createCredentialReader(access, clock);
  const failures = createRateLimit({ burst: SIGN_IN_FAILURES_PER_MINUTE, perSecond: SIGN_IN_FAILURES_PER_MINUTE / 60 }, clock);
  const mutations = createRateLimit({ burst: MUTATIONS_BURST, perSecond: MUTATIONS_PER_SECOND }, clock);
  const cookieName = toCookieName(cookieSecure);
  const lanes = deps.lanes ?? createLanes({ monotonic: clock.monotonic });
  const streams = createEventStreams({ controlPlane, clock });
  const mount: Mount = {
    app,
    admission: { credentials, failures, mutations, cookieName, controlPlane },
    lanes,
    once: createOnce(access),
    controlPlane,
  };
  mountReports(mount, { ...deps, lanes });
  mountViews(mount, deps);
  mountMoves(mount, deps);
  mountTransfers(mount, deps);
  mountApprovals(mount, deps);
  mountNames(mount, deps);
  mountFreezes(mount, deps);
  mountOverrides(mount, deps);
  mountEvacuations(mount, deps);
  mountMaintenance(mount, deps);
  mountDeadLetters(mount, deps);
  mountIncidents(mount, deps);
  mountRecordings(mount, deps);
  mountAlerts(mount, deps);
  mountConfiguration(mount, deps);
  mountEvents(mount, { streams });
  mountSessions(mount, { ...deps, credentials, failures });
  mountHealth(mount, { ...deps, streams });
  mountDocs(app, { cookieName });
  mountDashboard(app, readDashboard(deps.staticDir));
  return Object.assign(app, { endStreams: streams.close });
};

const createBase = ({ controlPlane, clock, log, listen, cookieSecure }: AppDeps): OpenAPIHono<HttpEnv> => {
  const app = new OpenAPIHono<HttpEnv>({
    defaultHook: (result, c) => {
      if (result.success) return undefined;
      const errors = result.error.issues.slice(0, ERRORS_TOLD_MAX).map((i) => ({ path: i.path.join("."), message: i.message }));
      controlPlane.countRefusal("operator", "invalid-request");
      return toProblemResponse(c, { kind: "invalid-request", detail: errors[0]?.message ?? "not valid", errors });
    },
  });
  app.use(createRequestLog({ log, clock, isBehindProxy: listen.isBehindProxy }));
  app.use(createSecurityHeaders({ isTls: cookieSecure }));
  app.use(createHostCheck(listen.hostNames));
  app.notFound((c) => toProblemResponse(c, { kind: "not-found", what: `${c.req.method} ${c.req.path}` }));
  app.onError((error, c) => answerThrown(c, error, { controlPlane, log }));
  return app;
};

/** More would help nobody, and an answer must stay small whatever was sent. */
const ERRORS_TOLD_MAX = 20;

const answerThrown = (c: HttpContext, error: Error, { controlPlane, log }: Pick<AppDeps, "controlPlane" | "log">): Response => {
  const failure: Failure = hasLeft(c) ? { kind: "invalid-request", detail: "the body broke off" } : toFailure(error);
  if (failure.kind === "internal") log.error({ err: error, requestId: c.get("requestId"), path: c.req.path }, "request failed");
  controlPlane.countRefusal(c.req.path === "/v1/reports" ? "reports" : "operator", toSlug(failure));
  return toProblemResponse(c, failure);
};

/** The sender went away, or was cut for being too slow, within its body: nothing of ours failed, and anybody may do it. */
const hasLeft = (c: HttpContext): boolean => {
  const incoming = c.env?.incoming;
  return incoming?.destroyed === true && !incoming.complete;
};
