/** Health checks: settings, versions, and what the checkers observe. */
import { LIST_PAGE_MAX } from "../../limits.ts";
import { fail, invalidInput, noSuchHealthCheck } from "../failure.ts";
import { checkConfig, toConfig, updateConfig, WireCreate, WireUpdate } from "../health-check-config.ts";
import type { HealthCheck, HealthCheckConfig } from "../model.ts";
import { type Node, optionalNode, parseXml } from "../xml.ts";
import { created, type Operation, readMaxItems, reply } from "./operation.ts";

const writeList = (name: string, item: string, values: readonly string[] | undefined): Node | undefined =>
  values === undefined ? undefined : [name, values.map((value): Node => [item, value])];

const writeConfig = (config: HealthCheckConfig): Node => [
  "HealthCheckConfig",
  [
    optionalNode("IPAddress", config.ipAddress),
    optionalNode("Port", config.port),
    ["Type", config.type],
    optionalNode("ResourcePath", config.resourcePath),
    optionalNode("FullyQualifiedDomainName", config.fullyQualifiedDomainName),
    optionalNode("SearchString", config.searchString),
    optionalNode("RequestInterval", config.requestInterval),
    optionalNode("FailureThreshold", config.failureThreshold),
    optionalNode("MeasureLatency", config.measureLatency),
    optionalNode("Inverted", config.inverted),
    optionalNode("Disabled", config.disabled),
    optionalNode("HealthThreshold", config.healthThreshold),
    writeList("ChildHealthChecks", "ChildHealthCheck", config.childHealthChecks),
    optionalNode("EnableSNI", config.enableSni),
    writeList("Regions", "Region", config.regions),
  ],
];

const writeCheck = (check: HealthCheck): Node => [
  "HealthCheck",
  [
    ["Id", check.id],
    ["CallerReference", check.callerReference],
    writeConfig(check.config),
    ["HealthCheckVersion", String(check.version)],
  ],
];

const issuesOf = (error: { issues: readonly { path: PropertyKey[]; message: string }[] }): string =>
  error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`).join("; ");

export const createHealthCheck: Operation = ({ store, body, endpoint }) => {
  const xml = parseXml(body);
  if (xml.kind === "malformed" || xml.root !== "CreateHealthCheckRequest")
    return fail("MalformedInput", "expected CreateHealthCheckRequest");
  const wire = WireCreate.safeParse(xml.content);
  if (!wire.success) return invalidInput(issuesOf(wire.error));
  const config = toConfig(wire.data.HealthCheckConfig);
  const wrong = checkConfig(config, (id) => store.healthCheck(id) !== undefined);
  if (wrong) return wrong;
  const reference = wire.data.CallerReference;
  const same = store.healthChecks().find((check) => check.callerReference === reference);
  // Asking again with the same reference and settings gives the same check: that is how a caller repeats after a timeout.
  if (same && (same.version !== 1 || JSON.stringify(same.config) !== JSON.stringify(config)))
    return fail("HealthCheckAlreadyExists", "A health check with the same caller reference and other settings already exists.");
  const check = same ?? store.createHealthCheck(reference, config);
  if ("kind" in check) return fail("TooManyHealthChecks", "The maximum number of health checks of the account is reached.");
  return created(["CreateHealthCheckResponse", [writeCheck(check)]], `${endpoint}/2013-04-01/healthcheck/${check.id}`);
};

export const getHealthCheck: Operation = ({ store, id }) => {
  const check = store.healthCheck(id);
  return check ? reply(["GetHealthCheckResponse", [writeCheck(check)]]) : noSuchHealthCheck(id);
};

export const updateHealthCheck: Operation = ({ store, id, body }) => {
  const check = store.healthCheck(id);
  if (!check) return noSuchHealthCheck(id);
  const xml = parseXml(body);
  if (xml.kind === "malformed" || xml.root !== "UpdateHealthCheckRequest")
    return fail("MalformedInput", "expected UpdateHealthCheckRequest");
  const wire = WireUpdate.safeParse(xml.content === "" ? {} : xml.content);
  if (!wire.success) return invalidInput(issuesOf(wire.error));
  if (wire.data.HealthCheckVersion !== undefined && wire.data.HealthCheckVersion !== check.version)
    return fail(
      "HealthCheckVersionMismatch",
      `The health check version is ${check.version}, not ${wire.data.HealthCheckVersion}.`,
    );
  const config = updateConfig(check.config, wire.data);
  const wrong = checkConfig(config, (child) => child !== id && store.healthCheck(child) !== undefined);
  if (wrong) return wrong;
  const next = { ...check, config, version: check.version + 1 };
  store.updateHealthCheck(next);
  return reply(["UpdateHealthCheckResponse", [writeCheck(next)]]);
};

export const deleteHealthCheck: Operation = ({ store, id }) => {
  if (!store.healthCheck(id)) return noSuchHealthCheck(id);
  const parents = store.healthChecks().filter((check) => check.config.childHealthChecks?.includes(id));
  // Record sets that name the check don't keep it, as in the real service; a calculated check does.
  if (parents.length > 0)
    return fail(
      "HealthCheckInUse",
      `Health check ${id} is still referenced from parent health check(s): [${parents.map((check) => check.id).join(", ")}]`,
    );
  store.deleteHealthCheck(id);
  return reply(["DeleteHealthCheckResponse", []]);
};

export const getHealthCheckCount: Operation = ({ store }) =>
  reply(["GetHealthCheckCountResponse", [["HealthCheckCount", String(store.healthChecks().length)]]]);

export const listHealthChecks: Operation = ({ store, query }) => {
  const maxItems = readMaxItems(query, LIST_PAGE_MAX);
  if (maxItems === undefined) return invalidInput("MaxItems is not a positive number");
  const marker = query.get("marker") ?? "";
  const rest = [...store.healthChecks()].sort((a, b) => (a.id < b.id ? -1 : 1)).filter((check) => check.id >= marker);
  const next = rest[maxItems];
  return reply([
    "ListHealthChecksResponse",
    [
      ["HealthChecks", rest.slice(0, maxItems).map(writeCheck)],
      optionalNode("Marker", query.get("marker") ?? undefined),
      ["IsTruncated", String(next !== undefined)],
      optionalNode("NextMarker", next?.id),
      ["MaxItems", String(maxItems)],
    ],
  ]);
};

export const getHealthCheckStatus: Operation = ({ store, id }) => {
  const check = store.healthCheck(id);
  if (!check) return noSuchHealthCheck(id);
  if (check.config.type === "CALCULATED") return invalidInput("GetHealthCheckStatus is not for CALCULATED health checks");
  const observations = store.health.reports(id).map(
    (report): Node => [
      "HealthCheckObservation",
      [
        ["Region", report.region],
        ["IPAddress", report.ipAddress],
        [
          "StatusReport",
          [
            ["Status", report.text],
            ["CheckedTime", new Date(report.checkedAt).toISOString()],
          ],
        ],
      ],
    ],
  );
  return reply(["GetHealthCheckStatusResponse", [["HealthCheckObservations", observations]]]);
};
