/** Reads health check settings from a request and says what Route 53 would refuse. Pure. */
import { isIP } from "node:net";
import { z } from "zod";
import { CHILD_HEALTH_CHECKS_MAX } from "../limits.ts";
import { type Failure, invalidInput } from "./failure.ts";
import { compact, type HealthCheckConfig } from "./model.ts";

const Flag = z.enum(["true", "false"]).transform((text) => text === "true");
const whole = (min: number, max: number) =>
  z
    .string()
    .regex(/^\d{1,9}$/)
    .transform(Number)
    .pipe(z.number().min(min).max(max));
const Text = z.string().max(255);
const oneOrMore = <T extends z.ZodType>(key: string, item: T, max: number) =>
  z
    // An empty list is an empty element, which reads as empty text.
    .union([z.literal(""), z.object({ [key]: z.array(item).max(max).optional() })])
    .transform((list) => (list === "" ? [] : ((list as Record<string, z.output<T>[] | undefined>)[key] ?? [])));

/** What both a creation and an update carry. */
const settings = {
  IPAddress: z
    .string()
    .refine((text) => text === "" || isIP(text) !== 0, "is not an IP address")
    .optional(),
  Port: whole(1, 65_535).optional(),
  ResourcePath: Text.optional(),
  FullyQualifiedDomainName: Text.optional(),
  SearchString: Text.optional(),
  FailureThreshold: whole(1, 10).optional(),
  Inverted: Flag.optional(),
  Disabled: Flag.optional(),
  HealthThreshold: whole(0, 256).optional(),
  ChildHealthChecks: oneOrMore("ChildHealthCheck", z.string().max(64), CHILD_HEALTH_CHECKS_MAX).optional(),
  EnableSNI: Flag.optional(),
  Regions: oneOrMore("Region", z.string().max(64), 64).optional(),
};

const WireConfig = z.object({
  Type: z.enum(["HTTP", "HTTPS", "HTTP_STR_MATCH", "HTTPS_STR_MATCH", "TCP", "CALCULATED"]),
  RequestInterval: whole(10, 30)
    .pipe(z.union([z.literal(10), z.literal(30)]))
    .optional(),
  MeasureLatency: Flag.optional(),
  ...settings,
});
export const WireCreate = z.object({ CallerReference: z.string().min(1).max(64), HealthCheckConfig: WireConfig });

const Resettable = z.enum(["ChildHealthChecks", "FullyQualifiedDomainName", "Regions", "ResourcePath"]);
export const WireUpdate = z.object({
  HealthCheckVersion: whole(1, 999_999_999).optional(),
  ResetElements: oneOrMore("ResettableElementName", Resettable, 64).optional(),
  ...settings,
});

type WireSettings = Pick<z.output<typeof WireConfig>, keyof typeof settings>;

const toSettings = (wire: WireSettings): Partial<HealthCheckConfig> =>
  compact<Partial<HealthCheckConfig>>({
    ipAddress: wire.IPAddress,
    port: wire.Port,
    resourcePath: wire.ResourcePath,
    fullyQualifiedDomainName: wire.FullyQualifiedDomainName,
    searchString: wire.SearchString,
    failureThreshold: wire.FailureThreshold,
    inverted: wire.Inverted,
    disabled: wire.Disabled,
    healthThreshold: wire.HealthThreshold,
    childHealthChecks: wire.ChildHealthChecks,
    enableSni: wire.EnableSNI,
    regions: wire.Regions,
  });

const defaultPort = (type: string): number | undefined =>
  type.startsWith("HTTPS") ? 443 : type.startsWith("HTTP") ? 80 : undefined;

/** The settings as stored, with Route 53's defaults. */
export const toConfig = (wire: z.output<typeof WireConfig>): HealthCheckConfig => {
  const { Type: type } = wire;
  const probes = type !== "CALCULATED";
  return {
    ...compact<HealthCheckConfig>({
      type,
      inverted: false,
      disabled: false,
      requestInterval: probes ? (wire.RequestInterval ?? 30) : undefined,
      failureThreshold: probes ? 3 : undefined,
      measureLatency: probes ? (wire.MeasureLatency ?? false) : undefined,
      port: defaultPort(type),
      enableSni: type.startsWith("HTTPS") ? true : undefined,
    }),
    ...toSettings(wire),
  };
};

export const updateConfig = (config: HealthCheckConfig, wire: z.output<typeof WireUpdate>): HealthCheckConfig => {
  const reset = new Set(wire.ResetElements ?? []);
  return compact<HealthCheckConfig>({
    ...config,
    ...(reset.has("ChildHealthChecks") ? { childHealthChecks: [] } : {}),
    ...(reset.has("FullyQualifiedDomainName") ? { fullyQualifiedDomainName: undefined } : {}),
    ...(reset.has("Regions") ? { regions: undefined } : {}),
    ...(reset.has("ResourcePath") ? { resourcePath: undefined } : {}),
    ...toSettings(wire),
  });
};

/** What is wrong with settings that are each in range; undefined if nothing is. */
export const checkConfig = (config: HealthCheckConfig, hasCheck: (id: string) => boolean): Failure | undefined => {
  const { type } = config;
  if (type === "CALCULATED") {
    if (config.healthThreshold === undefined) return invalidInput("HealthThreshold is required for a CALCULATED health check");
    const missing = config.childHealthChecks?.find((id) => !hasCheck(id));
    return missing === undefined ? undefined : invalidInput(`Child health check ${missing} does not exist`);
  }
  if (config.healthThreshold !== undefined || config.childHealthChecks !== undefined)
    return invalidInput("HealthThreshold and ChildHealthChecks are for CALCULATED health checks only");
  if (!config.ipAddress && !config.fullyQualifiedDomainName)
    return invalidInput("IPAddress or FullyQualifiedDomainName is required");
  if (type === "TCP" && config.port === undefined) return invalidInput("Port is required for a TCP health check");
  if (type === "TCP" && !config.ipAddress && config.resourcePath)
    return invalidInput("ResourcePath is not for TCP health checks");
  if (type.endsWith("_STR_MATCH") && !config.searchString) return invalidInput(`SearchString is required for ${type}`);
  if (!type.endsWith("_STR_MATCH") && config.searchString) return invalidInput(`SearchString is not for ${type}`);
  if (config.regions !== undefined && config.regions.length > 0 && config.regions.length < 3)
    return invalidInput("at least 3 Regions are required");
  return undefined;
};
