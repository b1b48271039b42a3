/**
 * A small typed client of the HTTP API, for the command line and for programs. It imports the contract only, so it can run anywhere; answers are
 * parsed, and may hold more than it knows.
 */
import {
  type AdoptRequest,
  AlertList,
  AlertRuleAnswer,
  type AlertRuleDropRequest,
  AlertRuleList,
  type AlertRuleRequest,
  AlertTrial,
  ApplyAnswer,
  Approval,
  ApprovalList,
  Change,
  DeadLetterAnswer,
  DeadLetterDetail,
  DeadLetterPage,
  type DrainRequest,
  Evacuation,
  EvacuationAnswer,
  EvacuationPage,
  type EvacuationRequest,
  Explanation,
  type FailbackRequest,
  type FailoverRequest,
  type HistoryKind,
  HistoryPage,
  Incident,
  IncidentPage,
  LiveEvent,
  MaintenanceAnswer,
  MaintenanceEnded,
  MaintenanceList,
  type MaintenanceRequest,
  MoveAnswer,
  NotifierTestAnswer,
  OverrideAnswer,
  OverrideEnded,
  OverrideList,
  type OverrideRequest,
  Overview,
  PlanAnswer,
  Problem,
  Recording,
  type ReleaseRequest,
  ReportReceipt,
  RoleAnswer,
  ServiceState,
  TransferList,
  TransferState,
} from "@regent/contract";
import * as z from "zod";
import { type EventFeed, readEvents } from "./client-events.ts";
import {
  BreakersAnswer,
  CodeAnswer,
  ConfigurationAnswer,
  ConfigurationVersionDetail,
  ConfigurationVersionPage,
  DatabaseAnswer,
  FreezeAnswer,
  HealthAnswer,
  Liveness,
  ReadinessAnswer,
  SessionEnded,
  SessionState,
} from "./wire.ts";

/** A problem with the members that its type may bring along. */
export const ProblemAnswer = Problem.extend({
  errors: z
    .array(
      z.looseObject({
        path: z.string(),
        message: z.string(),
        line: z.int().optional(),
        column: z.int().optional(),
        suggestion: z.string().optional(),
      }),
    )
    .optional(),
  requestId: z.string().optional(),
  /** `stale-revision`: the revision that the service is at. */
  revision: z.int().optional(),
  /** `stale-approval`: the id of what is asked now, null when nothing is. */
  approval: z.string().nullable().optional(),
  /** `approval-closed`: what it ended as, and who ended it. */
  state: z.string().optional(),
  by: z.string().nullable().optional(),
  answeredAt: z.int().nullable().optional(),
  /** `evacuation-running`: the id of the one that runs. */
  evacuation: z.string().optional(),
  /** `override-stands`: the id of the one that stands. */
  override: z.string().nullable().optional(),
  /** `stale-configuration`: the version in force. */
  version: z.int().optional(),
  /** `refused-by-rule`: every rule's answer and the batch that wasn't sent. */
  answer: MoveAnswer.optional(),
  ack: z.int().optional(),
  serverTime: z.int().optional(),
});
export type ProblemAnswer = z.infer<typeof ProblemAnswer>;

export type ClientAnswer<T> =
  | { readonly kind: "ok"; readonly value: T; readonly isReplay: boolean }
  | { readonly kind: "problem"; readonly problem: ProblemAnswer; readonly retryAfterSeconds: number | null }
  | { readonly kind: "unreachable"; readonly why: string };

export type FreezeTarget = { readonly service?: string; readonly region?: string };

/** What a caller leaves out has the contract's default. */
type Asked<T> = Pick<T, Exclude<keyof T, "dryRun" | "breakGlass">> & Partial<T>;

export interface MutationOptions {
  /** Give the same key to ask for the answer of the same request again. A fresh one by default. */
  readonly idempotencyKey?: string;
}

export interface ClientDeps {
  /** `http://127.0.0.1:8080`, without a path. */
  readonly url: string;
  /** Null for the routes that need none. */
  readonly token: string | null;
  readonly fetch?: typeof fetch;
  readonly timeoutMs?: number;
}

