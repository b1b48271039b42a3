/** What a Route 53 account holds: zones, record sets, health checks, changes. Plain data, no behaviour. */

export const RECORD_TYPES = ["A", "AAAA", "CAA", "CNAME", "MX", "NS", "PTR", "SOA", "SRV", "TXT"] as const;
export type RecordType = (typeof RECORD_TYPES)[number];

export interface AliasTarget {
  readonly hostedZoneId: string;
  /** In Route 53's spelling, absolute. */
  readonly dnsName: string;
  readonly evaluateTargetHealth: boolean;
}

export interface GeoLocation {
  readonly continentCode?: string;
  /** Two letters, or `*` for the default. */
  readonly countryCode?: string;
  readonly subdivisionCode?: string;
}

/** One record set as listed. Exactly one of (ttl and values) or aliasTarget is there. */
export interface RecordSet {
  /** In Route 53's spelling, absolute. */
  readonly name: string;
  readonly type: RecordType;
  readonly setIdentifier?: string;
  readonly weight?: number;
  readonly region?: string;
  readonly geoLocation?: GeoLocation;
  readonly failover?: "PRIMARY" | "SECONDARY";
  readonly multiValueAnswer?: boolean;
  /** Seconds. */
  readonly ttl?: number;
  readonly values?: readonly string[];
  readonly aliasTarget?: AliasTarget;
  readonly healthCheckId?: string;
}

export type Policy = "simple" | "weighted" | "latency" | "geolocation" | "failover" | "multivalue";

export const policyOf = (set: RecordSet): Policy => {
  if (set.weight !== undefined) return "weighted";
  if (set.region !== undefined) return "latency";
  if (set.geoLocation !== undefined) return "geolocation";
  if (set.failover !== undefined) return "failover";
  return set.multiValueAnswer === true ? "multivalue" : "simple";
};

/** All record sets of a zone by name. Never changed in place: each accepted batch makes a new map. */
export type Records = ReadonlyMap<string, readonly RecordSet[]>;

export type ChangeAction = "CREATE" | "DELETE" | "UPSERT";
export interface Change {
  readonly action: ChangeAction;
  readonly set: RecordSet;
}

export interface ZoneHead {
  /** Without `/hostedzone/`. */
  readonly id: string;
  readonly name: string;
  readonly callerReference: string;
  readonly comment?: string;
}

export interface ChangeRecord {
  /** Without `/change/`. */
  readonly id: string;
  readonly zoneId: string;
  /** Epoch milliseconds. */
  readonly submittedAt: number;
  readonly comment?: string;
}

export type HealthCheckType = "HTTP" | "HTTPS" | "HTTP_STR_MATCH" | "HTTPS_STR_MATCH" | "TCP" | "CALCULATED";

export interface HealthCheckConfig {
  readonly type: HealthCheckType;
  readonly ipAddress?: string;
  readonly port?: number;
  readonly resourcePath?: string;
  readonly fullyQualifiedDomainName?: string;
  readonly searchString?: string;
  /** Seconds: 10 or 30. Can't be changed later. */
  readonly requestInterval?: 10 | 30;
  readonly failureThreshold?: number;
  readonly measureLatency?: boolean;
  readonly inverted?: boolean;
  readonly disabled?: boolean;
  readonly enableSni?: boolean;
  readonly regions?: readonly string[];
  readonly healthThreshold?: number;
  readonly childHealthChecks?: readonly string[];
}

export interface HealthCheck {
  readonly id: string;
  readonly callerReference: string;
  readonly version: number;
  readonly config: HealthCheckConfig;
}

/** Drops absent fields, so that an optional field is either there with a value or not there. */
export const compact = <T extends object>(fields: { [K in keyof T]: T[K] | undefined }): T =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as T;
