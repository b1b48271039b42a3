/** Identifiers that cross the wire. Every one is bounded and safe to print, to put in a URL path and to use as a metric label. */
import * as z from "zod";

const slug = (what: string) =>
  z
    .string()
    .regex(/^[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?$/, `${what}: 1 to 32 of a-z, 0-9 and "-", not starting or ending with "-"`);

export const RegionId = slug("region id");
export type RegionId = z.infer<typeof RegionId>;

export const NetworkId = slug("network id");
export type NetworkId = z.infer<typeof NetworkId>;

export const AgentId = slug("agent id");
export type AgentId = z.infer<typeof AgentId>;

export const ServiceId = slug("service id");
export type ServiceId = z.infer<typeof ServiceId>;

export const FamilyId = slug("family id");
export type FamilyId = z.infer<typeof FamilyId>;

export const CheckId = slug("check id");
export type CheckId = z.infer<typeof CheckId>;

export const MaintenanceId = slug("maintenance id");
export type MaintenanceId = z.infer<typeof MaintenanceId>;

/** Goes into every epoch record, so it is short. */
export const OwnerId = slug("owner");
export type OwnerId = z.infer<typeof OwnerId>;

/** Where an agent stands: `<region>/<network>`. */
export const VantageId = z.string().regex(/^[a-z0-9-]{1,32}\/[a-z0-9-]{1,32}$/, 'vantage: "<region>/<network>"');
export type VantageId = z.infer<typeof VantageId>;

/** One check of one endpoint: `<service>/<region>/<check>`. */
export const TargetId = z
  .string()
  .regex(/^[a-z0-9-]{1,32}\/[a-z0-9-]{1,32}\/[a-z0-9-]{1,32}$/, 'target: "<service>/<region>/<check>"');
export type TargetId = z.infer<typeof TargetId>;

export const Ulid = z.string().regex(/^[0-7][0-9A-HJKMNP-TV-Z]{25}$/, "ULID: 26 characters of Crockford base 32");
export type Ulid = z.infer<typeof Ulid>;

/** A hosted zone id as Route 53 gives it, without the `/hostedzone/` prefix. */
export const ZoneId = z.string().regex(/^[A-Z0-9]{1,32}$/, "zone id: 1 to 32 of A-Z and 0-9");
export type ZoneId = z.infer<typeof ZoneId>;

/** A DNS name in lower case without the final dot; `*` is allowed as the whole first label. */
export const DomainName = z
  .string()
  .max(253)
  .regex(
    /^(?:\*\.)?(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/,
    "domain name: lower case, no final dot",
  );
export type DomainName = z.infer<typeof DomainName>;

/** `host:port`, `1.2.3.4:443` or `[2001:db8::1]:443`. */
export const Address = z
  .string()
  .max(300)
  .regex(/^(?:\[[0-9a-fA-F:.]+\]|[^\s:/[\]]+):(?:[1-9][0-9]{0,4})$/, 'address: "host:port"');
export type Address = z.infer<typeof Address>;

/** Milliseconds since 1970 in database time, unless a field says that it is an agent's own clock. */
export const Instant = z.int().min(0).max(8_640_000_000_000_000);
export type Instant = z.infer<typeof Instant>;