export interface SignedReport {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface HistoryQuery {
  readonly service?: string;
  readonly kinds?: readonly HistoryKind[];
  readonly limit?: number;
  readonly cursor?: string;
}

/** An operator waits for a zone's turn behind others; beyond this something is wrong. */
const TIMEOUT_MS = 20_000;

export type Client = ReturnType<typeof createClient>;

export const createClient = (deps: ClientDeps) => {
  const ask = createAsk(deps);
  const get = <A extends z.ZodType>(path: string, schema: A) => ask({ method: "GET", path, schema });
  const mutate = <A extends z.ZodType>(
    path: string,
    schema: A,
    body: unknown,
    { idempotencyKey, method = "POST" }: MutationOptions & { readonly method?: "POST" | "PUT" | "DELETE" } = {},
  ) =>
    ask({
      method,
      path,
      schema,
      body: { type: "application/json", text: JSON.stringify(body) },
      ...toKey(idempotencyKey),
    });
  const move = <B extends Asked<FailbackRequest> | Asked<AdoptRequest>>(verb: string) => {
    return (service: string, request: B, options?: MutationOptions) =>
      mutate(`${toServicePath(service)}/${verb}`, MoveAnswer, request, options);
  };
  const evacuate =
    (verb: "evacuate" | "return") => (region: string, request: Asked<EvacuationRequest>, options?: MutationOptions) =>
      mutate(`/v1/regions/${encodeURIComponent(region)}/${verb}`, EvacuationAnswer, request, options);
  const freeze = (verb: "freeze" | "unfreeze") => (target: FreezeTarget, reason: string, options?: MutationOptions) =>
    mutate(`${toFreezePath(target)}/${verb}`, FreezeAnswer, { reason }, options);

  return {
    overview: () => get("/v1/overview", Overview),
    service: (service: string) => get(toServicePath(service), ServiceState),
    explain: (service: string) => get(`${toServicePath(service)}/explanation`, Explanation),
    failover: move<Asked<FailoverRequest>>("failover"),
    failback: move<Asked<FailbackRequest>>("failback"),
    drain: move<Asked<DrainRequest>>("drain"),
    undrain: move<Asked<DrainRequest>>("undrain"),
    adopt: move<Asked<AdoptRequest>>("adopt"),
    release: move<Asked<ReleaseRequest>>("release"),
    /** Who may write: to be believed for `validForMs` from before this was called. */
    role: (service: string, region?: string) =>
      get(`${toServicePath(service)}/role${region === undefined ? "" : `?region=${encodeURIComponent(region)}`}`, RoleAnswer),
    transfers: () => get("/v1/transfers", TransferList),
    stopTransfer: (service: string, reason: string, options?: MutationOptions) =>
      mutate(`${toServicePath(service)}/transfer/stop`, TransferState, { reason }, options),
    /** What waits for a person, then the last answers. */
    approvals: () => get("/v1/approvals", ApprovalList),
    approve: (id: string, reason: string, options?: MutationOptions) =>
      mutate(`/v1/approvals/${encodeURIComponent(id)}/approve`, MoveAnswer, { reason }, options),
    refuse: (id: string, reason: string, options?: MutationOptions) =>
      mutate(`/v1/approvals/${encodeURIComponent(id)}/refuse`, Approval, { reason }, options),
    /** A region of every service. `return` takes back what an evacuation drained. */
    evacuate: evacuate("evacuate"),
    returnTo: evacuate("return"),
    evacuations: ({
      limit,
      cursor,
      region,
    }: {
      readonly limit?: number;
      readonly cursor?: string;
      readonly region?: string;
    } = {}) => get(`/v1/evacuations${toQuery({ limit, cursor, region })}`, EvacuationPage),
    evacuation: (id: string) => get(`/v1/evacuations/${encodeURIComponent(id)}`, Evacuation),
    stopEvacuation: (id: string, reason: string, options?: MutationOptions) =>
      mutate(`/v1/evacuations/${encodeURIComponent(id)}/stop`, Evacuation, { reason }, options),
    /** Everything, a service, one region of a service, or a region of every service. */
    freeze: freeze("freeze"),
    unfreeze: freeze("unfreeze"),
    /** Declared and planned windows, in force or to come. */
    maintenance: () => get("/v1/maintenance", MaintenanceList),
    planMaintenance: (request: Asked<MaintenanceRequest>, options?: MutationOptions) =>
      mutate("/v1/maintenance", MaintenanceAnswer, request, options),
    endMaintenance: (id: string, reason: string, options?: MutationOptions) =>
      mutate(`/v1/maintenance/${encodeURIComponent(id)}`, MaintenanceEnded, { reason }, { ...options, method: "DELETE" }),
    overrides: (service: string) => get(`${toServicePath(service)}/overrides`, OverrideList),
    setOverride: (service: string, request: Asked<OverrideRequest>, options?: MutationOptions) =>
      mutate(`${toServicePath(service)}/overrides`, OverrideAnswer, request, options),
    endOverride: (service: string, id: string, reason: string, options?: MutationOptions) =>
      mutate(
        `${toServicePath(service)}/overrides/${encodeURIComponent(id)}`,
        OverrideEnded,
        { reason },
        { ...options, method: "DELETE" },
      ),
    history: (query: HistoryQuery = {}) => get(`/v1/history${toQuery(query)}`, HistoryPage),
    change: (id: string) => get(`/v1/changes/${encodeURIComponent(id)}`, Change),
    deadLetters: ({ limit, cursor }: { readonly limit?: number; readonly cursor?: string } = {}) =>
      get(`/v1/dead-letters${toQuery({ limit, cursor })}`, DeadLetterPage),
    deadLetter: (id: string) => get(`/v1/dead-letters/${encodeURIComponent(id)}`, DeadLetterDetail),
    retryDeadLetter: (id: string, reason: string, options?: MutationOptions) =>
      mutate(`/v1/dead-letters/${encodeURIComponent(id)}/retry`, DeadLetterAnswer, { reason }, options),
    incidents: ({
      limit,
      cursor,
      state,
    }: {
      readonly limit?: number;
      readonly cursor?: string;
      readonly state?: "open" | "closed";
    } = {}) => get(`/v1/incidents${toQuery({ limit, cursor, state })}`, IncidentPage),
    acknowledgeIncident: (id: string, reason: string, options?: MutationOptions) =>
      mutate(`/v1/incidents/${encodeURIComponent(id)}/acknowledge`, Incident, { reason }, options),
    testNotifier: (id: string, reason: string, options?: MutationOptions) =>
      mutate(`/v1/notifiers/${encodeURIComponent(id)}/test`, NotifierTestAnswer, { reason }, options),
    dropDeadLetter: (id: string, reason: string, options?: MutationOptions) =>
      mutate(`/v1/dead-letters/${encodeURIComponent(id)}`, DeadLetterAnswer, { reason }, { ...options, method: "DELETE" }),
    /** What fires, then what is pending. */
    alerts: () => get("/v1/alerts", AlertList),
    alertRules: () => get("/v1/alert-rules", AlertRuleList),
    tryAlertRule: (id: string) => get(`/v1/alert-rules/${encodeURIComponent(id)}/trial`, AlertTrial),
    setAlertRule: (id: string, request: AlertRuleRequest, options?: MutationOptions) =>
      mutate(`/v1/alert-rules/${encodeURIComponent(id)}`, AlertRuleAnswer, request, { ...options, method: "PUT" }),
    dropAlertRule: (id: string, request: AlertRuleDropRequest, options?: MutationOptions) =>
      mutate(`/v1/alert-rules/${encodeURIComponent(id)}`, AlertRuleAnswer, request, { ...options, method: "DELETE" }),
    /** What was seen between two moments, ms since 1970. */
    recording: (from: number, to: number) => get(`/v1/recordings?from=${from}&to=${to}`, Recording),
    configuration: () => get("/v1/configuration", ConfigurationAnswer),
    configurationVersions: ({ limit, cursor }: { readonly limit?: number; readonly cursor?: number } = {}) =>
      get(`/v1/configuration/versions${toSearch({ limit, cursor })}`, ConfigurationVersionPage),
    configurationVersion: (version: number) => get(`/v1/configuration/versions/${version}`, ConfigurationVersionDetail),
    planConfiguration: (text: string) =>
      ask({ method: "POST", path: "/v1/configuration/plan", schema: PlanAnswer, body: { type: "text/yaml", text } }),
    /** `baseVersion`: the version that it was planned on. */
    applyConfiguration: (
      text: string,
      baseVersion: number,
      { idempotencyKey, takeover, reason }: MutationOptions & { readonly takeover?: string; readonly reason?: string } = {},
    ) =>
      ask({
        method: "PUT",
        path: `/v1/configuration${toSearch({ takeover, reason })}`,
        schema: ApplyAnswer,
        body: { type: "text/yaml", text },
        ...toKey(idempotencyKey, { "if-match": `"${baseVersion}"` }),
      }),
    /** Live events until `signal` fires, the server ends the stream or the connection breaks. */
    events: (signal?: AbortSignal): Promise<EventFeed> => readEvents(deps, LiveEvent, signal),
    session: () => get("/v1/session", SessionState),
    createSignInCode: () => ask({ method: "POST", path: "/v1/session/codes", schema: CodeAnswer }),
    endSession: () => ask({ method: "POST", path: "/v1/session/end", schema: SessionEnded }),
    live: () => get("/livez", Liveness),
    /** Not ready is an answer, not a problem. */
    ready: () => get("/readyz", ReadinessAnswer),
    health: () => get("/healthz", HealthAnswer),
    databaseHealth: () => get("/healthz/database", DatabaseAnswer),
    breakers: () => get("/healthz/breakers", BreakersAnswer),
    metrics: () => ask({ method: "GET", path: "/metrics", schema: z.string(), isText: true }),
    openApi: () => get("/openapi.json", z.looseObject({ openapi: z.string(), paths: z.record(z.string(), z.unknown()) })),
    report: ({ headers, body }: SignedReport) =>
      ask({
        method: "POST",
        path: "/v1/reports",
        schema: ReportReceipt,
        body: { type: "application/json", text: body },
        headers,
      }),
  };
};

const toServicePath = (service: string): string => `/v1/services/${encodeURIComponent(service)}`;

const toFreezePath = ({ service, region }: FreezeTarget): string => {
  if (service === undefined) return region === undefined ? "/v1" : `/v1/regions/${encodeURIComponent(region)}`;
  return region === undefined ? toServicePath(service) : `${toServicePath(service)}/regions/${encodeURIComponent(region)}`;
};

type AnyQuery = HistoryQuery & { readonly state?: "open" | "closed"; readonly region?: string };

const toQuery = ({
  service,
  kinds,
  limit,
  cursor,
  state,
  region,
}: { [K in keyof AnyQuery]: AnyQuery[K] | undefined }): string => {
  const query = new URLSearchParams();
  if (service !== undefined) query.set("service", service);
  if (kinds !== undefined && kinds.length > 0) query.set("kind", kinds.join(","));
  if (limit !== undefined) query.set("limit", String(limit));
  if (cursor !== undefined) query.set("cursor", cursor);
  if (state !== undefined) query.set("state", state);
  if (region !== undefined) query.set("region", region);
  return query.size > 0 ? `?${query}` : "";
};

/** What is named and given. */
const toSearch = (given: Readonly<Record<string, string | number | undefined>>): string => {
  const query = Object.entries(given).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${encodeURIComponent(value)}`],
  );
  return query.length > 0 ? `?${query.join("&")}` : "";
};

const toKey = (key: string = crypto.randomUUID(), more: Readonly<Record<string, string>> = {}) => ({
  headers: { ...more, "idempotency-key": key },
});

interface Ask<A extends z.ZodType> {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  readonly path: string;
  readonly schema: A;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: { readonly type: string; readonly text: string };
  readonly isText?: boolean;
}

const createAsk =
  ({ url, token, fetch: send = fetch, timeoutMs = TIMEOUT_MS }: ClientDeps) =>
  async <A extends z.ZodType>(asked: Ask<A>): Promise<ClientAnswer<z.output<A>>> => {
    try {
      const response = await send(new URL(asked.path, url), {
        method: asked.method,
        headers: {
          ...asked.headers,
          ...(token === null ? {} : { authorization: `Bearer ${token}` }),
          ...(asked.body ? { "content-type": asked.body.type } : {}),
        },
        ...(asked.body ? { body: asked.body.text } : {}),
        // A token isn't carried to wherever an answer points.
        redirect: "error",
        signal: AbortSignal.timeout(timeoutMs),
      });
      return await readAnswer(response, asked);
    } catch (error) {
      return { kind: "unreachable", why: `${new URL(url).host}: ${toWhy(error)}` };
    }
  };

const readAnswer = async <A extends z.ZodType>(
  response: Response,
  { schema, isText }: Pick<Ask<A>, "schema" | "isText">,
): Promise<ClientAnswer<z.output<A>>> => {
  const text = await response.text();
  if (response.headers.get("content-type")?.startsWith("application/problem+json")) {
    const problem = ProblemAnswer.safeParse(toJson(text));
    const retryAfter = Number(response.headers.get("retry-after") ?? Number.NaN);
    if (problem.success)
      return { kind: "problem", problem: problem.data, retryAfterSeconds: Number.isFinite(retryAfter) ? retryAfter : null };
  }
  const value = schema.safeParse(isText ? text : toJson(text));
  if (value.success) return { kind: "ok", value: value.data, isReplay: response.headers.get("idempotent-replay") === "true" };
  const issue = value.error.issues[0];
  return {
    kind: "unreachable",
    why: `HTTP ${response.status}, not an answer of Regent: ${issue?.path.join(".")} ${issue?.message}`,
  };
};

const toJson = (text: string): unknown => {
  try {
    return JSON.parse(text, (_, value: unknown) => (typeof value === "string" ? value.replace(DISGUISES, "\u{fffd}") : value));
  } catch {
    return undefined;
  }
};

/** `fetch failed` says nothing; its cause does. */
export const toWhy = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error);
  if (error.name === "TimeoutError") return "no answer in time";
  const { cause } = error;
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
  return code || (cause instanceof Error ? cause.message : error.message);
};

/** Answers end up in terminals, where control characters and turned writing clear, overwrite or forge what stands beside them. Line ends and tabs stay. */
const DISGUISES = /(?![\n\t])[\p{Cc}\p{Bidi_Control}]/gu;
